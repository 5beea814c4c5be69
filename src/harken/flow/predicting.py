"""Every customer with an open issue -> one row of advice each, in worker processes, memory flat in their number."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import orjson
import pyarrow as pa

from harken.decide import compare
from harken.decide.compare import Changes
from harken.decide.policy import load as load_policy
from harken.domain.decision import Advice, Candidate
from harken.domain.ids import IdentityId
from harken.flow import advising, pool
from harken.flow.advising import Case, Reader
from harken.flow.dossier import Moment, silence_of
from harken.flow.ports import Warehouse
from harken.flow.tables import DECISIONS
from harken.profiles.features import NAMES

COLUMNS = ("customer_id", "chat_log", "channel", "message", "send_time", "reasoning", "issue_status")
DOSSIERS_AT_ONCE = 500
"""Few enough to stay in the processor's cache until they are decided: 2,000 at once take a quarter longer."""

_RUNS_IN_A_SPREADSHEET = ("=", "+", "-", "@", "\t", "\r")
_MUST_BE_QUOTED = re.compile('[",\r\n]').search


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Customers for one worker: a range of identities, or some who have several."""

    span: tuple[str, str | None] | None = None
    merged: tuple[tuple[str, list[IdentityId]], ...] = ()
    moment: Moment
    recorded_at: datetime
    shared: frozenset[str]  #: names that several sources use: there the full identity is shown
    all_cases: bool
    asks_a_model: bool  #: then several decisions wait for their words at once
    against: Path | None = None  #: another policy to compare with; nothing is recorded then


@dataclass(slots=True, kw_only=True)
class Tally:
    """What a piece, or a whole run, came to."""

    customers: int = 0
    skipped_resolved: int = 0
    decisions: int = 0
    by_channel: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    by_rule: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Tally") -> None:
        for name in ("customers", "skipped_resolved", "decisions"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("by_channel", "by_status", "by_rule"):
            getattr(self, name).update(getattr(other, name))

    def report(self, **more: object) -> dict[str, object]:
        """What `harken predict --json` prints."""
        counts = {
            name: {str(key): count for key, count in getattr(self, name).most_common()}  # orjson takes no enum as a key
            for name in ("by_channel", "by_status", "by_rule")
        }
        plain = {name: getattr(self, name) for name in ("customers", "skipped_resolved", "decisions")}
        return {**plain, **counts, **more}

    def count(self, advice: Advice) -> None:
        decision = advice.decision
        self.decisions += 1
        self.by_channel[decision.channel] += 1
        self.by_status[decision.issue_status] += 1
        self.by_rule[decision.rule] += 1


def predict_piece(piece: Piece) -> tuple[Tally, bytes]:
    """A range of customers -> its tally and its rows of the CSV. Runs in a worker."""
    at = pool.seat()
    tally = Tally()
    rows: list[str] = []
    advised: list[Advice] = []
    for cases in _cases(piece, tally):
        given = at.loop.run(advising.advise(cases, at.policy, at.writer, waits=piece.asks_a_model))
        for advice, case in zip(given, cases, strict=True):
            tally.count(advice)
            rows.append(csv_row(advice, case, all_cases=piece.all_cases))
        advised += given
    at.warehouse.record(recorded(advised, piece.recorded_at))
    return tally, "".join(rows).encode()


def compare_piece(piece: Piece) -> Changes:
    """A range of customers -> which decisions another policy would change. Runs in a worker; nothing is recorded."""
    before = pool.seat().policy
    after = load_policy(piece.against, features=NAMES)
    contexts = (case.context for cases in _cases(piece, Tally()) for case in cases)
    return compare.changes(compare.both(contexts, before, after))


def _cases(piece: Piece, tally: Tally) -> Iterator[list[Case]]:
    at = pool.seat()
    reader = Reader(at.warehouse, at.bench.master, piece.moment, silence_of(at.policy), piece.shared)
    for everybody in _customers(piece, reader, at.warehouse):
        together: list[Case] = []
        for cases in everybody:
            tally.customers += 1
            tally.skipped_resolved += not cases
            together += cases
        yield together


def _customers(piece: Piece, reader: Reader, warehouse: Warehouse) -> Iterator[Iterator[list[Case]]]:
    """Some customers at a time, each one's cases."""
    if piece.span is None:
        most = None if piece.all_cases else 1
        yield (reader.of_one(reader.name(first), identities)[1][:most] for first, identities in piece.merged)
        return
    for rows in warehouse.dossiers(piece.span, DOSSIERS_AT_ONCE):
        yield (cases for _, cases in reader.of_customers(rows, all_cases=piece.all_cases))


