"""The audit, checked from its raw rows; one event of it proved; all of it taken out, to be checked elsewhere.

verify   every event, leaf, subtree and head, and what was pinned -> what is not as it was sealed
prove    one event, or two heads -> hashes that lead to a signed root
export   everything -> files, with a program that checks them without Harken
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from harken.audit import examine, merkle, store
from harken.audit.rows import AuditEvent, Checkpoint
from harken.errors import RefusedError
from harken.flow import pinning
from harken.flow.audit_desk import AuditDesk
from harken.kit import db, observe

EVENTS, NOTES, KEY, VERIFIER = "events.jsonl", "checkpoints.txt", "public_key.txt", "verify_audit.py"


class NotSealedError(RefusedError):
    """There is no such event, or it is not sealed yet."""

    status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """`sealed` events of `events` have a leaf. The names are those of `harken audit verify --json`."""

    events: int
    sealed: int
    tree_size: int
    root: str  #: of the newest head, hexadecimal; empty: nothing was sealed yet
    ok: bool
    problems: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    out: str
    events: int
    checkpoints: int
    files: list[str]


def verify(desk: AuditDesk, pinned: str | Path | None = None) -> Verified:
    """Reads everything. `pinned` is a file or an address; without it, the heads that this machine pinned are compared,
    where it pinned any.
    """
    own = desk.pins.path if desk.pins.path.exists() else None
    kept = pinning.kept(str(pinned or own), desk) if pinned or own else []
    found = examine.Findings()
    with _as_one_moment(desk) as tx:
        heads = store.checkpoints(tx)
        examine.heads(heads, desk.signer.public, found)
        nodes = store.all_nodes(tx)
        grown = examine.leaves(store.all_sealed(tx), nodes, heads, found)
        counts, newest = store.counts(tx), heads[-1] if heads else None
        _whole(tx, counts.leaves, newest, found)
        if next(nodes, None) is not None:
            found.add("there are more subtrees than the leaves make")
    examine.pinned(kept, heads, desk.signer.public, found)
    if found.problems:
        observe.add(observe.AUDIT_FAILURES)
    else:
        desk.pins.verified(desk.clock())
    root = newest.root.hex() if newest else ""
    problems = found.told()
    return Verified(
        events=counts.events, sealed=counts.leaves, tree_size=grown.size, root=root, ok=not problems, problems=problems
    )


def prove(event: int, desk: AuditDesk) -> dict[str, Any]:
    """That this event is in the newest head, and which. Raises NotSealedError."""
    with _as_one_moment(desk) as tx:
        content, sealed, head = store.event(tx, event), store.sealed_at(tx, event), store.newest(tx)
        if content is None or sealed is None or head is None:
            raise NotSealedError(f"The audit has no sealed event {event}. What is new is sealed within seconds.")
        place, leaf = sealed
        hashes = store.proof(tx, merkle.inclusion(place, head.size))
    return {
        "event": event_row(content),
        "leaf": leaf.hex(),
        "leaf_index": place,
        "tree_size": head.size,
        "root": head.root.hex(),
        "proof": [each.hex() for each in hashes],
        "checkpoint": head.note,
        "public_key": desk.signer.public.text,
        "ok": merkle.is_included(content.hash, place, head.size, hashes, head.root),
    }


def prove_consistency(old: int, new: int, desk: AuditDesk) -> dict[str, Any]:
    """That the head of `new` events begins with all that the head of `old` held. Raises NotSealedError."""
    with _as_one_moment(desk) as tx:
        first, second = (_head(tx, size) for size in sorted((old, new)))
        hashes = store.proof(tx, merkle.consistency(first.size, second.size))
    return {
        "old": {"tree_size": first.size, "root": first.root.hex(), "checkpoint": first.note},
        "new": {"tree_size": second.size, "root": second.root.hex(), "checkpoint": second.note},
        "proof": [each.hex() for each in hashes],
        "public_key": desk.signer.public.text,
        "ok": merkle.is_consistent(first.size, second.size, hashes, first.root, second.root),
    }


def export(desk: AuditDesk, out: Path) -> Exported:
    """Sealed events in the order of the tree, heads, the public key, and a program that checks them."""
    out.mkdir(parents=True, exist_ok=True)
    with _as_one_moment(desk) as tx:
        heads = store.checkpoints(tx)
        events = 0
        with (out / EVENTS).open("w", encoding="utf-8", newline="\n") as file:
            for line in _lines(tx):
                file.write(line)
                events += 1
    _write(out / NOTES, "".join(f"{each.note}\n" for each in heads))
    _write(out / KEY, f"{desk.signer.public.text}\n")
    _write(out / VERIFIER, resources.files("harken.audit").joinpath("verifier.py").read_text("utf-8"))
    files = [str(out / name) for name in (EVENTS, NOTES, KEY, VERIFIER)]
    return Exported(out=str(out), events=events, checkpoints=len(heads), files=files)


def event_row(event: AuditEvent) -> dict[str, Any]:
    """Whatever could be read as another number elsewhere is a string."""
    return {
        "id": str(event.id),
        "tx": str(event.tx),
        "at_us": str(event.at_us),
        "actor": event.actor,
        "action": event.action,
        "body": event.body,
    }


@contextmanager
def _as_one_moment(desk: AuditDesk) -> Iterator[db.Tx]:
    """What is written and sealed meanwhile is not seen in part."""
    with desk.database.transaction() as tx:
        store.see_one_moment(tx)
        yield tx


def _lines(tx: db.Tx) -> Iterator[str]:
    for leaf in store.all_sealed(tx):
        row = event_row(leaf.content) if leaf.content else {"id": str(leaf.event), "gone": leaf.hash.hex()}
        yield json.dumps(row, sort_keys=True) + "\n"


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def _head(tx: db.Tx, size: int) -> Checkpoint:
    head = store.checkpoint_of(tx, size)
    if head is None:
        raise NotSealedError(f"No head was ever signed over {size:,} events. `harken audit export` lists all heads.")
    return head


def _whole(tx: db.Tx, leaves: int, newest: Checkpoint | None, found: examine.Findings) -> None:
    """Nothing lies outside the tree that should be in it, nor in it what no head covers."""
    size = newest.size if newest else 0
    if leaves != size:
        found.add(f"there are {leaves:,} leaves and the newest head covers {size:,}")
    for event in store.overlooked(tx, newest.horizon if newest else 0, examine.MOST_PROBLEMS + 1):
        found.add(f"event {event:,} was put in after its time was sealed")
