"""Documents' personal data: a random token in the text, a sealed value in the vault, and nobody but the librarian at it."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from journey import MASTER

from harken.errors import UnsuitableError
from harken.kit import db
from harken.privacy import store, tokens, vault
from harken.privacy.keys import MasterKey, WrongKeyError, new_key, wrap
from harken.privacy.ring import KeyRing
from harken.privacy.scanner import PersonalKind, scan
from harken.privacy.tokens import Pseudonyms, Secret, strip

ADA, BO = Secret("EMAIL", "ada@example.org"), Secret("EMAIL", "bo@example.org")
TEXT = "Ask ada@example.org or 415-555-2671, never [EMAIL_7kq3aaaabbbbcccc] or [EMAIL_1]."


@pytest.fixture
def library(store_url: str) -> Iterator[db.Database]:
    database = db.Database(store_url, role=db.LIBRARIAN_ROLE)
    yield database
    database.close()


def keep(library: db.Database, subject: str, *secrets: Secret, master: MasterKey = MASTER) -> dict[Secret, str]:
    with library.transaction() as tx:
        return store.keep(tx, master, subject, secrets)


def opened(library: db.Database, *asked: str, master: MasterKey = MASTER) -> dict[str, str]:
    with library.transaction() as tx:
        return store.opened(tx, master, asked)


def as_owner(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())


def test_a_document_is_hidden_kept_and_opened_again(library: db.Database) -> None:
    found = scan(TEXT)
    secrets = vault.secrets(TEXT, found)
    given_out = keep(library, "document:1", *secrets)
    hidden = vault.hide(TEXT, found, given_out)

    assert [secret.kind for secret in secrets] == ["EMAIL", "PHONE", "LITERAL", "LITERAL"]
    assert re.fullmatch(
        r"Ask \[EMAIL_[a-z2-7]{16}\] or \[PHONE_[a-z2-7]{16}\], never \[LITERAL_[a-z2-7]{16}\] or \[LITERAL_[a-z2-7]{16}\]\.",
        hidden,
    )
    values = opened(library, *tokens.TOKEN.findall(hidden))
    assert tokens.reveal(hidden, Pseudonyms(values)) == TEXT
    assert vault.hide(hidden, scan(hidden), {}) == hidden


def test_the_same_value_of_the_same_subject_has_the_same_token(library: db.Database) -> None:
    first = keep(library, "document:1", ADA, BO)
    again = keep(library, "document:1", BO, Secret("NAME", ADA.value), ADA)
    other = keep(library, "document:2", ADA)

    assert first.items() <= again.items()
    assert len({*again.values(), *other.values()}) == 4
    assert keep(library, "document:1") == {}


def test_two_that_keep_the_same_at_once_get_the_same_tokens(library: db.Database) -> None:
    secrets = [Secret("EMAIL", f"{number}@example.org") for number in range(50)]
    with ThreadPoolExecutor(8) as pool:
        orders = [secrets, secrets[::-1]] * 8
        given_out = list(pool.map(lambda order: keep(library, "document:1", *order), orders))

    assert all(each == given_out[0] for each in given_out)
    assert len(set(given_out[0].values())) == 50


def test_a_text_cannot_name_anothers_token(library: db.Database) -> None:
    [stolen] = keep(library, "document:1", ADA).values()
    text = f"What is {stolen}?"
    secrets = vault.secrets(text, scan(text))
    hidden = vault.hide(text, scan(text), keep(library, "document:2", *secrets))

    assert stolen not in hidden
    assert tokens.reveal(hidden, Pseudonyms(opened(library, *tokens.TOKEN.findall(hidden)))) == text


def test_a_token_stays_a_token_once_its_key_is_gone(library: db.Database, store_url: str) -> None:
    [gone], [kept] = keep(library, "document:1", ADA).values(), keep(library, "document:2", BO).values()
    as_owner(store_url, "DELETE FROM subject_key WHERE subject = 'document:1'")
    assert opened(library, gone, kept, "[EMAIL_aaaaaaaaaaaaaaaa]") == {kept: BO.value}

    [new] = keep(library, "document:1", ADA).values()

    assert new != gone
    assert opened(library, gone, new) == {new: ADA.value}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE vault SET sealed = (SELECT sealed FROM vault WHERE subject = 'document:2') WHERE subject = 'document:1'",
        "UPDATE vault SET token = replace(token, 'EMAIL', 'PHONE') WHERE subject = 'document:1'",
        "UPDATE vault SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)",
    ],
)
def test_a_row_that_was_moved_or_changed_is_noticed(library: db.Database, store_url: str, change: str) -> None:
    keep(library, "document:1", ADA)
    keep(library, "document:2", BO)
    as_owner(store_url, change)
    with library.transaction() as tx:
        [(asked,)] = [
            tuple(row.values()) for row in db.rows(tx, "SELECT token FROM vault WHERE subject = 'document:1'")
        ]

    with pytest.raises(WrongKeyError):
        opened(library, asked)


def test_another_master_key_opens_nothing(library: db.Database) -> None:
    [token] = keep(library, "document:1", ADA).values()
    with pytest.raises(WrongKeyError):
        opened(library, token, master=MasterKey(bytes(32)))


def test_the_database_holds_no_value(library: db.Database, store_url: str) -> None:
    keep(library, "document:1", ADA)
    with psycopg.connect(store_url) as connection:
        [(row,)] = connection.execute("SELECT vault::text FROM vault").fetchall()
    assert "ada" not in row
    assert ADA.value.encode().hex() not in row


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("harken_app", "SELECT token FROM vault"),
        ("harken_app", "INSERT INTO vault VALUES ('[A_1]', 's', '', '', '')"),
        ("harken_sealer", "SELECT token FROM vault"),
        ("harken_librarian", "UPDATE vault SET subject = 'x'"),
        ("harken_librarian", "DELETE FROM vault"),
        ("harken_librarian", "DELETE FROM subject_key"),
        ("harken_librarian", "SELECT id FROM event"),
    ],
)
def test_each_role_may_do_its_own_work_only(store_url: str, role: str, statement: str) -> None:
    with psycopg.connect(store_url) as connection:
        connection.execute(f"SET ROLE {role}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


def test_a_right_alone_shows_nobody_else_a_row(library: db.Database, store_url: str) -> None:
    """The policy names the librarian, so a grant too many is not yet a leak; it holds for the table's owner as well."""
    keep(library, "document:1", ADA)
    with psycopg.connect(store_url) as connection:
        connection.execute("GRANT SELECT ON vault TO harken_app; SET ROLE harken_app")
        assert connection.execute("SELECT token FROM vault").fetchall() == []
        [flags] = connection.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = 'vault'"
        ).fetchall()
        connection.rollback()
    assert flags == (True, True)


