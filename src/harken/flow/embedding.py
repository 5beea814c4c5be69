"""Passages -> vectors: what has none gets one, and a new model's take over when they are complete.

A search needs no vector to find a passage by its words, so documents are kept first and embedded after; whoever is stopped
in between goes on with the next run. While another model's vectors are made, the old ones serve.
"""

from collections.abc import Callable, Sequence

from harken.flow.library_desk import LibraryDesk
from harken.flow.ports import Progress
from harken.kit import db
from harken.knowledge import fuse
from harken.knowledge.composing import composed
from harken.knowledge.library import store as library
from harken.knowledge.ports import Embedder, Vectors
from harken.knowledge.vectors import store as vectors
from harken.knowledge.vectors.store import Index, Unembedded

PASSAGES_AT_ONCE = 512
GRAPH_FROM = 10_000
"""Vectors from which a graph pays: below, looking at each takes a few milliseconds."""


def embed(desk: LibraryDesk, progress: Progress, *, stopped: Callable[[], bool] = lambda: False) -> int:
    """How many vectors were made. Raises TryAgainError where a model does not answer: what is embedded stays."""
    serving, building = _indexes(desk)
    made, wanted = 0, space(desk.embedder)
    if serving and serving.model != wanted and (before := embedder_of(serving.model, desk)):
        made += _fill(serving, before, desk, progress, stopped)
    mine = serving if serving and serving.model == wanted else building
    if mine is None:  # nobody serves this model, and nobody builds it
        return made
    made += _fill(mine, desk.embedder, desk, progress, stopped)
    while not (mine.serving or stopped() or _take_over(mine, desk)):
        made += _fill(mine, desk.embedder, desk, progress, stopped)
    return made


def space(embedder: Embedder) -> str:
    """What vectors must have in common to be compared: the model, and how titles and texts are put together."""
    return f"{embedder.model} title {fuse.recipe_of(embedder.model).title}"


def embedder_of(wanted: str, desk: LibraryDesk) -> Embedder | None:
    """Who can put a question where these vectors are; None: nobody on this machine any more."""
    found = desk.embedder_of(wanted.rpartition(" title ")[0]) if space(desk.embedder) != wanted else desk.embedder
    return found if found and space(found) == wanted else None


def _indexes(desk: LibraryDesk) -> tuple[Index | None, Index | None]:
    """As they are to be: one for the model that the settings name, and none half built for a model they no longer name."""
    dimension = desk.embedder.dimension  # a server may have to be asked
    with desk.keeping.transaction() as tx:
        library.take_turn(tx)
        serving, building = vectors.indexes(tx)
        wanted = space(desk.embedder)
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
        found = _vectors(some, embedder)
        with desk.keeping.transaction() as tx:
            library.take_turn(tx)
            if not _is_there(tx, index):  # who switched models meanwhile dropped it with its vectors
                return made
            made += vectors.add(tx, index, some, found)
            library.changed(tx)
        after = some[-1].number
        progress.advance(len(some))
    _draw(index, desk, progress)
    return made


def _vectors(passages: Sequence[Unembedded], embedder: Embedder) -> Vectors:
    titles = embedder.embed([each.title for each in passages])
    texts = embedder.embed([composed(each.title, each.heading, each.text) for each in passages])
    return fuse.passage_vectors(titles, texts, fuse.recipe_of(embedder.model))


def _draw(index: Index, desk: LibraryDesk, progress: Progress) -> None:
    with desk.keeping.transaction() as tx:
        if index.graph or vectors.count(tx, index) < GRAPH_FROM:
            return
        progress.step("Drawing the graph of vectors")
        library.take_turn(tx)
        if any(each and each.id == index.id and not each.graph for each in vectors.indexes(tx)):
            vectors.draw_graph(tx, index)


def _is_there(tx: db.Tx, index: Index) -> bool:
    return any(each and each.id == index.id for each in vectors.indexes(tx))


def _take_over(index: Index, desk: LibraryDesk) -> bool:
    """Only when no passage is missing; who adds documents meanwhile waits for the moment it takes."""
    with desk.keeping.transaction() as tx:
        library.take_turn(tx)
        _, building = vectors.indexes(tx)
        if building is None or building.id != index.id:
            return True  # another run has done it, or dropped it for a model that is asked for since
        if vectors.unembedded(tx, index, 0, 1):
            return False
        vectors.switch(tx, index)
        library.changed(tx)
        return True
