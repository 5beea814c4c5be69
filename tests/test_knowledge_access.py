"""Every reader against every combination of rights: nothing of what may not be read comes out, and nothing that may be is missing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import psycopg
import pytest
from benchmarks.canaries import ASKERS, CELLS, QUESTIONS, SEARCHED, SHARED, Asker, Away, Cell, strangers_in
from journey import harken, one_of, quick
from knowledge_cases import cold
from rights_cases import MANY, full_library, full_library_url  # noqa: F401  fixtures among them
from starlette.testclient import TestClient

from harken.flow import remembering, searching
from harken.flow.library_desk import LibraryDesk
from harken.flow.searching import Limits
from harken.knowledge import store
from harken.knowledge.access import Reader
from harken.web.app import app_of

HERE = "http://127.0.0.1:8000"
ALL = Limits(results=MANY)


def reader_of(asker: Asker, desk: LibraryDesk) -> Reader:
    return desk.clearances().reader(asker.role, asker.where)


def some(cells: Iterator[Cell], size: int) -> Iterator[list[Cell]]:
    while piece := list(islice(cells, size)):
        yield piece


def named(cells: Sequence[Cell], part: str) -> str:
    return ", ".join(cell.canary(part) for cell in cells)


def questions(asker: Asker, mode: str) -> Iterator[tuple[str, set[str]]]:
    """With the ids that must be among what is found: by words alone all of them, with meaning some, one by one."""
    place = ASKERS.index(asker)
    own = some(asker.own(), 4) if mode == "lexical" else some(islice(asker.own(), place % 24, None, 24), 1)
    for n, cells in enumerate(own, place):
        yield named(cells, SEARCHED[n % 3]), {cell.id for cell in cells}
    for n, cells in enumerate(some(asker.strangers(), 90), place):
        yield named(cells, SEARCHED[n % 3]), set()
    stranger = next(asker.strangers(), CELLS[-1])
    yield stranger.title, set()
    yield QUESTIONS[place % len(QUESTIONS)], set()
    yield SHARED, set()


def asked(question: str, asker: Asker, desk: LibraryDesk, limits: Limits = ALL) -> searching.Found:
    """The answer, in which nothing may be that is not his to read."""
    found = searching.search(question, reader_of(asker, desk), desk, limits)
    assert strangers_in(json.dumps(searching.told(found), default=str), asker) == [], (asker, question)
    assert found.visible == len(asker.reads), asker
    return found


def ids(found: searching.Found) -> set[str]:
    return {hit.passage.document_id for hit in found.hits}


def test_the_readers_are_all_kinds() -> None:
    """Or the rest of this file would prove little."""
    sizes = {len(asker.reads) for asker in ASKERS}
    assert (min(sizes), max(sizes), len(CELLS)) == (3, 180, 180)
    assert len({asker.reads for asker in ASKERS}) >= 16
    assert len({word for cell in CELLS for word in cell.canaries}) == 5 * len(CELLS)


@pytest.mark.parametrize("mode", ["exact", "hnsw", "lexical"])
def test_nothing_of_others_is_found_and_nothing_of_ones_own_is_missing(
    full: LibraryDesk, full_url: str, mode: str
) -> None:
    limits = Limits(results=MANY, exact_up_to=0 if mode == "hnsw" else searching.EXACT_UP_TO)
    desk = replace(cold(full), embedder=Away()) if mode == "lexical" else full
    if mode == "hnsw":
        only_by_graph(full_url)
    # Some readers do for the other two: rights are asked in one place. `benchmarks/r4_canaries.py` has them all.
    for asker in ASKERS if mode == "exact" else ASKERS[::5]:
        for question, wanted in questions(asker, mode):
            found = asked(question, asker, desk, limits)
            assert found.mode == mode
            assert wanted <= ids(found), (asker, question)
    if mode == "hnsw":
        assert one_of(full_url, "SELECT sum(idx_scan) FROM pg_stat_user_indexes WHERE indexrelname LIKE '%%graph'") > 0


def only_by_graph(url: str) -> None:
    """So few rows are quicker looked at one by one, and the planner knows it."""
    with psycopg.connect(url, autocommit=True) as owner:
        for setting in ("enable_seqscan", "enable_sort", "enable_bitmapscan"):
            owner.execute(
                psycopg.sql.SQL("ALTER DATABASE {} SET {} = off").format(
                    psycopg.sql.Identifier(owner.info.dbname), psycopg.sql.Identifier(setting)
                )
            )


@pytest.mark.parametrize("warm", ["this process", "the store"])
def test_what_is_remembered_is_for_equals_only(full: LibraryDesk, warm: str) -> None:
    """Each asks what all before him asked, and gets what he gets where nothing is remembered."""
    question = f"{SHARED} {CELLS[-1].canary('text')}"
    first = {asker: ids(asked(question, asker, full)) for asker in ASKERS}
    for asker in reversed(ASKERS):
        desk = full if warm == "this process" else cold(full, shared=True)
        again = asked(question, asker, desk)
        assert ids(again) == first[asker]


def test_a_cache_that_names_documents_of_others_gives_nothing_away(full: LibraryDesk) -> None:
    """As if a key were another reader's, or somebody wrote into the cache."""
    question, customer = CELLS[-1].canary("text"), ASKERS[0]
    everything = asked(question, next(each for each in ASKERS if len(each.reads) == len(CELLS)), full)
    honest = asked(question, customer, full)
    reader, limits = reader_of(customer, full), Limits(results=MANY)
    with full.reading.transaction() as tx:
        store.read_as(tx, reader)
        at = store.standing(tx)
    remembering.remember(remembering.key_of(question, reader, at, limits, full.clock(), full), everything.hits, full)

    assert CELLS[-1].id in ids(everything)
    assert ids(asked(question, customer, full, limits)) == ids(honest)


