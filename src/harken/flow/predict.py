"""What goes out, from the profiles to the advice.

predict  profiles and open conversations -> decisions -> nba_predictions.csv   in worker processes
compare  the same decisions under another policy -> what would change
ask      one customer -> one decision, recorded
"""

import asyncio
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any

from harken.decide.compare import Changes
from harken.decide.policy import Policy
from harken.domain.decision import Advice
from harken.domain.ids import CustomerId, IdentityId, customer_of
from harken.domain.profile import Profile
from harken.errors import AmbiguousCustomerError, UnknownCustomerError, UnsuitableError
from harken.flow import accounting, looking, pool, predicting, serving
from harken.flow.advising import Case, Reader, advise
from harken.flow.desk import Desk
from harken.flow.dossier import Moment, silence_of
from harken.flow.freshness import Freshness, freshness, wait_until_fresh
from harken.flow.ports import Progress
from harken.flow.predicting import Piece, Tally
from harken.kit import observe

CUSTOMERS_A_PIECE = 4_000
MERGED_A_PIECE = 200
"""Customers of several identities are read one by one."""

ASKED = "request"
"""Where a decision came from, in metrics: somebody asked for this customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Whom to decide for. `as_of` None: the data's own last event."""

    customers: int | None = None  #: only the first so many
    all_cases: bool = False
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One customer's profile as of a moment, and the advice where an issue is open."""

    profile: Profile
    advice: Advice | None
    freshness: Freshness


def predict(asked: Asked, out: Path, desk: Desk, progress: Progress) -> Tally:
    """Every customer with an open issue -> a row of advice. The file appears whole or not at all."""
    tally = Tally()
    with _crew(desk) as crew, _whole(out) as file:
        whole = accounting.Digest(file.write)
        whole.write(predicting.header(all_cases=asked.all_cases))
        pieces = list(_pieces(asked, desk))
        progress.step("deciding", len(pieces))
        for part, rows in crew.each(predicting.predict_piece, pieces):
            whole.write(rows)
            tally.add(part)
            progress.advance(1)
        accounting.decided_all(tally, whole, desk)
    return tally


def compare(asked: Asked, policy: Path, desk: Desk, progress: Progress) -> Changes:
    """Which decisions another policy would change. Nothing is recorded, nothing is written."""
    with _crew(desk) as crew:
        pieces = list(_pieces(asked, desk, against=policy))
        progress.step("comparing", len(pieces))
        return predicting.joined(_advancing(crew.each(predicting.compare_piece, pieces), progress))


def look(customer: CustomerId, desk: Desk, as_of: datetime | None) -> dict[str, Any]:
    """One customer's profile as of a moment; nothing is decided. The names are those of `harken profile show --json`.

    Where the store has an audit, that somebody looked is in it before anything is shown.
    """
    profile, _ = _read(customer, desk, desk.bench.load_policy(), as_of)
    if desk.live is not None:
        with desk.live.database.transaction() as tx:
            looking.record(tx, desk.who, "harken profile show", profile.identities, desk.live.master)
    newest = profile.features["last_seen_at"]
    return {
        "customer": profile.customer,
        "identities": profile.identities,
        "as_of": profile.as_of,
        "features": profile.features,
        "freshness_s": int(profile.as_of.timestamp()) - newest if isinstance(newest, int) else None,
        "events": profile.features["events"],
    }


async def ask(customer: CustomerId, seat: pool.Seat, desk: Desk, as_of: datetime | None) -> Answer:
    """One customer -> one decision for the most pressing issue, recorded. The loop is free while the store reads."""
    with observe.timed(observe.DECISION_SECONDS):
        fresh = as_of is not None or await wait_until_fresh(desk, seat.policy)
        profile, cases = await asyncio.to_thread(_served, customer, desk, seat.policy, as_of)
        seen = profile.features["last_seen_at"]
        known = await asyncio.to_thread(freshness, desk, profile.position, profile.as_of, seen, degraded=not fresh)
        if not cases:
            return Answer(profile=profile, advice=None, freshness=known)
        [advice] = await advise(cases[:1], seat.policy, seat.writer)
        if not fresh:
            stale = f"decided on a profile that {known.lag_events:,} waiting events may change"
            advice = replace(advice, draft=replace(advice.draft, notes=(*advice.draft.notes, stale)))
        await asyncio.to_thread(_keep, advice, desk)
    decision = advice.decision
    observe.add(observe.DECISIONS, channel=decision.channel, issue_status=str(decision.issue_status), origin=ASKED)
    return Answer(profile=profile, advice=advice, freshness=known)


