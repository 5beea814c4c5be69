"""A customer and a time -> what they were told, and why: the question, the facts, the passages, the rules, the guard's verdict,
the proof that none of it was changed since, and whether the same would be made of it again.

Whoever asks leaves a line in the audit, as whoever looks through a door does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harken.audit.records import store
from harken.audit.records.parts import Parts
from harken.audit.records.store import Record
from harken.domain.ticket import OwnerType
from harken.errors import RefusedError, UnsuitableError
from harken.flow import auditing, looking, replaying, ticket_turns
from harken.flow.audit_desk import AuditDesk
from harken.flow.desk import Desk
from harken.flow.recording import RecordId
from harken.flow.replay_desk import ReplayDesk
from harken.flow.ticket_desk import TicketDesk
from harken.flow.ticket_turns import Message

MOST = 50
"""Answers of one question: ask for a shorter time."""

MOST_DAYS = 20
COMMAND = "harken audit why"


class NothingToldError(RefusedError):
    """No answer to this customer is on record for that time."""

    status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """One answer. The names are those of `harken audit why --json`."""

    record: str
    ticket: str
    ticket_number: int
    at: datetime
    asked: str  #: the customer's message; empty where it can no longer be read
    told: list[dict[str, Any]]  #: what followed it until they wrote again, and who said it
    decision: dict[str, Any]
    passages: list[dict[str, Any]]  #: in their places; `cited`: the words rest on it
    guard: dict[str, Any]
    made_by: dict[str, Any]  #: who worded it, under which versions, with what code
    proof: dict[str, Any]
    replay: dict[str, str]


async def why(customer: str, since: datetime, until: datetime, desk: Desk) -> list[Why]:
    """Raises NothingToldError, which says when there was something; UnsuitableError on a store without an audit."""
    if desk.tickets is None or desk.open_audit is None or desk.open_replay is None:
        raise UnsuitableError("Answers are recorded in PostgreSQL only.")
    tickets, replays = desk.tickets, desk.open_replay()
    identities = ticket_turns.identities_of(customer, tickets)
    with tickets.live.database.transaction() as tx:
        tokens = looking.record(tx, desk.who, COMMAND, identities, replays.master)
        found = store.of_customers(tx, tokens, since, until, MOST)
        days = [] if found else store.days_of(tx, tokens, MOST_DAYS)
    if not found:
        raise NothingToldError(_instead(customer, days))
    return [await _explained(each, tickets, replays, desk.open_audit()) for each in found]


def _instead(customer: str, days: Sequence[str]) -> str:
    if not days:
        return f"No answer to {customer} is on record. What people wrote themselves stands in the ticket."
    return f"No answer to {customer} is on record for that time. There are some of {', '.join(days)}."


async def _explained(record: Record, tickets: TicketDesk, replays: ReplayDesk, audits: AuditDesk) -> Why:
    with replays.database.transaction() as tx:
        whole = replaying.parts_of(tx, record, replays)
        again = await replaying.replay(tx, RecordId(record.id), replays)
    seen = ticket_turns.look(record.ticket, tickets)
    messages = seen.messages
    return Why(
        record=record.id,
        ticket=record.ticket,
        ticket_number=seen.ticket.number,
        at=record.at.astimezone(UTC),
        asked=_asked(whole, messages),
        told=list(_told(whole, record, messages)),
        decision=_decision(whole),
        passages=_passages(whole),
        guard=_guard(whole),
        made_by=_made_by(whole),
        proof=_proof(record, audits),
        replay={"result": again.result.value, "field": again.field, "reason": again.reason},
    )


def _asked(whole: Parts | None, messages: Sequence[Message]) -> str:
    """As it was when it was answered; the record has it."""
    if whole is None:
        return ""
    words: dict[str | None, str] = {message.id: message.text for message in messages}
    words |= {turn.id: turn.text for turn in whole.context.conversation.turns if turn.text}
    return words.get(whole.around.event, "")


def _told(whole: Parts | None, record: Record, messages: Sequence[Message]) -> Iterator[dict[str, Any]]:
    """What the customer saw from this message on, until they wrote again."""
    shown = [each for each in messages if not each.private]
    if whole is not None and whole.around.event in {each.id for each in shown}:
        start = next(place for place, each in enumerate(shown) if each.id == whole.around.event) + 1
    else:
        start = next((place for place, each in enumerate(shown) if each.at >= record.at), len(shown))
    for each in shown[start:]:
        if each.author_type == "customer":
            return
        by = each.author if each.author_type == OwnerType.PERSON else each.author_type
        yield {"at": each.at, "by": by or each.author_type, "text": each.text}


def _decision(whole: Parts | None) -> dict[str, Any]:
    if whole is None:
        return {}
    made = whole.decision
    return {
        "action": made.action,
        "rule": made.rule,
        "because": made.because,
        "facts": dict(made.cited),
        "set_aside": [
            {"action": each.action, "rule": each.rule, "because": each.because}
            for each in made.candidates
            if not each.kept
        ],
    }


def _passages(whole: Parts | None) -> list[dict[str, Any]]:
    if whole is None:
        return []
    cited = set(whole.draft.citations)
    return [
        {"place": place, "id": each.id, "source": each.source, "text": each.text, "score": each.score, "cited": place in cited}
        for place, each in enumerate(whole.context.passages)
    ]  # fmt: skip


def _guard(whole: Parts | None) -> dict[str, Any]:
    if whole is None or whole.verdict is None:
        return {}
    verdict = whole.verdict
    return {
        "outcome": verdict.outcome,
        "confidence": verdict.confidence,
        "drafter_confidence": verdict.drafter_confidence,
        "our_confidence": verdict.our_confidence,
        "coverage": verdict.coverage,
        "reasons": list(verdict.reasons),
        "findings": [{"check": each.check, "detail": each.detail, "rule": each.rule} for each in verdict.findings],
    }


def _made_by(whole: Parts | None) -> dict[str, Any]:
    if whole is None:
        return {}
    around = whole.around
    return {
        "words": whole.draft.mode,
        "draft": whole.draft.message,
        "reasoning": whole.draft.reasoning,
        "policy": around.policy.version,
        "guard": around.guard.version if around.guard else "",
        "knowledge": around.library,
        "read_as": " ".join(filter(None, (around.reader.role, around.reader.jurisdiction))),
        "code": around.code.version,
        "profile_position": whole.context.profile.position,
    }


def _proof(record: Record, desk: AuditDesk) -> dict[str, Any]:
    """That the audit has held this very record since it was sealed."""
    try:
        found = auditing.prove(record.event, desk)
    except auditing.NotSealedError:
        return {"event": record.event, "sealed": False, "ok": False}
    return {
        "event": record.event,
        "sealed": True,
        "ok": found["ok"],
        "leaf_index": found["leaf_index"],
        "tree_size": found["tree_size"],
        "root": found["root"],
    }