def header(*, all_cases: bool) -> bytes:
    return (",".join([*COLUMNS, *(["conversation_id"] if all_cases else [])]) + "\r\n").encode()


def csv_row(advice: Advice, case: Case, *, all_cases: bool) -> str:
    decision, draft = advice.decision, advice.draft
    cells = [
        decision.customer,
        "\n".join(case.log),
        decision.channel,
        draft.message,
        decision.send_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        draft.reasoning,
        decision.issue_status,
        *([decision.conversation] if all_cases else []),
    ]
    return ",".join(map(_cell, cells)) + "\r\n"


def _cell(text: str) -> str:
    """RFC 4180. The csv module would take four times as long, a letter at a time."""
    # What customers write ends up in somebody's spreadsheet, where a leading = is a program.
    safe = f"'{text}" if text.startswith(_RUNS_IN_A_SPREADSHEET) else text
    return f'"{safe.replace(chr(34), chr(34) * 2)}"' if _MUST_BE_QUOTED(safe) else safe


def recorded(given: Sequence[Advice], at: datetime) -> pa.Table:
    """Decisions as rows of the store. The message is not kept here: it may quote the customer."""
    decisions = [advice.decision for advice in given]
    columns = {
        "id": [decision.id for decision in decisions],
        "customer": [decision.customer for decision in decisions],
        "conversation": [decision.conversation for decision in decisions],
        "as_of": [decision.as_of for decision in decisions],
        "recorded_at": [at] * len(decisions),
        "record": [orjson.dumps(record_of(advice)).decode() for advice in given],
        "sealed": [None] * len(decisions),
    }
    return pa.table(columns, schema=DECISIONS)


def record_of(advice: Advice) -> dict[str, object]:
    """All that was weighed, as plain values."""
    decision = advice.decision
    return {
        "action": decision.action,
        "channel": decision.channel,
        "send_at": decision.send_at,
        "issue_status": decision.issue_status,
        "rule": decision.rule,
        "because": decision.because,
        "cited": decision.cited,
        "candidates": [candidate_row(candidate) for candidate in decision.candidates],
        "probability": decision.probability,
        "policy": decision.policy,
        "definitions": decision.definitions,
        "as_of": decision.as_of,
        "profile_position": decision.profile_position,
        "features": decision.features,
        "mode": advice.draft.mode,
        "usage": advice.draft.usage,
        "notes": advice.draft.notes,
    }


def candidate_row(candidate: Candidate) -> dict[str, object]:
    return {
        "action": candidate.action,
        "kept": candidate.kept,
        "stage": candidate.stage,
        "rule": candidate.rule,
        "because": candidate.because,
        "score": candidate.score,
    }


def joined(parts: Iterable[Changes]) -> Changes:
    """The changes of all pieces as one."""
    decisions, changed = 0, 0
    counts: dict[str, Counter[str]] = {"by_aspect": Counter(), "by_action": Counter(), "by_rule": Counter()}
    examples: list[compare.Example] = []
    for part in parts:
        decisions += part.decisions
        changed += part.changed
        for name, counter in counts.items():
            counter.update(getattr(part, name))
        examples += part.examples[: compare.EXAMPLES - len(examples)]
    plain = {name: dict(counter.most_common()) for name, counter in counts.items()}
    return Changes(decisions=decisions, changed=changed, examples=tuple(examples), **plain)
