"""A record -> the same answer made again by the code as it is now, and the first field in which it differs.

What nobody can work out again is taken from the record: what was looked at, what the clock said, what a model wrote. Everything
else runs: the rules, the offline writer, the checks around a model's words, the guard.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from harken.audit import canonical, codec
from harken.audit import store as audit
from harken.audit.canonical import NotCanonicalError
from harken.audit.records import parts, store
from harken.audit.records.parts import Parts
from harken.audit.records.store import Owner, Record
from harken.decide import policy as policies
from harken.decide.errors import PolicyError
from harken.domain.decision import Advice
from harken.errors import RefusedError
from harken.flow import readying
from harken.flow.ports import Progress
from harken.flow.recording import ACTION, RecordId
from harken.flow.replay_desk import ReplayDesk
from harken.flow.think import think
from harken.kit import db, observe
from harken.privacy.audited import customer_token
from harken.privacy.keys import WrongKeyError
from harken.privacy.ring import KeyRing
from harken.privacy.sealing import ErasedError


class UnknownRecordError(RefusedError):
    """There is no such record."""

    status = 404


class Result(StrEnum):
    MATCH = "match"
    MISMATCH = "mismatch"
    INCOMPLETE = "incomplete"  #: something that is needed is gone; nothing is said against the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    id: RecordId
    result: Result
    field: str = ""  #: of the manifest, the first that differs: `draft`, `profile.position`
    reason: str = ""  #: why it is incomplete: `erased`


class _GoneError(Exception):
    """Something that the record names is not there."""


class _LostError(Exception):
    """This field's sealed text is not there."""


class _ChangedError(Exception):
    """This field's sealed text is not as it was written."""


async def replay(tx: db.Tx, record: RecordId, desk: ReplayDesk) -> Replayed:
    """Raises UnknownRecordError."""
    found = store.read(tx, record)
    if found is None:
        raise UnknownRecordError(f"There is no record {record}.")
    try:
        difference = await _difference(tx, found, desk)
        result = Result.MISMATCH if difference else Result.MATCH
        replayed = Replayed(id=record, result=result, field=difference or "")
    except ErasedError:
        replayed = Replayed(id=record, result=Result.INCOMPLETE, reason="erased")
    except _GoneError as gone:
        replayed = Replayed(id=record, result=Result.INCOMPLETE, reason=str(gone))
    observe.add(observe.REPLAYS, result=replayed.result)
    return replayed


def parts_of(tx: db.Tx, record: Record, desk: ReplayDesk) -> Parts | None:
    """What an answer was made of; None where it can no longer be read: erased, lost or changed. Replaying says which."""
    try:
        return _opened(tx, canonical.read(record.manifest), desk)[1]
    except (ErasedError, NotCanonicalError, _ChangedError, _LostError):
        return None


async def _difference(tx: db.Tx, record: Record, desk: ReplayDesk) -> str | None:
    """The first field in which the record is not what was recorded, or the answer not what is made now."""
    try:
        kept = canonical.read(record.manifest)
        owner, recorded = _opened(tx, kept, desk)
    except NotCanonicalError:
        return "manifest"
    except _ChangedError as changed:
        return str(changed)
    except _LostError as lost:
        if not _in_the_audit(tx, record):
            return str(lost)
        raise _GoneError(f"{lost} is not there any more") from None
    ring = KeyRing(desk.master)
    written, token = dict(parts.texts(recorded)), customer_token(desk.master, owner.subject)
    again = parts.manifest(recorded, written, token, lambda text: store.digest(ring, owner, text))
    tampered = parts.first_difference(kept, json.loads(canonical.text(again))) or _beside(tx, record, recorded)
    return tampered or await _made_again(tx, recorded, desk)


def _opened(tx: db.Tx, kept: Mapping[str, Any], desk: ReplayDesk) -> tuple[Owner, Parts]:
    """What the manifest names. Raises _ChangedError and _LostError with a field's name, ErasedError."""
    digests = dict(_digests(kept))
    ring = KeyRing(desk.master)
    try:
        texts = store.blobs(tx, ring, list(digests.values()))
    except WrongKeyError:
        raise _ChangedError(_unreadable(tx, ring, digests)) from None
    if lost := next((name for name, digest in digests.items() if digest not in texts), None):
        raise _LostError(lost) if texts else ErasedError
    owner = store.owner(tx, digests["context"])
    if owner is None:
        raise ErasedError
    return owner, parts.assembled(kept, texts.__getitem__)