def test_over_http_too(full: LibraryDesk, full_url: str, tmp_path: Path) -> None:
    with (
        quick(full_url, tmp_path) as desk,
        TestClient(app_of(replace(desk, open_library=lambda: full)), base_url=HERE) as web,
    ):
        for number, asker in enumerate(ASKERS):
            who = {"role": asker.role} | ({"jurisdiction": asker.where} if asker.where else {})
            stranger, own = next(asker.strangers(), None), next(asker.own())
            for question in (named(list(asker.strangers())[-4:], "text") or SHARED, own.title):
                answer = web.post("/api/v1/knowledge/search", json={"query": question, "k": MANY, **who})
                assert answer.status_code == 200
                assert answer.json()["visible"] == len(asker.reads)
                assert strangers_in(answer.text, asker) == []
            assert (
                own.canary("text") in web.get("/api/v1/knowledge/document", params={"document_id": own.id, **who}).text
            )
            if stranger:
                _nothing_is_told(web, list(asker.strangers())[-1 - number], who)


def _nothing_is_told(web: TestClient, stranger: Cell, who: dict[str, str]) -> None:
    """What one may not read and what does not exist are one answer, to the byte."""
    for page, more in (
        ("document", {}),
        ("document", {"version": 1}),
        ("passages", {"version": 1, "ordinal": 0}),
        ("passages", {"version": 1, "ordinal": 5, "neighbours": 10}),
    ):
        unknown = web.get(f"/api/v1/knowledge/{page}", params={"document_id": "never-was", **more, **who})
        assert unknown.status_code == 404
        hidden = web.get(f"/api/v1/knowledge/{page}", params={"document_id": stranger.id, **more, **who})
        assert (hidden.status_code, hidden.content) == (404, unknown.content)
        assert {**hidden.headers} == {**unknown.headers}


def test_at_the_command_line_too(full_url: str, tmp_path: Path, command_line: None) -> None:
    for asker in ASKERS[::5]:
        where = ["--jurisdiction", asker.where] if asker.where else []
        question = named(list(asker.strangers())[-8:], "text") or SHARED
        for form in ([], ["--json"]):
            told = harken(
                "knowledge", "search", question, "--role", asker.role, *where, "-k", MANY, "--store", full_url, *form
            )
            assert (told.code, strangers_in(told.out + told.err, asker)) == (0, [])
            assert f"of {len(asker.reads)} readable" in told.out or told.json["visible"] == len(asker.reads)


@pytest.mark.parametrize("role", ["nobody", "", "Admin", "customer,admin"])
def test_who_is_not_in_the_readers_file_reads_nothing(
    full: LibraryDesk, full_url: str, tmp_path: Path, role: str
) -> None:
    with (
        quick(full_url, tmp_path) as desk,
        TestClient(app_of(replace(desk, open_library=lambda: full)), base_url=HERE) as web,
    ):
        answer = web.post("/api/v1/knowledge/search", json={"query": SHARED, "role": role})
        page = web.get("/api/v1/knowledge/document", params={"document_id": CELLS[0].id, "role": role})

    assert answer.status_code in (403, 422)
    assert page.status_code in (403, 422)
    assert not any(word in answer.text + page.text for word in CELLS[0].canaries)


@pytest.mark.parametrize("where", ["*", "DE,US", "de-", "' OR true --"])
def test_a_jurisdiction_opens_no_other(full: LibraryDesk, full_url: str, tmp_path: Path, where: str) -> None:
    with (
        quick(full_url, tmp_path) as desk,
        TestClient(app_of(replace(desk, open_library=lambda: full)), base_url=HERE) as web,
    ):
        answer = web.post("/api/v1/knowledge/search", json={"query": SHARED, "role": "lead", "jurisdiction": where})

    assert answer.status_code in (409, 422)
