"""Nobody changes what was done unseen, not even a superuser; whoever serves can add to it and nothing else."""

from dataclasses import replace
from typing import Any

import psycopg
import pytest
from audit_cases import CUT, EVENTS, SECRET, TABLES, Attack, grow_anew, record, sealed_in_two_turns, sql, superuser  # noqa: F401  a fixture among them

from harken.audit import pins
from harken.audit.note import Signer
from harken.flow import auditing
from harken.flow.audit_desk import AuditDesk


def unpinned(desk: AuditDesk) -> AuditDesk:
    """As somebody sees it who kept no head."""
    return replace(desk, pins=pins.Pins(desk.pins.path.with_name("nothing") / "pins"))


def rewrite(secret: bytes) -> Attack:
    """One event is changed, and the whole tree made anew and signed."""

    def run(owner: psycopg.Connection[Any], desk: AuditDesk) -> None:
        owner.execute("UPDATE audit_event SET body = '{}' WHERE id = 3")
        grow_anew(owner, Signer(secret), 0)

    return run


def fork(owner: psycopg.Connection[Any], desk: AuditDesk) -> None:
    """An older backup is put back, other things are done on it, and signed with the only key that is at hand."""
    sql(*CUT)(owner, desk)
    owner.execute(
        "INSERT INTO audit_event (actor, action, body) SELECT 'x', 'other.deed', '{}' FROM generate_series(1, 9)"
    )
    grow_anew(owner, Signer(bytes(32)), EVENTS)


SWAP = (
    "UPDATE audit_leaf SET place = -1 WHERE place = 5",
    "UPDATE audit_leaf SET place = 5 WHERE place = 6",
    "UPDATE audit_leaf SET place = 6 WHERE place = -1",
)
FORGED = (
    "INSERT INTO audit_event (tx, actor, action, body) VALUES ((SELECT min(tx) FROM audit_event), 'x', 'forged', '{}')"
)
ATTACKS: dict[str, Attack] = {
    "a body is edited": sql("UPDATE audit_event SET body = '{\"place\":7}' WHERE id = 3"),
    "an actor is edited": sql("UPDATE audit_event SET actor = 'agent:otto' WHERE id = 3"),
    "a time is edited by a microsecond": sql("UPDATE audit_event SET ts = ts + interval '1 microsecond' WHERE id = 3"),
    "an event is deleted": sql("DELETE FROM audit_event WHERE id = 3"),
    "an event and its leaf are deleted": sql(
        "DELETE FROM audit_leaf WHERE event = 3", "DELETE FROM audit_event WHERE id = 3"
    ),
    "an event is put in below what is sealed": sql(FORGED),
    "two leaves are swapped": sql(*SWAP),
    "a leaf is edited": sql("UPDATE audit_leaf SET hash = sha256(hash) WHERE place = 5"),
    "a root is edited": sql(f"UPDATE audit_checkpoint SET root = sha256(root) WHERE size = {EVENTS}"),
    "the newest head is deleted": sql(f"DELETE FROM audit_checkpoint WHERE size > {EVENTS}"),
    "all after a moment is cut off": sql(*CUT),
    "all is rewritten without the key": rewrite(bytes(32)),
    "all is rewritten with the stolen key": rewrite(SECRET),
    "an older backup is put back and goes on": fork,
}
ONLY_BY_PINS = {"all after a moment is cut off", "all is rewritten with the stolen key"}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_superuser_changes_nothing_unseen(attack: str, desk: AuditDesk, store_url: str) -> None:
    with superuser(store_url) as owner:
        ATTACKS[attack](owner, desk)

    with_pins, without = auditing.verify(desk), auditing.verify(unpinned(desk))

    assert not with_pins.ok, attack
    assert with_pins.problems
    assert without.ok == (attack in ONLY_BY_PINS)


def test_there_are_fourteen_attacks() -> None:
    assert len(ATTACKS) == 14


def test_a_kept_subtree_that_was_edited_is_seen(desk: AuditDesk, store_url: str) -> None:
    with superuser(store_url) as owner:
        sql("UPDATE audit_node SET hash = sha256(hash) WHERE place = 1")(owner, desk)

    assert not auditing.verify(unpinned(desk)).ok
    assert not auditing.prove(3, desk)["ok"]


def test_a_pin_that_was_edited_is_seen(desk: AuditDesk) -> None:
    desk.pins.path.write_text(desk.pins.path.read_text().replace(f"\n{EVENTS}\n", f"\n{EVENTS - 1}\n"))

    assert auditing.verify(desk).problems == ["a pinned head: This note's signature does not fit what it says."]


def test_whoever_serves_can_add_and_nothing_else(store_url: str) -> None:
    record(store_url, 3)
    refused = [
        "UPDATE audit_event SET body = '{}'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event CASCADE",
        "INSERT INTO audit_event (id, actor, action, body) OVERRIDING SYSTEM VALUE VALUES (9, 'x', 'a', '{}')",
        "INSERT INTO audit_event (tx, actor, action, body) VALUES ('1', 'x', 'a', '{}')",
        "INSERT INTO audit_event (ts, actor, action, body) VALUES (now(), 'x', 'a', '{}')",
        "INSERT INTO audit_leaf VALUES (0, 1, sha256(''))",
        "INSERT INTO audit_node VALUES (8, 0, sha256(''))",
        "INSERT INTO audit_checkpoint SELECT 1, sha256(''), 1, '1', '1', 'x'",
        "UPDATE answer_record SET ticket = 'x'",
        "DELETE FROM record_blob",
    ]
    with psycopg.connect(store_url, autocommit=True) as served:
        served.execute("SET ROLE harken_app")
        for statement in refused:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                served.execute(statement)  # type: ignore[arg-type]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_not_even_the_owner_changes_it_by_accident(table: str, statement: str, desk: AuditDesk, store_url: str) -> None:
    column = {"audit_event": "actor", "audit_checkpoint": "note"}.get(table, "hash")
    with (
        psycopg.connect(store_url, autocommit=True) as owner,
        pytest.raises(psycopg.errors.RaiseException, match="only grows"),
    ):
        owner.execute(statement.format(table, column, column))  # type: ignore[arg-type]
