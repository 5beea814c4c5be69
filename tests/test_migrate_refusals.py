"""A schema is made only on a database that is meant for us; and where it is not, the reason is one line."""

import psycopg
import pytest
from conftest import named
from psycopg.rows import dict_row

from harken.errors import UnsuitableError
from harken.kit import migrate as migrations
from harken.kit.migrate import Migration, Role, migrate, refuse_bypass, remaining


def test_a_changed_a_late_and_an_unknown_migration_are_refused() -> None:
    first, second, third = (Migration(f"000{number}_words.sql", b"SELECT 1;\n") for number in (1, 2, 3))

    with pytest.raises(UnsuitableError, match=r"0001_words\.sql has changed since it was applied"):
        remaining([first], {first.name: "another"})
    with pytest.raises(UnsuitableError, match=r"0002_words\.sql comes too late: 0003_words\.sql has been"):
        remaining([first, second, third], {first.name: first.checksum, third.name: third.checksum})
    with pytest.raises(UnsuitableError, match=r"made by a newer version of Harken: it has 0003_words\.sql"):
        remaining([first], {name.name: name.checksum for name in (first, second, third)})


@pytest.mark.parametrize(
    ("number", "version", "pgvector", "because"),
    [
        (150018, "15.18", "0.8.5", r"PostgreSQL 15\.18; Harken needs 16"),
        (160000, "16.0", None, "no pgvector"),
        (180004, "18.4", "0.7.4", r"pgvector 0\.7\.4; Harken needs 0\.8"),
    ],
)
def test_too_old_a_server_is_refused(number: int, version: str, pgvector: str | None, because: str) -> None:
    with pytest.raises(UnsuitableError, match=because):
        migrations.refuse_server(number, version, pgvector)


def test_new_enough_a_server_is_not() -> None:
    migrations.refuse_server(160000, "16.0", "0.8.0")
    migrations.refuse_server(190000, "19beta1", "0.10")


@pytest.mark.parametrize(
    ("change", "because"),
    [
        ({"password": "guessed-wrong"}, "password authentication failed"),
        ({"dbname": "nowhere"}, 'database "nowhere" does not exist'),
        ({"port": "1"}, "refused"),
        ({"host": "127.0.0.1", "port": "1", "dbname": "a?connect_timeout=3"}, "refused"),
    ],
)
def test_a_store_that_cannot_be_reached_is_told_in_one_line_without_the_password(
    postgres_url: str, change: dict[str, str], because: str
) -> None:
    url = named(postgres_url, **{"database": "harken", **change})  # type: ignore[arg-type]

    with pytest.raises(UnsuitableError, match=f"^The store cannot be used: [^\n]*{because}[^\n]*$") as told:
        migrate(url)

    assert psycopg.conninfo.conninfo_to_dict(url)["password"] not in str(told.value)
    assert told.value.__cause__ is None


def test_a_url_that_is_none_is_not_repeated() -> None:
    with pytest.raises(UnsuitableError, match="cannot be read") as told:
        migrate("postgresql+driver://owner:secret@somewhere/name")

    assert "secret" not in str(told.value)


def test_the_owner_may_not_serve_but_the_serving_role_may(store_url: str) -> None:
    with psycopg.connect(store_url, row_factory=dict_row) as connection:
        with pytest.raises(UnsuitableError, match="'owner' is a superuser"):
            refuse_bypass(connection)
        connection.execute("SET ROLE harken_app")
        refuse_bypass(connection)

        assert migrations.effective_role(connection) == Role("harken_app", False, False, False)


def test_each_way_around_row_level_security_is_refused(empty_url: str) -> None:
    with psycopg.connect(empty_url) as connection:
        connection.execute("CREATE ROLE sees_all BYPASSRLS")
        connection.execute("CREATE ROLE owns_one")
        connection.execute("CREATE TABLE secret ()")
        connection.execute("ALTER TABLE secret ENABLE ROW LEVEL SECURITY")
        connection.execute("ALTER TABLE secret OWNER TO owns_one")
        for role, way in (("sees_all", "has BYPASSRLS"), ("owns_one", "owns tables")):
            connection.execute(f"SET ROLE {role}".encode())
            with pytest.raises(UnsuitableError, match=f"{role!r} {way}"):
                refuse_bypass(connection)
            connection.execute("RESET ROLE")
        connection.execute("ALTER TABLE secret FORCE ROW LEVEL SECURITY")
        connection.execute("SET ROLE owns_one")
        refuse_bypass(connection)
        connection.rollback()
