"""Passages -> vectors: what has none gets one, and a new model's take over when they are complete.

A search needs no vector to find a passage by its words, so documents are kept first and embedded after; whoever is stopped
in between goes on with the next run. While another model's vectors are made, the old ones serve.
"""

from collections.abc import Callable

from harken.flow.desk import LibraryDesk
from harken.flow.ports import Progress
from harken.knowledge.composing import composed
from harken.knowledge.library import store as library
from harken.knowledge.ports import Embedder
from harken.knowledge.vectors import store as vectors
from harken.knowledge.vectors.store import Index

PASSAGES_AT_ONCE = 512
GRAPH_FROM = 10_000
"""Vectors from which a graph pays: below, looking at each takes a few milliseconds."""


def embed(desk: LibraryDesk, progress: Progress, *, stopped: Callable[[], bool] = lambda: False) -> int:
    """How many vectors were made. Raises TryAgainError where a model does not answer: what is embedded stays."""
    serving, building = _indexes(desk)
    made = 0
    if serving and serving.model != desk.embedder.model and (before := desk.embedder_of(serving.model)):
        made += _fill(serving, before, desk, progress, stopped)
    mine = serving if serving and serving.model == desk.embedder.model else building
    if mine is None:  # nobody serves this model, and nobody builds it
        return made
    made += _fill(mine, desk.embedder, desk, progress, stopped)
    while not (mine.serving or stopped() or _take_over(mine, desk)):
        made += _fill(mine, desk.embedder, desk, progress, stopped)
    return made


def _indexes(desk: LibraryDesk) -> tuple[Index | None, Index | None]:
    """As they are to be: one for the model that the settings name, and none half built for a model they no longer name."""
    dimension = desk.embedder.dimension  # a server may have to be asked
    with desk.keeping.transaction() as tx:
        library.take_turn(tx)
        serving, building = vectors.indexes(tx)
        wanted = desk.embedder.model
        if building and building.model != wanted:
            vectors.drop(tx, building)
            building = None
        if building is None and (serving is None or serving.model != wanted):
            vectors.open_index(tx, wanted, dimension, desk.clock())
        return vectors.indexes(tx)


def _fill(index: Index, embedder: Embedder, desk: LibraryDesk, progress: Progress, stopped: Callable[[], bool]) -> int:
    made, after = 0, 0
    progress.step(f"Embedding with {embedder.model}")
    while not stopped():
        with desk.keeping.transaction() as tx:
            some = vectors.unembedded(tx, index, after, PASSAGES_AT_ONCE)
        if not some:
            break
        found = embedder.embed([composed(each.title, each.heading, each.text) for each in some])
        with desk.keeping.transaction() as tx:
            library.take_turn(tx)
            made += vectors.add(tx, index, some, found)
            library.changed(tx)
        after = some[-1].number
        progress.advance(len(some))
    _draw(index, desk, progress)
    return made


def _draw(index: Index, desk: LibraryDesk, progress: Progress) -> None:
    with desk.keeping.transaction() as tx:
        if index.graph or vectors.count(tx, index) < GRAPH_FROM:
            return
        progress.step("Drawing the graph of vectors")
        library.take_turn(tx)
        vectors.draw_graph(tx, index)


def _take_over(index: Index, desk: LibraryDesk) -> bool:
    """Only when no passage is missing; who adds documents meanwhile waits for the moment it takes."""
    with desk.keeping.transaction() as tx:
        library.take_turn(tx)
        if vectors.unembedded(tx, index, 0, 1):
            return False
        vectors.switch(tx, index)
        library.changed(tx)
        return True