def _keep(advice: Advice, desk: Desk) -> None:
    desk.warehouse.record(predicting.recorded([advice], desk.bench.clock()))
    accounting.decided(advice, desk)


def _served(customer: CustomerId, desk: Desk, policy: Policy, as_of: datetime | None) -> tuple[Profile, list[Case]]:
    """As `_read`; one in a hundred is kept, to be checked."""
    name, identities = one(customer, desk)
    reader = _reader(desk, policy, as_of)
    marked = serving.mark(name, reader.moment, desk)
    profile, cases = reader.of_one(name, identities)
    serving.keep(marked, profile, reader.silence, desk)
    return profile, cases


def _read(customer: CustomerId, desk: Desk, policy: Policy, as_of: datetime | None) -> tuple[Profile, list[Case]]:
    known_as = one(customer, desk)
    return _reader(desk, policy, as_of).of_one(*known_as)


def moment_of(desk: Desk, as_of: datetime | None) -> Moment:
    """The moment asked for; else now where events arrive live, and the data's own last event where they came in files."""
    newest = desk.warehouse.newest()
    if newest.at is None:
        raise UnsuitableError("The store is empty. Take interactions in first: harken ingest PATH, or see harken demo.")
    return Moment(
        at=as_of or (max(newest.at, desk.bench.clock()) if newest.live else newest.at), position=newest.position
    )


def _reader(desk: Desk, policy: Policy, as_of: datetime | None) -> Reader:
    return Reader(desk.warehouse, desk.bench.master, moment_of(desk, as_of), silence_of(policy))


def one(customer: CustomerId, desk: Desk) -> tuple[CustomerId, list[IdentityId]]:
    """Whom a name means, and all their identities. Raises UnknownCustomerError, AmbiguousCustomerError."""
    people = desk.warehouse.people(customer)
    if not people:
        raise UnknownCustomerError(f"No event has ever mentioned the customer {customer}.")
    if len(people) > 1:
        raise AmbiguousCustomerError(f"Several sources know a customer {customer}: say which, {' or '.join(people)}.")
    [(first, identities)] = people.items()
    return (customer if len(identities) == 1 else customer_of(first)), identities


def _advancing(parts: Iterable[Changes], progress: Progress) -> Iterator[Changes]:
    for part in parts:
        progress.advance(1)
        yield part


def _pieces(asked: Asked, desk: Desk, against: Path | None = None) -> Iterator[Piece]:
    moment = moment_of(desk, asked.as_of)
    shared = frozenset(desk.warehouse.shared_names())
    make = partial(
        Piece,
        moment=moment,
        recorded_at=desk.bench.clock(),
        shared=shared,
        all_cases=asked.all_cases,
        asks_a_model=not desk.writes_offline,
        against=against,
    )
    for span in desk.warehouse.spans(CUSTOMERS_A_PIECE, asked.customers):
        yield make(span=span)
    merged = [] if asked.customers else desk.warehouse.merged()
    for at in range(0, len(merged), MERGED_A_PIECE):
        yield make(merged=tuple(merged[at : at + MERGED_A_PIECE]))


def _crew(desk: Desk) -> AbstractContextManager[pool.Crew]:
    """Several processes where words cost nothing; one where a model's limits, or the store, are one process's."""
    several = desk.writes_offline and not desk.warehouse.one_process
    return pool.crew(desk.workers if several else 1, desk.bench)


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name when it is complete."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")  # two at once do not write into each other
    try:
        file = draft.open("wb")
    except OSError as wrong:
        raise UnsuitableError(f"{path} cannot be written: {wrong.strerror}.") from wrong
    try:
        with file:
            yield file
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
