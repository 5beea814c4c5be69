"""Every reader against every combination of rights: nothing of what may not be read comes out, and nothing that may be is missing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import psycopg
import pytest
from benchmarks.canaries import ASKERS, CELLS, QUESTIONS, SEARCHED, SHARED, Asker, Away, Cell, strangers_in
from conftest import fresh_store
from documents_cases import written
from journey import harken, one_of, quick, rows_of
from knowledge_cases import add, cold, library_on
from starlette.testclient import TestClient

from harken.flow import remembering, searching
from harken.flow.library_desk import LibraryDesk
from harken.flow.searching import Limits
from harken.kit import db
from harken.knowledge import store
from harken.knowledge.access import Reader
from harken.knowledge.library import store as library
from harken.knowledge.vectors import store as vectors
from harken.web.app import app_of

HERE = "http://127.0.0.1:8000"
MANY = 100
ALL = Limits(results=MANY)

CONTENT = ("knowledge_scope", "document", "passage", "posting", "posting_segment", "scope_size", "passage_vector")
"""What a reader sees the rows of that he may read."""
COUNTERS = ("vector_index", "knowledge_state")
"""Of the whole library, with no word of any document: the model's name, and how often something changed."""
KEPT = ("vault", "knowledge_quarantine", "knowledge_approval", "knowledge_file", "knowledge_job")
"""The librarian's alone."""
OPEN_TO_WHO_SERVES = {
    "action_approval", "action_proposal", "answer_record", "audit_checkpoint", "audit_event", "audit_leaf",
    "audit_node", "budget_alert", "call_task", "consistency", "conversation", "decision", "event", "idempotency",
    "identity_change", "identity_conflict", "identity_edge", "identity_member", "ingest_block", "ingest_run",
    "knowledge_cache", "model_answer", "model_spend", "oauth_client", "outbox", "procrastinate_events", "procrastinate_jobs",
    "procrastinate_periodic_defers", "procrastinate_workers", "profile", "projection", "quarantine", "rate_bucket",
    "record_blob", "record_text", "rejected_event", "revoked_token", "schema_migration", "segment", "segment_change",
    "segment_member", "served_profile", "socket_ticket", "source_hour", "source_offset", "subject_key", "ticket",
    "ticket_change", "ticket_message", "turn",
}  # fmt: skip
"""Tables without rights by row: whoever adds one decides that it needs none."""


