"""Killed, doubled, cut off from the database or switched to another model: the library ends as if nothing had happened."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest
from conftest import fresh_store
from crash_cases import PATIENCE_S, Dies, Does, end_connections, processes
from documents_cases import written
from journey import Steady, one_of, rows_of
from knowledge_cases import Letters, add, library_on, shelf

from harken.adapters.embedders import WordLlama
from harken.errors import TryAgainError
from harken.flow import adding, embedding, searching
from harken.flow.adding import Wish
from harken.flow.library_desk import LibraryDesk
from harken.knowledge.chunk import Cut

DOCUMENTS = 300
BEFORE, AFTER = WordLlama(), Letters()
READING, EMBEDDING, SWITCHING = "Reading docs", f"Embedding with {BEFORE.model}", f"Embedding with {AFTER.model}"
MOMENTS = {
    "before the first batch is kept": (READING, 150),
    "after the first batch is kept": (READING, 250),
    "before vectors": (EMBEDDING, 0),
    "between vectors": (EMBEDDING, 1),
}
LONG = pytest.mark.matrix
"""The same at another moment: not among the quick tests."""


def folder_of(home: Path, documents: int = DOCUMENTS) -> Path:
    for n in range(documents):
        call = f" Call +49 30 9018{n:03}." if n % 50 == 0 else ""
        said = f"Transfer {n} costs {n} dollars and arrives in {n % 7} days.{call}"
        written(
            home / "docs",
            f"page-{n:03}.md",
            f"---\nvisibility: {'public' if n % 3 else 'internal'}\n---\n# Page {n}\n\n{said}\n",
        )
    return home / "docs"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of(tmp_path_factory.mktemp("crash"))


def calm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, *models: Any) -> dict[str, Any]:
    """The tables after undisturbed runs, one a model."""
    server, template = request.getfixturevalue("postgres_url"), request.getfixturevalue("_template")
    with fresh_store(server, template) as url:
        for model in models:
            with library_on(url, tmp_path_factory.mktemp("calm"), model) as desk:
                add(desk, request.getfixturevalue("folder"))
        return shelf(url)


@pytest.fixture(scope="module")
def expected(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return calm(request, tmp_path_factory, BEFORE)


@pytest.fixture(scope="module")
def expected_switched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return calm(request, tmp_path_factory, BEFORE, AFTER)


def run_until_killed(url: str, home: Path, folder: Path, moment: tuple[str, int]) -> None:
    embedding.PASSAGES_AT_ONCE = 100
    with library_on(url, home, AFTER if moment[0] == SWITCHING else BEFORE) as desk:
        adding.add([folder], Wish(), desk, Dies(*moment))


def kill(url: str, home: Path, folder: Path, moment: tuple[str, int]) -> None:
    process = processes.Process(target=run_until_killed, args=(url, home, folder, moment))
    process.start()
    process.join(PATIENCE_S)
    assert process.exitcode == -SIGKILL, f"{moment}: ended with {process.exitcode}"


def answered(desk: LibraryDesk, question: str = "what does transfer 17 cost") -> searching.Found:
    return searching.search(question, desk.clearances().reader("admin"), desk)


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[LibraryDesk]:
    with library_on(store_url, tmp_path, BEFORE) as made:
        yield made


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("before the first batch is kept", marks=LONG),
        "after the first batch is kept",
        pytest.param("before vectors", marks=LONG),
        pytest.param("between vectors", marks=LONG),
    ],
)
def test_killed_and_run_again(
    desk: LibraryDesk, store_url: str, tmp_path: Path, folder: Path, expected: dict[str, Any], moment: str
) -> None:
    kill(store_url, tmp_path, folder, MOMENTS[moment])
    kept = one_of(store_url, "SELECT count(*) FROM document")
    assert kept == {"before the first batch is kept": 0, "after the first batch is kept": 200}.get(moment, DOCUMENTS)
    assert answered(desk).visible == kept  # what is kept is found, vectors or none

    done = add(desk, folder)

    assert (done.documents, done.new) == (DOCUMENTS, DOCUMENTS - kept)
    assert shelf(store_url) == expected
    assert "costs 17 dollars" in answered(desk).hits[0].passage.text


@pytest.mark.parametrize("moment", [READING, pytest.param(EMBEDDING, marks=LONG)])
def test_the_database_went_away_for_a_moment(
    desk: LibraryDesk, store_url: str, folder: Path, expected: dict[str, Any], moment: str
) -> None:
    with suppress(TryAgainError):  # where it was between two transactions, nobody noticed
        adding.add([folder], Wish(), desk, Does(moment, lambda: end_connections(store_url, "%")))
    add(desk, folder)

    assert shelf(store_url) == expected


def test_two_add_the_same_folder_at_once(
    desk: LibraryDesk, store_url: str, tmp_path: Path, folder: Path, expected: dict[str, Any]
) -> None:
    with library_on(store_url, tmp_path / "other", BEFORE) as other, ThreadPoolExecutor(2) as both:
        done = list(both.map(lambda each: add(each, folder), (desk, other)))

    assert sum(each.new for each in done) == DOCUMENTS
    assert all((each.documents, each.quarantined) == (DOCUMENTS, 0) for each in done)
    assert shelf(store_url) == expected


def test_searches_answer_while_documents_come_in(desk: LibraryDesk, store_url: str, folder: Path) -> None:
    """Each sees whole batches."""
    seen: list[int] = []
    files = itertools.count()

    class Looks(Steady):
        def advance(self, rows: int) -> None:
            if next(files) % 20 == 0:
                seen.append(answered(desk).visible)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adding, "DOCUMENTS_AT_ONCE", 100)
        adding.add([folder], Wish(), desk, Looks())

    assert set(seen) == {0, 100, 200, 300}
    assert seen == sorted(seen)


def test_a_changed_document_is_another_version_and_the_old_one_stays_readable(
    desk: LibraryDesk, tmp_path: Path
) -> None:
    small = replace(desk, cut=Cut(size=40, overlap=0))
    admin = desk.clearances().reader("admin")
    docs = tmp_path / "docs"
    for price in ("twelve", "nine"):
        said = "\n\n".join(f"Paragraph {n}. {f'A transfer costs {price} dollars. ' * 5}" for n in range(6))
        written(docs, "fees.md", f"---\nid: fees\n---\n# Fees\n\n{said}\n")
        done = add(small, docs)

    assert (done.changed, done.new, done.documents) == (1, 0, 1)
    old = searching.around(("fees", 1, 2), 1, admin, desk)
    assert [passage["passage_id"] for passage in old] == ["fees@1#1", "fees@1#2", "fees@1#3"]
    assert all("twelve" in passage["text"] for passage in old)
    shown = searching.document("fees", None, admin, desk)
    assert shown
    assert (shown["version"], "nine" in shown["text"]) == (2, True)
    for question in ("twelve dollars", "Paragraph 2", "what do transfers cost"):
        assert {hit.passage.version for hit in answered(desk, question).hits} == {2}

    (docs / "fees.md").unlink()
    add(desk, docs, may_empty=True)
    assert answered(desk, "transfers").hits == []
    assert searching.around(("fees", 2, 0), 0, admin, desk)
    written(docs, "fees.md", "---\nid: fees\n---\n# Fees\n\nBack again.\n")
    add(desk, docs)
    back = searching.document("fees", None, admin, desk)
    assert back
    assert back["version"] == 3


# Another model


def test_whoever_embeds_for_a_model_that_was_switched_off_meanwhile_stops(
    desk: LibraryDesk, store_url: str, tmp_path: Path
) -> None:
    """One run of each model at once: neither fails, and the vectors that serve are whole."""
    docs = folder_of(tmp_path, 5)
    add(desk, docs)
    after = replace(desk, embedder=AFTER)
    written(docs, "late.md", "# Late\n\nIt came late.\n")

    adding.add([docs], Wish(), desk, Does(EMBEDDING, lambda: embedding.embed(after, Steady())))

    assert serving(store_url) == [(AFTER.model, "serving")]
    assert one_of(store_url, "SELECT count(*) FROM passage_vector") == 6


def serving(url: str) -> list[tuple[str, str]]:
    found = rows_of(
        url,
        "SELECT split_part(model, ' title', 1) AS model, state FROM vector_index WHERE state <> 'retired' ORDER BY id",
    )
    return [(row["model"], row["state"]) for row in found]


def partitions(url: str) -> int:
    return int(one_of(url, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'passage_vector'::regclass"))


def test_the_old_model_serves_until_the_new_one_is_whole(
    desk: LibraryDesk, store_url: str, folder: Path, expected_switched: dict[str, Any]
) -> None:
    add(desk, folder)
    after = replace(desk, embedder=AFTER)
    meanwhile: list[Any] = []

    def look() -> None:
        meanwhile.extend([serving(store_url), answered(after).mode, answered(after).hits[0].passage.title])

    assert embedding.embed(after, Does(SWITCHING, look)) == DOCUMENTS
    assert meanwhile == [[(BEFORE.model, "serving"), (AFTER.model, "building")], "exact", "Page 17"]
    assert serving(store_url) == [(AFTER.model, "serving")]
    assert partitions(store_url) == 1
    assert shelf(store_url) == expected_switched

    for still in (desk, after):  # who was started with the old settings asks the new model, too
        assert answered(still, "transfer 18").mode == "exact"
    gone = replace(desk, embedder_of=lambda model: None)
    assert answered(gone, "transfer 19").mode == "lexical"


@pytest.mark.parametrize("vectors_kept", [pytest.param(0, marks=LONG), 1, pytest.param(2, marks=LONG)])
def test_a_switch_that_was_killed_goes_on(
    desk: LibraryDesk,
    store_url: str,
    tmp_path: Path,
    folder: Path,
    expected_switched: dict[str, Any],
    vectors_kept: int,
) -> None:
    add(desk, folder)
    kill(store_url, tmp_path, folder, (SWITCHING, vectors_kept))
    after = replace(desk, embedder=AFTER)
    assert serving(store_url) == [(BEFORE.model, "serving"), (AFTER.model, "building")]
    assert [answered(each).mode for each in (desk, after)] == ["exact", "exact"]

    assert add(after, folder).embedded == DOCUMENTS - 100 * vectors_kept
    assert shelf(store_url) == expected_switched


def test_whoever_switches_back_drops_what_was_half_built(
    desk: LibraryDesk, store_url: str, folder: Path, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "PASSAGES_AT_ONCE", 100)
    add(desk, folder)
    after, rounds = replace(desk, embedder=AFTER), iter([False, False, True, True])
    assert embedding.embed(after, Steady(), stopped=lambda: next(rounds)) == 100
    assert partitions(store_url) == 2

    assert add(desk, folder).embedded == 0

    assert serving(store_url) == [(BEFORE.model, "serving")]
    assert partitions(store_url) == 1
    assert shelf(store_url) == expected


def test_documents_that_come_during_a_switch_are_in_both(desk: LibraryDesk, store_url: str, tmp_path: Path) -> None:
    docs = folder_of(tmp_path, 5)
    add(desk, docs)
    after = replace(desk, embedder=AFTER)
    embedding.embed(after, Steady(), stopped=lambda: True)
    assert serving(store_url) == [(BEFORE.model, "serving"), (AFTER.model, "building")]

    def count() -> list[int]:
        query = "SELECT count(*)::int AS n FROM passage_vector GROUP BY index_id ORDER BY index_id"
        return [row["n"] for row in rows_of(store_url, query)]

    counted: list[list[int]] = []
    written(docs, "late.md", "# Late\n\nIt came late.\n")
    adding.add([docs], Wish(), after, Does(SWITCHING, lambda: counted.append(count())))

    assert counted == [[6]]  # the one that still serves has it first
    assert count() == [6]
    assert serving(store_url) == [(AFTER.model, "serving")]
