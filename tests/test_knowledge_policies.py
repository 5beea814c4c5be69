"""Below the search: without a reader's settings a connection sees no row, and the serving role goes past no policy."""

import psycopg
import pytest
from benchmarks.canaries import ASKERS, CELLS
from journey import one_of, rows_of
from rights_cases import full_library, full_library_url  # noqa: F401  fixtures

from harken.flow.library_desk import LibraryDesk
from harken.kit import db
from harken.knowledge import store
from harken.knowledge.access import Reader

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