@pytest.fixture(scope="module")
def full_url(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A library with a document in each cell, and a graph over all of them."""
    folder = tmp_path_factory.mktemp("cells")
    for cell in CELLS:
        cell.written(folder)
    with fresh_store(postgres_url, _template) as url, library_on(url, folder) as desk:
        done = add(desk, folder)
        assert (done.documents, done.passages, done.refused) == (len(CELLS), len(CELLS), [])
        draw_graph(desk)
        yield url


@pytest.fixture
def full(full_url: str, tmp_path: Path) -> Iterator[LibraryDesk]:
    with library_on(full_url, tmp_path) as desk:
        yield desk


def draw_graph(desk: LibraryDesk) -> None:
    with desk.keeping.transaction() as tx:
        library.take_turn(tx)
        serving, _ = vectors.indexes(tx)
        assert serving
        vectors.draw_graph(tx, serving)
        library.changed(tx)


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


# Below the search: a connection of the serving role


def settings_of(**given: str) -> dict[str, str]:
    return {
        "visibility": "2",
        "classes": "policy,product,regulatory,support_log",
        "risk": "2",
        "jurisdictions": "*",
    } | given


def seen(tx: db.Tx) -> dict[str, int]:
    counts = {}
    for table in CONTENT:
        row = tx.execute(
            psycopg.sql.SQL("SELECT count(*) AS n FROM {}").format(psycopg.sql.Identifier(table))
        ).fetchone()
        assert row
        counts[table] = row["n"]
    return counts


NOTHING = dict.fromkeys(CONTENT, 0)


@pytest.mark.parametrize(
    "given",
    [
        None,
        dict.fromkeys(settings_of(), ""),
        settings_of(visibility=""),
        settings_of(classes=""),
        settings_of(risk=""),
        settings_of(visibility="-1"),
        settings_of(classes="policies"),
    ],
)
def test_without_all_of_a_readers_settings_nothing_is_there(full: LibraryDesk, given: dict[str, str] | None) -> None:
    with full.reading.transaction() as tx:
        if given is not None:
            tx.execute(store.q.read_as, given)
        assert seen(tx) == NOTHING


def test_without_a_jurisdiction_only_what_holds_everywhere_is_there(full: LibraryDesk) -> None:
    with full.reading.transaction() as tx:
        tx.execute(store.q.read_as, settings_of(jurisdictions=""))
        assert seen(tx)["document"] == sum(cell.jurisdiction == "" for cell in CELLS)


def test_a_connection_that_served_one_reader_has_nothing_of_him_for_the_next(full: LibraryDesk) -> None:
    """Also where his transaction failed, and often enough that statements are prepared."""
    one = db.Database(full.reading.url, size=1)
    compliance, customer = (full.clearances().reader(role) for role in ("compliance", "customer"))
    try:
        for _ in range(7):
            with one.transaction() as tx:
                store.read_as(tx, compliance)
                assert seen(tx)["document"] == len(CELLS)
            with one.transaction() as tx:
                assert tx.execute("SELECT current_setting('harken.visibility', true) AS v").fetchall() == [{"v": ""}]
                assert seen(tx) == NOTHING
            with pytest.raises(psycopg.errors.DivisionByZero):
                fails(one, compliance)
            with one.statement() as connection:
                assert seen(connection) == NOTHING
            with one.transaction() as tx:
                store.read_as(tx, customer)
                assert seen(tx)["document"] == len(ASKERS[0].reads)
    finally:
        one.close()


def fails(database: db.Database, reader: Reader) -> None:
    with database.transaction() as tx:
        store.read_as(tx, reader)
        tx.execute("SELECT 1 / 0")


def test_the_counters_have_no_word_of_a_document(full_url: str) -> None:
    query = "SELECT attname AS name FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
    columns = {table: {row["name"] for row in rows_of(full_url, query, [table])} for table in COUNTERS}
    assert columns == {
        "vector_index": {"id", "model", "dimension", "state", "graph", "made_at"},
        "knowledge_state": {"only_row", "version"},
    }


def test_every_table_has_rights_by_row_or_is_known_to_need_none(full_url: str) -> None:
    tables = rows_of(
        full_url,
        "SELECT relname AS name, relrowsecurity AND relforcerowsecurity AS forced, relowner::regrole::text AS owner "
        "FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace",
    )

    forced = {table["name"] for table in tables if table["forced"]}
    assert {table["name"] for table in tables if not table["forced"]} == OPEN_TO_WHO_SERVES
    assert forced == {*CONTENT, *COUNTERS, *KEPT, *partitions(full_url)}
    assert not {table["owner"] for table in tables} & {"harken_app", "harken_librarian"}


def partitions(url: str) -> list[str]:
    query = "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'passage_vector'::regclass"
    return [row["name"] for row in rows_of(url, query)]


def test_the_serving_role_goes_past_no_policy(full_url: str) -> None:
    [role] = rows_of(
        full_url,
        "SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb AS power, "
        "(SELECT count(*) FROM pg_auth_members WHERE member = r.oid) AS memberships FROM pg_roles r WHERE rolname = 'harken_app'",
    )
    views = one_of(full_url, "SELECT count(*) FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace")  # fmt: skip

    assert role == {"power": False, "memberships": 0}
    assert views == 0  # one that is not the asker's own would show everything


def test_what_the_serving_role_may_do_there(full_url: str) -> None:
    tables = [*CONTENT, *COUNTERS, *KEPT, *partitions(full_url)]
    assert len(partitions(full_url)) == 1
    rights = rows_of(
        full_url,
        """
        SELECT t AS "table", r AS "right" FROM unnest(%s::text[]) AS t, unnest(%s::text[]) AS r
        WHERE has_table_privilege('harken_app', t, r)
          OR CASE WHEN r IN ('SELECT', 'INSERT', 'UPDATE') THEN has_any_column_privilege('harken_app', t, r) END
        """,
        [tables, ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]],
    )
    allowed = {(each["table"], each["right"]) for each in rights}
    assert allowed == {(table, "SELECT") for table in (*CONTENT, *COUNTERS)}


def test_no_function_lends_the_serving_role_its_owners_rights(full: LibraryDesk, full_url: str) -> None:
    """Asked of the catalogue, and tried."""
    lent = rows_of(
        full_url,
        "SELECT proname AS name FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace "
        "AND has_function_privilege('harken_app', oid, 'EXECUTE') AND proname NOT LIKE 'reserve%%'",
    )
    assert lent == []
    for call in (
        "SELECT open_vector_index('mine', 3, now())",
        "SELECT graph_vector_index(1)",
        "SELECT switch_vector_index(1)",
        "SELECT drop_vector_index(1)",
        "SELECT count_knowledge()",
        "SELECT * FROM passage_vector_1",
        "SELECT * FROM vault",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), full.reading.transaction() as tx:
            tx.execute(call)


# What changes


SECRET_WORD = "gorvexim"


def page(folder: Path, name: str, text: str = SECRET_WORD, **front: str) -> Path:
    head = "".join(f"{key}: {value}\n" for key, value in {"visibility": "public", **front}.items())
    return written(folder, f"{name}.md", f"---\n{head}---\n# The {name}\n\nThe kestrel pays for {text} on Mondays.\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"visibility": "internal"}),
        ({}, {"risk": "high"}),
        ({"jurisdiction": "DE"}, {"jurisdiction": "US"}),
        ({}, {"jurisdiction": "US-CA"}),
        ({}, None),
    ],
)
def test_rights_that_were_taken_are_gone_with_the_next_search(
    store_url: str, tmp_path: Path, before: dict[str, str], after: dict[str, str] | None
) -> None:
    """For this process and for another, both of which have the answer in memory."""
    folder = tmp_path / "docs"
    page(folder, "other", text="nothing")
    path = page(folder, "matter", **before)
    with library_on(store_url, tmp_path) as here, library_on(store_url, tmp_path) as there:
        add(here, folder)
        reader = here.clearances().reader("customer", "DE")
        for desk in (here, there):
            assert SECRET_WORD in searching.search(SECRET_WORD, reader, desk).hits[0].passage.text
            assert searching.search("the matter", reader, desk).visible == 2

        path.unlink() if after is None else page(folder, "matter", **after)
        add(here, folder)

        for desk in (here, there, cold(here, shared=True), replace(cold(here), embedder=Away())):
            for question in (SECRET_WORD, "the matter", "who pays on Mondays"):
                found = searching.search(question, reader, desk)
                assert found.visible == 1
                assert SECRET_WORD not in str(searching.told(found))
            assert searching.document("matter.md", None, reader, desk) is None


def test_what_was_withdrawn_does_not_stand_before_what_serves(store_url: str, tmp_path: Path) -> None:
    """More of it than candidates are taken, and too little for the lists to be written anew."""
    folder = tmp_path / "docs"
    gone = [page(folder, f"{SECRET_WORD}-{n}", text=SECRET_WORD * 2) for n in range(70)]
    for n in range(300):
        page(folder, f"page-{n}", text="other things")
    page(folder, "left", text=f"many things, and somewhere among them {SECRET_WORD}, too")
    with library_on(store_url, tmp_path) as desk:
        add(desk, folder)
        for path in gone:
            path.unlink()
        add(desk, folder)
        assert one_of(store_url, "SELECT dead FROM scope_size") == len(gone)

        found = searching.search(SECRET_WORD, desk.clearances().reader("customer"), replace(desk, embedder=Away()))

    assert [hit.passage.document_id for hit in found.hits] == ["left.md"]


@pytest.mark.parametrize("exact_up_to", [searching.EXACT_UP_TO, 0])
def test_scores_do_not_depend_on_what_one_may_not_read(store_url: str, tmp_path: Path, exact_up_to: int) -> None:
    """Neither on how much there is, nor in which words, nor in which languages."""
    mine, theirs, limits = tmp_path / "mine", tmp_path / "theirs", Limits(results=MANY, exact_up_to=exact_up_to)
    for n in range(12):
        page(mine, f"page-{n}", text=f"{'fees ' * (n % 4 + 1)}abroad and {SHARED if n % 2 else 'cards'}")
    for n in range(40):
        page(theirs, f"hidden-{n}", text=f"{SHARED} {SHARED} fees abroad", visibility="restricted")
        page(
            theirs,
            f"versteckt-{n}",
            text="die Gebühren der Überweisung ins Ausland und der Karte",
            visibility="internal",
        )
    asks = ("fees abroad", SHARED, "what does a card cost", "Gebühren der Karte")
    with library_on(store_url, tmp_path) as desk:
        customer = desk.clearances().reader("customer")
        add(desk, mine)
        draw_graph(desk)
        before = [searching.search(question, customer, desk, limits) for question in asks]
        add(desk, theirs)
        after = [searching.search(question, customer, desk, limits) for question in asks]

    for was, now in zip(before, after, strict=True):
        assert now.version > was.version  # so none of it was remembered
        assert now.visible == was.visible == 12
        assert scores(now) == pytest.approx(scores(was), abs=1e-6)
        assert [hit.why for hit in now.hits] == [hit.why for hit in was.hits]


def scores(found: searching.Found) -> dict[str, float]:
    return {hit.passage.document_id: hit.score for hit in found.hits}


def test_rights_that_are_taken_back_are_taken_back_for_old_versions_too(store_url: str, tmp_path: Path) -> None:
    with library_on(store_url, tmp_path / "home") as desk:
        customer, lead = desk.clearances().reader("customer"), desk.clearances().reader("lead")
        folder = tmp_path / "handbook"
        folder.mkdir()
        page = folder / "fees.md"
        page.write_text("---\nid: fees\nvisibility: public\n---\n# Fees\n\nA transfer costs ten dollars.\n")
        add(desk, folder)
        page.write_text("---\nid: fees\nvisibility: public\n---\n# Fees\n\nA transfer costs twelve dollars.\n")
        add(desk, folder)
        assert "ten" in str(searching.document("fees", 1, customer, desk)), (
            "the same people may read what it said before"
        )

        page.write_text("---\nid: fees\nvisibility: restricted\n---\n# Fees\n\nA transfer costs twelve dollars.\n")
        add(desk, folder)

        for version in (1, 2, 3):
            assert searching.document("fees", version, customer, desk) is None
            assert searching.around(("fees", version, 0), 1, customer, desk) == []
            assert searching.document("fees", version, lead, desk) is not None

        page.write_text("---\nid: fees\nvisibility: public\n---\n# Fees\n\nA transfer costs nothing.\n")
        add(desk, folder)
        page.unlink()
        (folder / "other.md").write_text("# Other\n\nSomething else.\n")
        add(desk, folder)
        assert searching.document("fees", 4, customer, desk) is None, "what is gone is gone for customers"
        assert "nothing" in str(searching.document("fees", 4, lead, desk))
