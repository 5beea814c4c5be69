"""A library with a document in each cell of rights, for the tests of who may read what."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.canaries import CELLS
from conftest import fresh_store
from knowledge_cases import add, library_on

from harken.flow.library_desk import LibraryDesk
from harken.knowledge.library import store as library
from harken.knowledge.vectors import store as vectors

MANY = 100


@pytest.fixture(scope="module", name="full_url")
def full_library_url(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A library with a document in each cell, and a graph over all of them."""
    folder = tmp_path_factory.mktemp("cells")
    for cell in CELLS:
        cell.written(folder)
    with fresh_store(postgres_url, _template) as url, library_on(url, folder) as desk:
        done = add(desk, folder)
        assert (done.documents, done.passages, done.refused) == (len(CELLS), len(CELLS), [])
        draw_graph(desk)
        yield url


@pytest.fixture(name="full")
def full_library(full_url: str, tmp_path: Path) -> Iterator[LibraryDesk]:
    with library_on(full_url, tmp_path) as desk:
        yield desk


def draw_graph(desk: LibraryDesk) -> None:
    with desk.keeping.transaction() as tx:
        library.take_turn(tx)
        serving, _ = vectors.indexes(tx)
        assert serving
        vectors.draw_graph(tx, serving)
        library.changed(tx)
