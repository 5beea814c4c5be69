"""An answer and all that it was made of -> a record, sealed with the customer's key, whose digest stands in the audit.

In the transaction of the answer itself: either both are there or neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType, Protocol

from harken.audit import canonical
from harken.audit import store as audit
from harken.audit.records import parts, store
from harken.audit.records.parts import Around, Asker, Parts, Ruled
from harken.audit.records.store import Owner, Record
from harken.domain.decision import Advice, Context
from harken.domain.ids import EventId
from harken.domain.verdict import Verdict
from harken.kit import db
from harken.kit.code import code
from harken.privacy import store as privacy
from harken.privacy.audited import customer_token
from harken.privacy.keys import MasterKey
from harken.privacy.ring import KeyRing

RecordId = NewType("RecordId", str)
"""SHA-256 of the manifest, hexadecimal."""

ACTION = "answer.recorded"


class HasText(Protocol):
    """A policy, or the rules of the guard: what was read of the organisation's own file, and its version."""

    @property
    def version(self) -> str: ...

    @property
    def text(self) -> str: ...


class RecordingDesk(Protocol):
    """Whoever keeps records has the master key at hand: any desk of ours."""

    @property
    def master(self) -> MasterKey: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """An answer as it was thought: `advice` as the writer gave it, `verdict` as the guard did."""

    ticket: str
    event: EventId  #: the message that is answered
    position: int  #: of that event in the log
    context: Context
    advice: Advice
    policy: HasText
    verdict: Verdict | None = None  #: None where nobody judged, as in a batch
    guard: HasText | None = None
    reader: Asker = field(default_factory=Asker)
    library: str = ""  #: version of the knowledge
    embedder: str = ""
    experiment: str = ""
    clock: Mapping[str, datetime] = field(default_factory=dict)  #: what else was read of a clock, by what for


def keep(tx: db.Tx, made: Made, desk: RecordingDesk, actor: str = "ai") -> RecordId:
    """Keep it once: an answer that is kept already changes nothing. Raises NotCanonicalError for what no record can hold."""
    owner = _owner(tx, made, desk.master)
    ring, whole = KeyRing(desk.master), _parts(made)

    def digest(text: str) -> str:
        return store.digest(ring, owner, text)

    written = dict(parts.texts(whole))
    manifest = parts.manifest(whole, written, customer_token(desk.master, owner.subject), digest)
    text = canonical.text(manifest)
    record = parts.record_id(text)
    if store.is_kept(tx, record):
        return RecordId(record)
    store.keep_blobs(tx, ring, owner, {digest(each): each for each in written.values()})
    store.keep_texts(tx, _own_texts(made))
    event = audit.record_one(tx, actor, ACTION, _said(record, made, manifest))
    store.keep(tx, Record(id=record, ticket=made.ticket, at=made.context.now, event=event, manifest=text))
    return RecordId(record)


def _owner(tx: db.Tx, made: Made, master: MasterKey) -> Owner:
    """The customer; the thread while nobody knows them."""
    conversation = made.context.conversation
    subject = conversation.identity or conversation.thread
    return Owner(subject, privacy.keys(tx, master, [subject])[subject])


def _parts(made: Made) -> Parts:
    around = Around(
        ticket=made.ticket,
        event=made.event,
        position=made.position,
        policy=_ruled(made.policy),
        guard=_ruled(made.guard) if made.guard else None,
        reader=made.reader,
        library=made.library,
        embedder=made.embedder,
        experiment=made.experiment,
        clock={"now": made.context.now, **made.clock},
        code=code(),
    )
    advice = made.advice
    return Parts(
        around=around, context=made.context, decision=advice.decision, draft=advice.draft, verdict=made.verdict
    )


def _ruled(file: HasText) -> Ruled:
    return Ruled(version=file.version, sha256=canonical.digest(file.text).hex())


def _own_texts(made: Made) -> dict[str, str]:
    return {canonical.digest(each.text).hex(): each.text for each in (made.policy, made.guard) if each}


def _said(record: str, made: Made, manifest: Mapping[str, canonical.Plain]) -> dict[str, canonical.Plain]:
    """What people look for in the audit, and the digest that holds all the rest."""
    decision = made.advice.decision
    return {
        "record": record,
        "ticket": made.ticket,
        "customer": manifest["customer"],
        "decision": decision.id,
        "rule": decision.rule,
        "action": decision.action,
        "mode": made.advice.draft.mode,
        "outcome": manifest["outcome"],
        "reasons": list(made.verdict.reasons) if made.verdict else [],
    }