def test_the_librarian_serves_without_its_logins_powers(library: db.Database, store_url: str) -> None:
    with library.transaction() as tx:
        assert db.row(tx, "SELECT current_user::text AS name") == {"name": "harken_librarian"}
    owner = db.Database(store_url, role="pg_database_owner")
    as_owner(store_url, "ALTER TABLE vault OWNER TO pg_database_owner; ALTER TABLE vault NO FORCE ROW LEVEL SECURITY")
    with pytest.raises(UnsuitableError, match="owns tables"), owner.transaction():
        pass
    owner.close()


def test_what_is_made_public_has_kinds_only() -> None:
    assert strip("[EMAIL_7kq3aaaabbbbcccc] and [DATE_OF_BIRTH_2] but [EMAIL] [sic]") == (
        "[EMAIL] and [DATE_OF_BIRTH] but [EMAIL] [sic]"
    )


@given(st.sampled_from(PersonalKind), st.text(max_size=40) | st.just("\ud800"), st.text(max_size=10))
def test_every_value_comes_back_and_its_token_is_recognised(kind: PersonalKind, value: str, subject: str) -> None:
    ring, owner = KeyRing(MASTER), vault.Owner(subject, wrap(MASTER, subject, new_key()))
    secret = Secret(kind, value)
    row, again = vault.row(ring, owner, secret), vault.row(ring, owner, secret)

    assert vault.value(ring, owner, row.token, row.sealed) == value
    assert tokens.TOKEN.fullmatch(row.token)
    assert strip(row.token) == f"[{kind}]"
    assert row.fingerprint == again.fingerprint
    assert row.token != again.token
