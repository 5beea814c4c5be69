"""Files -> schema: once, in order, and under a lock."""

import hashlib
import subprocess
import sys
from importlib import resources
from pathlib import Path

import psycopg
import pytest
from conftest import NOON
from hypothesis import given
from hypothesis import strategies as st

from harken.errors import TryAgainError, UnsuitableError
from harken.kit import migrate as migrations
from harken.kit.clock import stopped_at
from harken.kit.migrate import Migration, migrate, remaining, status

FIRST = "CREATE TABLE word (word text);\nINSERT INTO word VALUES ('100 %');\n"
SECOND = "ALTER TABLE word ADD COLUMN length int;\n"

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first_words.sql").write_text(FIRST)
    (tmp_path / "0002_their_length.sql").write_text(SECOND)
    (tmp_path / "__init__.py").touch()
    return tmp_path


def one(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        [(value,)] = connection.execute(query.encode()).fetchall()
        return value


def test_applies_what_is_pending_in_order_and_once(empty_url: str, folder: Path) -> None:
    later = folder / "0002_their_length.sql"
    text = later.read_text()
    later.unlink()
    assert migrate(empty_url, folder=folder, clock=stopped_at(NOON)) == ["0001_first_words.sql"]
    later.write_text(text)

    assert migrate(empty_url, folder=folder, clock=stopped_at(NOON)) == ["0002_their_length.sql"]
    assert migrate(empty_url, folder=folder) == []

    assert one(empty_url, "SELECT word FROM word") == "100 %"
    assert one(empty_url, "SELECT array_agg(DISTINCT applied_at) FROM schema_migration") == [NOON]


def test_status_looks_and_changes_nothing(empty_url: str, folder: Path) -> None:
    before = status(empty_url, folder=folder)
    assert one(empty_url, TABLES) == 0
    migrate(empty_url, folder=folder)
    after = status(empty_url, folder=folder)

    assert (before.applied, before.pending) == ((), ("0001_first_words.sql", "0002_their_length.sql"))
    assert (after.applied, after.pending) == (before.pending, ())
    assert after.server_version.startswith("18.")
    assert after.pgvector
    assert after.pgvector >= "0.8"


def test_the_shipped_migrations_apply(store_url: str) -> None:
    now = status(store_url)

    assert now.pending == ()
    assert list(now.applied) == [migration.name for migration in migrations.read(migrations.shipped())]


def test_a_library_brings_its_own_schema(empty_url: str, tmp_path: Path) -> None:
    text = (resources.files("procrastinate") / "sql" / "schema.sql").read_bytes()
    line = f"-- include: procrastinate sql/schema.sql {hashlib.sha256(text).hexdigest()}\n"
    (tmp_path / "0001_jobs.sql").write_text(line + "SELECT 1;\n")

    assert migrate(empty_url, folder=tmp_path) == ["0001_jobs.sql"]
    assert one(empty_url, "SELECT count(*) FROM procrastinate_jobs") == 0

    (tmp_path / "0001_jobs.sql").write_text(line.replace(line[-10:-1], "0" * 9))
    with pytest.raises(UnsuitableError, match="another schema"):
        migrate(empty_url, folder=tmp_path)


def test_a_migration_that_fails_leaves_nothing_of_itself(empty_url: str, folder: Path) -> None:
    (folder / "0002_their_length.sql").write_text("CREATE TABLE half (); SELECT nonsense;")

    with pytest.raises(psycopg.errors.UndefinedColumn):
        migrate(empty_url, folder=folder)
    assert status(empty_url, folder=folder).pending == ("0002_their_length.sql",)
    assert one(empty_url, "SELECT to_regclass('half')") is None

    (folder / "0002_their_length.sql").write_text(SECOND)
    assert migrate(empty_url, folder=folder) == ["0002_their_length.sql"]


def test_two_processes_at_once_apply_each_once(empty_url: str, folder: Path) -> None:
    (folder / "0003_slowly.sql").write_text("SELECT pg_sleep(0.5);")
    code = "import sys; from pathlib import Path; from harken.kit.migrate import migrate\n"
    code += "print(migrate(sys.stdin.read(), folder=Path(sys.argv[1])))"
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for process in both:
        assert process.stdin
        process.stdin.write(empty_url)
        process.stdin.close()
        process.stdin = None

    said = sorted(process.communicate()[0].strip() for process in both)

    assert said == ["['0001_first_words.sql', '0002_their_length.sql', '0003_slowly.sql']", "[]"]


def test_a_migration_waits_only_a_moment_for_a_busy_table(empty_url: str, folder: Path) -> None:
    (folder / "0003_busy.sql").write_text("SET LOCAL lock_timeout = '50ms'; ALTER TABLE word ADD COLUMN language text;")
    (folder / "0004_limit.sql").write_text(
        "ALTER TABLE word ADD COLUMN busy text DEFAULT current_setting('lock_timeout');"
    )
    keep = {path.name: path.read_text() for path in folder.glob("000[34]*")}
    for name in keep:
        (folder / name).unlink()
    migrate(empty_url, folder=folder)
    for name, text in keep.items():
        (folder / name).write_text(text)

    with psycopg.connect(empty_url) as busy:
        busy.execute("SELECT * FROM word")
        with pytest.raises(TryAgainError, match=r"0003_busy\.sql waits for a table in use"):
            migrate(empty_url, folder=folder)
    migrate(empty_url, folder=folder)

    assert one(empty_url, "SELECT busy FROM word") == "4s"


def test_more_rights_than_the_login_has_are_named(empty_url: str, folder: Path) -> None:
    (folder / "0003_role.sql").write_text("SET LOCAL ROLE pg_monitor; CREATE ROLE somebody;")

    with pytest.raises(UnsuitableError, match=r"0003_role\.sql needs more rights: permission denied"):
        migrate(empty_url, folder=folder)


@pytest.mark.parametrize(
    ("granted", "said"),
    [
        (
            [],
            "0001_first_tables.sql needs more rights: [^\n]*CREATE ROLE harken_app NOLOGIN; CREATE ROLE harken_sealer",
        ),
        (
            ["harken_app", "harken_sealer"],
            "0005_vault.sql needs more rights: [^\n]*CREATE ROLE harken_librarian NOLOGIN",
        ),
        (
            ["harken_app", "harken_sealer", "harken_librarian"],
            "0006_knowledge.sql needs more rights: [^\n]*once: CREATE EXTENSION vector",
        ),
        (["harken_app", "harken_sealer", "harken_librarian", "vector"], None),
    ],
)
def test_a_login_that_may_make_no_roles_is_told_which(
    store_url: str, empty_url: str, granted: list[str], said: str | None
) -> None:
    """`store_url`: the server has the roles already, so that an administrator's part is to grant them."""
    place = psycopg.conninfo.conninfo_to_dict(empty_url)
    with psycopg.connect(store_url, autocommit=True) as administrator:
        administrator.execute("CREATE ROLE plain LOGIN PASSWORD 'plain' NOSUPERUSER NOCREATEROLE")
        try:
            for role in filter("vector".__ne__, granted):
                administrator.execute(f"GRANT {role} TO plain".encode())
            if "vector" in granted:
                with psycopg.connect(empty_url) as there:
                    there.execute("CREATE EXTENSION vector")
            administrator.execute(f"ALTER DATABASE {place['dbname']} OWNER TO plain".encode())
            url = psycopg.conninfo.make_conninfo(empty_url, user="plain", password="plain")
            if said is None:
                assert migrate(url)[-1] == migrations.read(migrations.shipped())[-1].name
            else:
                with pytest.raises(UnsuitableError, match=said):
                    migrate(url)
        finally:
            administrator.execute(f"ALTER DATABASE {place['dbname']} OWNER TO CURRENT_USER".encode())
            with psycopg.connect(empty_url) as there:
                there.execute("DROP OWNED BY plain; DROP ROLE plain")


def test_a_session_that_is_ended_midway_is_told_in_one_line(empty_url: str, folder: Path) -> None:
    (folder / "0003_gone.sql").write_text("SELECT pg_terminate_backend(pg_backend_pid());")

    with pytest.raises(UnsuitableError, match=r"^The store cannot be used: [^\n]+$"):
        migrate(empty_url, folder=folder)

    assert status(empty_url, folder=folder).pending == ("0003_gone.sql",)


def test_names_out_of_pattern_and_double_numbers_are_refused(tmp_path: Path) -> None:
    (tmp_path / "0001_one.sql").touch()
    (tmp_path / "0001_two.sql").touch()
    with pytest.raises(UnsuitableError, match=r"one number: 0001_one\.sql and 0001_two\.sql"):
        migrations.read(tmp_path)

    (tmp_path / "0001_two.sql").rename(tmp_path / "second.sql")
    with pytest.raises(UnsuitableError, match=r"NNNN_words\.sql: second\.sql"):
        migrations.read(tmp_path)


numbers = st.lists(st.integers(1, 9999), unique=True, min_size=1, max_size=6).map(sorted)


@given(numbers, st.data())
def test_what_remains_follows_what_was_applied(known: list[int], data: st.DataObject) -> None:
    files = [Migration(f"{number:04}_words.sql", str(number).encode()) for number in known]
    cut = data.draw(st.integers(0, len(files)))

    applied = {migration.name: migration.checksum for migration in files[:cut]}

    assert remaining(files, applied) == files[cut:]


def test_a_checkout_with_other_line_ends_is_the_same_migration() -> None:
    assert Migration("a", b"SELECT 1;\r\n").checksum == Migration("a", b"SELECT 1;\n").checksum