def _digests(kept: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every sealed text that a manifest names. Raises NotCanonicalError where it is no manifest."""
    try:
        yield from (("around", kept["around"]), ("context", kept["context"]))
        yield from (("decision.digest", kept["decision"]["digest"]), ("draft", kept["draft"]))
        if kept["verdict"]:
            yield "verdict", kept["verdict"]
        for place, each in enumerate(kept["exchanges"]):
            yield f"exchanges.{place}.digest", each["digest"]
    except (KeyError, TypeError):
        raise NotCanonicalError from None


def _unreadable(tx: db.Tx, ring: KeyRing, digests: Mapping[str, str]) -> str:
    for name, digest in digests.items():
        try:
            store.blobs(tx, ring, [digest])
        except WrongKeyError:
            return name
    return "manifest"


def _beside(tx: db.Tx, record: Record, recorded: Parts) -> str | None:
    """What stands beside the manifest: the row's own columns, and the audit's event."""
    if record.ticket != recorded.around.ticket:
        return "ticket"
    if record.at != recorded.context.now:
        return "at"
    return None if _in_the_audit(tx, record) else "audit"


def _in_the_audit(tx: db.Tx, record: Record) -> bool:
    """Whether this very manifest was recorded."""
    event = audit.event(tx, record.event)
    said = json.loads(event.body).get("record") if event and event.action == ACTION else None
    return said == record.id == parts.record_id(record.manifest)


async def _made_again(tx: db.Tx, recorded: Parts, desk: ReplayDesk) -> str | None:
    around = recorded.around
    files = [around.policy, around.guard] if around.guard else [around.policy]
    texts = store.texts(tx, [each.sha256 for each in files])
    for name, each in zip(("policy", "guard"), files, strict=False):
        if each.sha256 not in texts:
            raise _GoneError(f"the text of the {name} is not there any more")
        if canonical.digest(texts[each.sha256]).hex() != each.sha256:
            return f"{name}.sha256"
    try:
        policy = policies.of_text(texts[around.policy.sha256])
    except PolicyError:
        return "policy"
    try:
        if desk.prepared and await readying.differs(recorded.context, desk.prepared):
            return "context"
        guard = texts[around.guard.sha256] if around.guard else None
        made = await think(recorded.context, policy, desk.writer(recorded.draft, guard))
    except RefusedError:
        return "exchanges"
    return _first(recorded, made) or _judged_again(recorded, texts, desk)


def _first(recorded: Parts, made: Advice) -> str | None:
    """What a call cost and why it was made are not made again."""
    before = recorded.draft
    draft = replace(made.draft, usage=before.usage, notes=before.notes, exchanges=before.exchanges)
    return _in(recorded.decision, made.decision, "decision") or _in(before, draft, "draft")


def _judged_again(recorded: Parts, texts: Mapping[str, str], desk: ReplayDesk) -> str | None:
    guard = recorded.around.guard
    if recorded.verdict is None or guard is None:
        return None
    if desk.judge is None:
        raise _GoneError("there is no guard here")
    verdict = desk.judge(recorded.advice, recorded.context, texts[guard.sha256])
    return _in(recorded.verdict, verdict, "verdict")


def _in(before: object, now: object, name: str) -> str | None:
    return parts.first_difference(json.loads(codec.encode(before)), json.loads(codec.encode(now)), name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a run came to. The names are those of `harken replay --json`."""

    replayed: int
    match: int
    mismatch: list[dict[str, str]]  #: id, field
    incomplete: list[dict[str, str]]  #: id, reason


async def replay_all(records: Sequence[RecordId] | None, desk: ReplayDesk, progress: Progress) -> Tally:
    """These records (the first digits of an id are enough where no other begins so), or all. Raises UnknownRecordError."""
    match, mismatch, incomplete = 0, [], []
    with desk.database.transaction() as tx:
        asked = list(store.ids(tx)) if records is None else [_whole(tx, each) for each in records]
    progress.step("replaying", len(asked))
    for record in asked:
        with desk.database.transaction() as tx:
            replayed = await replay(tx, RecordId(record), desk)
        match += replayed.result is Result.MATCH
        if replayed.result is Result.MISMATCH:
            mismatch.append({"id": record, "field": replayed.field})
        if replayed.result is Result.INCOMPLETE:
            incomplete.append({"id": record, "reason": replayed.reason})
        progress.advance(1)
    return Tally(replayed=len(asked), match=match, mismatch=mismatch, incomplete=incomplete)


def _whole(tx: db.Tx, beginning: RecordId) -> RecordId:
    found = store.named(tx, beginning.removesuffix("…").lower())
    if len(found) > 1:
        raise UnknownRecordError(f"Several records begin with {beginning}: give more of the id.")
    return RecordId(found[0]) if found else beginning
