"""Nobody changes what was done unseen, not even a superuser; and nobody is accused who changed nothing."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from audit_cases import SECRET, TABLES, audit_on, done, record, superuser
from hypothesis import given
from hypothesis import strategies as st
from journey import NOW, harken, one_of, rows_of

from harken.audit import merkle, note, pins, store
from harken.audit.canonical import NotCanonicalError
from harken.audit.note import BadNoteError, Head, Signer
from harken.audit.rows import AuditEvent
from harken.errors import UnsuitableError
from harken.flow import auditing, sealing
from harken.flow.audit_desk import AuditDesk
from harken.kit import db

HERE = Path(__file__).parent
EVENTS, LATER = 600, 60
Attack = Callable[[psycopg.Connection[Any], AuditDesk], object]


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[AuditDesk]:
    """Sealed in two turns."""
    with audit_on(store_url, tmp_path) as made:
        record(store_url, EVENTS)
        sealing.seal_all(made)
        record(store_url, LATER, EVENTS)
        sealing.seal_all(made)
        yield made


def unpinned(desk: AuditDesk) -> AuditDesk:
    """As somebody sees it who kept no head."""
    return replace(desk, pins=pins.Pins(desk.pins.path.with_name("nothing") / "pins"))


def sql(*statements: str) -> Attack:
    def run(owner: psycopg.Connection[Any], desk: AuditDesk) -> None:
        for each in statements:
            assert owner.execute(each).rowcount != 0, each  # type: ignore[arg-type]

    return run


CUT = tuple(
    f"DELETE FROM {each}"
    for each in (
        f"audit_checkpoint WHERE size > {EVENTS}",
        f"audit_leaf WHERE place >= {EVENTS}",
        f"audit_event WHERE id > {EVENTS}",
    )
)


def rewrite(secret: bytes) -> Attack:
    """One event is changed, and the whole tree made anew and signed."""

    def run(owner: psycopg.Connection[Any], desk: AuditDesk) -> None:
        owner.execute("UPDATE audit_event SET body = '{}' WHERE id = 3")
        grow_anew(owner, Signer(secret), 0)

    return run


def grow_anew(owner: psycopg.Connection[Any], signer: Signer, keep: int) -> None:
    """What lies above the first `keep` leaves is made of the events as they are now, and signed."""
    names = "id, tx::text::bigint, (extract(epoch FROM ts) * 1000000)::bigint, actor, action, body"
    events = [AuditEvent(*row) for row in owner.execute(f"SELECT {names} FROM audit_event ORDER BY tx, id")]  # type: ignore[arg-type]
    heads = owner.execute(
        "SELECT size, epoch, system, horizon::text::bigint FROM audit_checkpoint ORDER BY size"
    ).fetchall()
    for table, column in (
        ("audit_checkpoint", "size"),
        ("audit_node", "(place + 1) << level"),
        ("audit_leaf", "place + 1"),
    ):
        owner.execute(f"DELETE FROM {table} WHERE {column} > {keep}")  # type: ignore[arg-type]
    grown, top = merkle.Growing(), heads[-1]
    for place, event in enumerate(events):
        nodes = list(grown.add(event.hash))
        if place < keep:
            continue
        owner.execute("INSERT INTO audit_leaf VALUES (%s, %s, %s)", (place, event.id, event.hash))
        for node in nodes:
            if node[0] >= 8:
                owner.execute("INSERT INTO audit_node VALUES (%s, %s, %s)", node)
        if grown.size in {size for size, *_ in heads} or grown.size == len(events):
            head = Head(size=grown.size, root=grown.root(), epoch=top[1], system=top[2], horizon=top[3], at=NOW)
            made = (head.size, head.root, head.epoch, head.system, str(head.horizon), signer.signed(head))
            owner.execute("INSERT INTO audit_checkpoint VALUES (%s, %s, %s, %s, %s::xid8, %s)", made)


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


@pytest.mark.parametrize("seed", range(10))
def test_a_clean_run_is_whole(seed: int, store_url: str, tmp_path: Path) -> None:
    """Transactions of all sizes, some undone, some still open while others are sealed."""
    chance = Random(seed)
    written = clean_run(store_url, tmp_path, chance, turns=6)

    with audit_on(store_url, tmp_path) as desk:
        sealing.seal_all(desk)
        found = auditing.verify(desk)

    assert (found.ok, found.problems) == (True, [])
    assert found.events == found.sealed == found.tree_size == written


def clean_run(url: str, home: Path, chance: Random, turns: int) -> int:
    """How many events were committed."""
    written = 0
    with audit_on(url, home) as desk, psycopg.connect(url) as long:
        for _ in range(turns):
            if chance.random() < 0.4:
                long.execute("INSERT INTO audit_event (actor, action, body) VALUES ('x', 'slow.deed', '{}')")
                written += 1
            number = chance.randrange(1, 400)
            record(url, number, written, each=chance.choice([1, 7, 500]))
            written += number
            with psycopg.connect(url) as undone:
                undone.execute("INSERT INTO audit_event (actor, action, body) VALUES ('x', 'no.deed', '{}')")
                undone.rollback()
            if chance.random() < 0.7:
                sealing.seal(desk)
                assert auditing.verify(desk).ok
            if chance.random() < 0.5:
                long.commit()
    return written


@pytest.mark.long
@pytest.mark.usefixtures("_template")
def test_a_hundred_clean_runs_are_whole(postgres_url: str, tmp_path: Path) -> None:
    from conftest import fresh_store  # noqa: PLC0415  a hundred stores, one after the other

    for seed in range(100, 200):
        with fresh_store(postgres_url, "freshly_migrated") as url:
            home = tmp_path / str(seed)
            written = clean_run(url, home, Random(seed), turns=6)
            with audit_on(url, home) as desk:
                sealing.seal_all(desk)
                found = auditing.verify(desk)
            assert (found.ok, found.sealed) == (True, written)


def test_nothing_appears_below_what_is_sealed(store_url: str, tmp_path: Path) -> None:
    """A transaction that began first and ends last holds its own events back, and those that came after it."""
    with audit_on(store_url, tmp_path) as desk:
        with psycopg.connect(store_url) as slow:
            slow.execute("INSERT INTO audit_event (actor, action, body) VALUES ('x', 'slow.deed', '{}')")
            record(store_url, 10)
            assert sealing.seal(desk).events == 0
        assert sealing.seal(desk).events == 11
        assert auditing.verify(desk).ok


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


def test_what_was_undone_is_not_in_the_audit(store_url: str) -> None:
    database = db.Database(store_url, size=1)
    with database.transaction() as tx:
        store.record(tx, *done(1))
        raise psycopg.Rollback
    database.close()

    assert one_of(store_url, "SELECT count(*) FROM audit_event") == 0


def test_a_body_that_is_not_canonical_is_refused(store_url: str) -> None:
    database = db.Database(store_url, size=1)
    with database.transaction() as tx, pytest.raises(NotCanonicalError):
        store.record(tx, "ai", "ticket.noted", {"tweet": 2**60})
    database.close()


def test_a_database_that_lost_events_is_not_sealed_on(desk: AuditDesk, store_url: str) -> None:
    with superuser(store_url) as owner:
        sql(*CUT)(owner, desk)
    record(store_url, 100, 1000)

    with pytest.raises(sealing.BehindPinsError):
        sealing.seal(desk)
    old = sealing.restored(desk, "person:lena")
    sealed = sealing.seal_all(desk)

    assert sealed.tree_size == EVENTS + 101
    assert auditing.verify(desk).ok
    assert auditing.verify(desk, old).problems == [f"the head of {EVENTS + LATER:,} events was pinned and is gone"]
    said = rows_of(store_url, "SELECT actor, body FROM audit_event WHERE action = 'audit.restored'")
    assert said == [{"actor": "person:lena", "body": f'{{"epoch":1,"kept":{EVENTS},"pinned":{EVENTS + LATER}}}'}]


def test_another_server_begins_a_new_epoch(desk: AuditDesk, store_url: str) -> None:
    """Its transactions have smaller numbers than those that are sealed; old events keep theirs."""
    with superuser(store_url) as owner:
        grow = "UPDATE audit_event SET tx = (tx::text::bigint + 4000000000)::text::xid8"
        owner.execute(grow)
        owner.execute(
            "UPDATE audit_checkpoint SET system = '1', horizon = (horizon::text::bigint + 4000000000)::text::xid8"
        )
        seal_anew(owner, desk)
    desk.pins.path.unlink()
    record(store_url, 20, 5000)

    first, second = sealing.seal(desk), sealing.seal(desk)
    record(store_url, 5, 6000)
    third = sealing.seal(desk)

    assert (first.events, second.events, third.events) == (20, 0, 5)
    found = auditing.verify(desk)
    assert (found.ok, found.problems) == (True, [])
    assert rows_of(store_url, "SELECT DISTINCT epoch FROM audit_checkpoint ORDER BY 1") == [{"epoch": 1}, {"epoch": 2}]


def seal_anew(owner: psycopg.Connection[Any], desk: AuditDesk) -> None:
    """As if all of it had been sealed on that other server."""
    grow_anew(owner, desk.signer, 0)


def test_a_crash_before_the_pin_is_made_good(desk: AuditDesk, store_url: str) -> None:
    record(store_url, 5, 2000)
    last = desk.pins.path.read_text()
    sealing.seal(desk)
    desk.pins.path.write_text(last + "harken-audit-half a no")

    sealing.seal(desk)

    assert note.said(desk.pins.last() or "").size == EVENTS + LATER + 5
    assert auditing.verify(desk).ok


@given(st.data())
def test_law_notes_say_what_was_signed(data: st.DataObject) -> None:
    signer = Signer(data.draw(st.binary(min_size=32, max_size=32)))
    head = Head(
        size=data.draw(st.integers(1, 10**18)),
        root=data.draw(st.binary(min_size=32, max_size=32)),
        epoch=data.draw(st.integers(1, 10**8)),
        system=str(data.draw(st.integers(0, 2**63))),
        horizon=data.draw(st.integers(0, 2**64 - 1)),
        at=NOW.replace(microsecond=data.draw(st.integers(0, 999_999))),
    )
    signed = signer.signed(head)
    place = data.draw(st.integers(0, len(signed) - 1))
    spoilt = signed[:place] + chr(ord(signed[place]) ^ 1) + signed[place + 1 :]

    assert signer.public.opened(signed) == head
    assert note.public_key(signer.public.text).opened(signed) == head
    with pytest.raises(BadNoteError):
        signer.public.opened(spoilt)


@pytest.mark.parametrize(
    "text", ["", "a+b", "a+b+c", "harken-audit-0+00+AAAA", Signer(SECRET).public.text.replace("+", "+0", 1)]
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(UnsuitableError):
        note.public_key(text)


def naive(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else merkle.EMPTY
    split = max(2**k for k in range(20) if 2**k < len(leaves))
    return merkle.node_hash(naive(leaves[:split]), naive(leaves[split:]))


LEAVES = [merkle.leaf_hash(str(n).encode()) for n in range(600)]


def node(level: int, place: int) -> bytes:
    return merkle.complete(LEAVES[place << level : (place + 1) << level])


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 64, 255, 256, 257, 600])
def test_the_tree_is_that_of_the_standard(size: int) -> None:
    grown = merkle.Growing()
    for leaf in LEAVES[:size]:
        list(grown.add(leaf))

    assert grown.root() == merkle.over(LEAVES[:size]) == naive(LEAVES[:size])


def test_the_vectors_of_certificate_transparency() -> None:
    """The eight leaves that its implementations share."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [merkle.leaf_hash(bytes.fromhex(each)) for each in inputs]

    assert merkle.over(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.over(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(st.integers(1, 600), st.data())
def test_law_proofs_hold_and_hold_for_nothing_else(size: int, data: st.DataObject) -> None:
    leaf, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root, old_root = merkle.over(LEAVES[:size]), merkle.over(LEAVES[:old])
    included = [merkle.hashed(span, node) for span in merkle.inclusion(leaf, size)]
    added = [merkle.hashed(span, node) for span in merkle.consistency(old, size)]

    assert merkle.is_included(LEAVES[leaf], leaf, size, included, root)
    assert merkle.is_consistent(old, size, added, old_root, root)
    assert not merkle.is_included(LEAVES[leaf - 1], leaf, size, included, root) or size == 1
    assert not merkle.is_included(LEAVES[leaf], leaf, size, [*included, root], root)
    assert not merkle.is_consistent(old, size, added, root, old_root) or old == size


@pytest.mark.parametrize("number", [500, pytest.param(10_000, marks=pytest.mark.long)])
def test_forged_proofs_are_refused(number: int) -> None:
    chance = Random(number)
    accepted = [forged for _ in range(number) for forged in [forge(chance)] if forged]
    assert accepted == []


def forge(chance: Random) -> str | None:
    """A proof that is spoilt in one way, unless that leaves it as it was; None: refused, as it should be."""
    size = chance.randrange(2, 600)
    leaf, root = chance.randrange(size), merkle.over(LEAVES[:size])
    proof = [merkle.hashed(span, node) for span in merkle.inclusion(leaf, size)]
    hashed, way = LEAVES[leaf], chance.randrange(7)
    at, place = chance.randrange(len(proof)), leaf
    if way == 0:
        proof[at] = bytes([proof[at][0] ^ 1 << chance.randrange(8)]) + proof[at][1:]
    elif way == 1:
        del proof[at]
    elif way == 2:
        proof.insert(at, chance.randbytes(32))
    elif way == 3:
        hashed = chance.randbytes(32)
    elif way == 4:
        root = chance.randbytes(32)
    elif way == 5:
        place = (leaf + chance.randrange(1, size)) % size
    else:
        proof[at] = proof[at][: chance.randrange(32)]
    return f"{way} {size} {leaf}" if merkle.is_included(hashed, place, size, proof, root) else None


def verifier(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The program of an export, by a Python that knows nothing of Harken."""
    command = [sys.executable, "-I", "-S", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_program_beside_an_export_needs_nothing_of_ours(desk: AuditDesk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = auditing.export(desk, out)
    program = out / auditing.VERIFIER
    (tmp_path / "proof.json").write_text(json.dumps(auditing.prove(601, desk)))
    proof = ("--proof", tmp_path / "proof.json", "--key", out / auditing.KEY)

    whole, proved = verifier(program, out, "--pinned", desk.pins.path), verifier(program, *proof)

    assert (made.events, made.checkpoints) == (EVENTS + LATER, 2)
    assert (whole.returncode, whole.stdout) == (0, f"OK: {EVENTS + LATER} events, 2 signed checkpoints: whole\n")
    assert (proved.returncode, proved.stdout) == (0, "OK: the event is in the signed tree\n")


@pytest.mark.parametrize("file", [auditing.EVENTS, auditing.NOTES, auditing.KEY, "proof.json"])
def test_the_program_sees_what_was_changed_in_an_export(file: str, desk: AuditDesk, tmp_path: Path) -> None:
    out = tmp_path / "out"
    auditing.export(desk, out)
    (out / "proof.json").write_text(json.dumps(auditing.prove(601, desk)))
    spoilt = out / file
    text = spoilt.read_text("utf-8")
    at = text.index("lena") if "lena" in text else len(text) // 2
    spoilt.write_text(text[:at] + ("M" if text[at] != "M" else "L") + text[at + 1 :], "utf-8")

    proof = ("--proof", out / "proof.json", "--key", out / auditing.KEY)
    arguments = proof if file == "proof.json" else (out, "--pinned", desk.pins.path)
    ended = verifier(out / auditing.VERIFIER, *arguments)

    assert ended.returncode == 1
    assert ended.stdout.startswith("PROBLEM: ")
    assert ended.stderr == ""


def test_an_export_that_was_cut_is_seen_by_its_pins(desk: AuditDesk, store_url: str, tmp_path: Path) -> None:
    with superuser(store_url) as owner:
        sql(*CUT)(owner, desk)
    auditing.export(desk, tmp_path / "out")

    alone = verifier(tmp_path / "out" / auditing.VERIFIER, tmp_path / "out")
    pinned = verifier(tmp_path / "out" / auditing.VERIFIER, tmp_path / "out", "--pinned", desk.pins.path)

    assert alone.returncode == 0
    assert pinned.stdout == f"PROBLEM: a pinned checkpoint is not here: {EVENTS + LATER} events\n"


def test_one_head_is_proved_to_continue_another(desk: AuditDesk) -> None:
    proof = auditing.prove_consistency(EVENTS, EVENTS + LATER, desk)

    assert proof["ok"]
    with pytest.raises(auditing.NotSealedError):
        auditing.prove_consistency(EVENTS - 1, EVENTS, desk)


def test_an_event_that_is_not_sealed_is_not_proved(desk: AuditDesk, store_url: str) -> None:
    record(store_url, 1, 3000)
    with pytest.raises(auditing.NotSealedError):
        auditing.prove(EVENTS + LATER + 1, desk)


@pytest.mark.parametrize(
    ("seconds", "kills", "most"), [(3, 3, 4_000), pytest.param(60, 20, 20_000, marks=pytest.mark.long)]
)
def test_a_sealer_killed_while_others_write_loses_and_doubles_nothing(
    seconds: int, kills: int, most: int, store_url: str, tmp_path: Path
) -> None:
    stop = threading.Event()
    written = [0, 0]

    def write(which: int) -> None:
        database = db.Database(store_url, size=1)
        while not stop.is_set() and written[which] < most:
            with database.transaction() as tx:
                store.records(tx, [done(written[which] + at) for at in range(20)])
            written[which] += 20
        database.close()

    writers = [threading.Thread(target=write, args=(which,)) for which in range(2)]
    for thread in writers:
        thread.start()
    for _ in range(kills):
        kill_a_sealer(store_url, tmp_path, seconds / kills)
    stop.set()
    for thread in writers:
        thread.join()

    with audit_on(store_url, tmp_path) as desk:
        sealing.seal_all(desk)
        found = auditing.verify(desk)
    assert (found.ok, found.problems) == (True, [])
    assert found.sealed == found.events == sum(written) > 0


def kill_a_sealer(url: str, home: Path, within_s: float) -> None:
    """Seals turn after turn in a process of its own until kill -9."""
    process = subprocess.Popen(
        [sys.executable, HERE / "audit_sealer.py", url, home],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"sealing\n"
        time.sleep(within_s)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def test_the_commands_seal_verify_prove_and_export(store_url: str, command_line: None, tmp_path: Path) -> None:
    record(store_url, 300)

    sealed = harken("audit", "seal", "--store", store_url, "--json")
    verified = harken("audit", "verify", "--store", store_url, "--json")
    proof = harken("audit", "prove", 7, "--store", store_url)
    exported = harken("audit", "export", "--out", tmp_path / "out", "--store", store_url, "--json")
    key = harken("audit", "key", "--store", store_url)

    assert sealed.json == {"events": 300, "tree_size": 300}
    assert set(verified.json) == {"events", "sealed", "tree_size", "root", "ok", "problems"}
    assert (verified.code, verified.json["ok"], verified.json["sealed"]) == (0, True, 300)
    assert proof.json["ok"]
    assert exported.json["events"] == 300
    assert (tmp_path / "out" / auditing.KEY).read_text() == key.out
    assert (tmp_path / "home" / "audit" / "signing.key").stat().st_mode & 0o777 == 0o600
    assert harken("audit", "prove", 900, "--store", store_url).refusal.startswith(
        "harken: The audit has no sealed event"
    )
    assert harken("audit", "prove", "--store", store_url).code == 2


def test_the_command_says_what_is_wrong(store_url: str, command_line: None) -> None:
    record(store_url, 30)
    harken("audit", "seal", "--store", store_url)
    with superuser(store_url) as owner:
        owner.execute("UPDATE audit_event SET actor = 'agent:otto' WHERE id = 3")

    told, as_json = (
        harken("audit", "verify", "--store", store_url),
        harken("audit", "verify", "--store", store_url, "--json"),
    )

    assert told.code == as_json.code == 1
    assert "problem: event 3 or its leaf is not as it was sealed" in told.out
    assert as_json.json["problems"] == [
        "event 3 or its leaf is not as it was sealed",
        "the first 30 events are not those that were sealed",
    ]
