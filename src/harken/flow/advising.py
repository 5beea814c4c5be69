"""Dossiers -> advice: what a batch and a single question share between the store and the thinking."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from harken.conversations.cases import CLOSED, OURS, SENT, Row
from harken.conversations.pressing import Judged, by_pressure
from harken.conversations.status import Silence, settled_by_silence
from harken.decide.policy import Policy
from harken.decide.ports import Writer
from harken.domain.conversation import Conversation, Turn
from harken.domain.decision import Advice, Context
from harken.domain.event import Reading
from harken.domain.ids import CustomerId, EventId, IdentityId, customer_of
from harken.domain.profile import Profile
from harken.flow import dossier
from harken.flow.dossier import CHANNELS, Moment
from harken.flow.ports import Warehouse
from harken.flow.think import think
from harken.kit import spans
from harken.privacy.keys import MasterKey
from harken.privacy.ring import KeyRing
from harken.profiles import stored
from harken.profiles.fold import State

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
ERASED = "[erased]"

Stored = Mapping[str, Any]
"""A row of the store."""


class Heard(NamedTuple):
    """One turn as the thinking takes it, and as people read it: `Customer: …` or `Agent: …`."""

    turn: Turn
    line: str


@dataclass(frozen=True, slots=True)
class Case:
    """A customer's conversation, ready to be decided."""

    context: Context
    log: tuple[str, ...]


class Issues(NamedTuple):
    """The conversations of one customer, as of the moment."""

    identity: str
    rows: Sequence[Stored]
    judged: Sequence[Judged] = ()  #: none where all were settled long ago
    pressing: Sequence[Judged] = ()  #: those to decide


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads cases out of a store, as of a moment."""

    warehouse: Warehouse
    master: MasterKey
    moment: Moment
    silence: Silence
    shared: frozenset[str] = frozenset()  #: names that several sources use: there the full identity is shown

    def of_customers(self, rows: Sequence[Stored], *, all_cases: bool) -> Iterator[tuple[CustomerId, list[Case]]]:
        """Stored conversations beside their profile state, in order of identity -> each customer's cases.

        A customer without an unresolved conversation comes with none, and costs little.
        """
        everybody = [
            self._issues(identity, list(found), all_cases) for identity, found in groupby(rows, itemgetter("identity"))
        ]
        busy = [issues for issues in everybody if issues.pressing]
        states = {issues.identity: stored.from_bytes(issues.rows[0]["state"]) for issues in busy}
        log = self._log(states)
        bodies, ring = self._bodies(busy), KeyRing(self.master)
        for issues in everybody:
            customer = self.name(issues.identity)
            if not issues.pressing:
                yield customer, []
                continue
            of_theirs = {issues.identity: states[issues.identity]}
            profile = self._profile(customer, of_theirs, log, issues.judged)
            yield customer, self._cases(profile, issues, bodies, ring)

    def of_one(self, customer: CustomerId, identities: Sequence[IdentityId]) -> tuple[Profile, list[Case]]:
        """One customer, however many identities -> the profile and the unresolved cases, most pressing first."""
        rows = self.warehouse.conversations_of(identities)
        profile, judged = self._seen(customer, identities, rows)
        issues = Issues("", rows, judged, by_pressure(judged))
        return profile, self._cases(profile, issues, self._bodies([issues]), KeyRing(self.master))

    def profile_of(self, customer: CustomerId, identities: Sequence[IdentityId]) -> Profile:
        """The profile alone: no text is opened for it."""
        return self._seen(customer, identities, self.warehouse.conversations_of(identities))[0]

    def _seen(
        self, customer: CustomerId, identities: Sequence[IdentityId], rows: Sequence[Stored]
    ) -> tuple[Profile, list[Judged]]:
        kept = self.warehouse.states(identities)
        states = {identity: stored.from_bytes(state) for identity, state in kept.items()}
        judged = self._judged([(row, orjson.loads(row["facts"])) for row in rows])
        return self._profile(customer, states, self._log(states), judged), judged

    def name(self, identity: str) -> CustomerId:
        short = customer_of(identity)
        return CustomerId(identity) if short in self.shared else short

    def _issues(self, identity: str, rows: list[Stored], all_cases: bool) -> Issues:
        told = [(row, orjson.loads(row["facts"])) for row in rows]
        now_s = self.moment.us // 1_000_000
        if all(settled_by_silence(f["customer_spoke_last"], f["last_at"], now_s, self.silence) for _, f in told):
            return Issues(identity, rows)
        judged = self._judged(told)
        pressing = by_pressure(judged)
        return Issues(identity, rows, judged, pressing if all_cases else pressing[:1])

    def _judged(self, told: Iterable[tuple[Stored, dict[str, Any]]]) -> list[Judged]:
        return dossier.judged(self._as_of(told), self.moment, self.silence)

    def _as_of(self, told: Iterable[tuple[Stored, dict[str, Any]]]) -> Iterator[Conversation]:
        for row, facts in told:
            then = dossier.as_of(dossier.conversation_of(row, facts), self.moment, partial(self._turns, row))
            if then:
                yield then

    def _turns(self, row: Stored) -> Iterator[Row]:
        return map(turn_row, self.warehouse.bodies(row["positions"]))

    def _log(self, states: Mapping[str, State]) -> dict[str, list[Stored]]:
        """The log's rows of identities whose state is newer than the moment."""
        asked = dossier.uncovered(states, self.moment)
        if not asked:
            return {}
        rows = [row for batch in self.warehouse.thin(identities=asked) for row in batch.to_pylist()]
        rows.sort(key=itemgetter("identity"))
        return {identity: list(found) for identity, found in groupby(rows, key=itemgetter("identity"))}

    def _profile(
        self,
        customer: CustomerId,
        states: Mapping[str, State],
        log: Mapping[str, Sequence[Stored]],
        judged: Sequence[Judged],
    ) -> Profile:
        return dossier.profile_of(customer, dossier.states_at(states, self.moment, log), judged, self.moment)

    def _bodies(self, everybody: Iterable[Issues]) -> dict[int, Stored]:
        """The turns of all that is to be decided, by position."""
        wanted = [position for issues in everybody for position in _positions(issues)]
        return {body["position"]: body for body in self.warehouse.bodies(wanted)} if wanted else {}

    def _cases(self, profile: Profile, issues: Issues, bodies: Mapping[int, Stored], ring: KeyRing) -> list[Case]:
        positions = {row["id"]: row["positions"] for row in issues.rows}
        return [
            self._case(profile, pair, [bodies[at] for at in positions[pair[0].id] if at in bodies], ring)
            for pair in issues.pressing
        ]

    def _case(self, profile: Profile, pair: Judged, bodies: Iterable[Stored], ring: KeyRing) -> Case:
        conversation, standing = pair
        then = [body for body in bodies if body["at"] <= self.moment.at]
        then.sort(key=itemgetter("at", "id"))
        heard = [heard_of(body, ring) for body in then]
        context = Context(
            now=self.moment.at,
            customer=profile.customer,
            conversation=Conversation(
                id=conversation.id,
                thread=conversation.thread,
                identity=conversation.identity,
                brand=conversation.brand,
                channel=conversation.channel,
                facts=conversation.facts,
                turns=tuple([turn for turn, _ in heard]),
            ),
            standing=standing,
            profile=profile,
        )
        return Case(context, tuple([line for _, line in heard]))


def _positions(issues: Issues) -> Iterator[int]:
    pressing = {conversation.id for conversation, _ in issues.pressing}
    for row in issues.rows:
        if row["id"] in pressing:
            yield from row["positions"]


def turn_row(body: Stored) -> Row:
    """A turn as the facts are made of it."""
    return Row(
        id=body["id"],
        at=(body["at"] - _EPOCH) // _MICROSECOND,
        kind=body["kind"],
        identity=None,
        author=body["author"],
        channel=body["channel"],
        in_reply_to=body["in_reply_to"],
        addressed_to=body["addressed_to"],
        language=body["language"],
        sentiment=body["sentiment"],
        urgency=body["urgency"],
        signals=body["signals"],
        evidence=_evidence(body),
    )


def _evidence(body: Stored) -> dict[str, tuple[str, ...]]:
    read = orjson.loads(body["evidence"]) if body["evidence"] else {}
    return {name: tuple(words) for name, words in read.items()}


def heard_of(body: Stored, ring: KeyRing) -> Heard:
    text, line = _said(body, ring)
    kind = body["kind"]
    turn = Turn(
        id=body["id"],
        at=body["at"].astimezone(UTC),
        from_customer=kind not in OURS,
        author=body["author"],
        channel=CHANNELS[body["channel"]],
        reading=Reading(
            language=body["language"],
            sentiment=body["sentiment"],
            urgency=body["urgency"],
            signals=body["signals"],
            evidence=_evidence(body),
        ),
        closes=kind == CLOSED,
        in_reply_to=EventId(body["in_reply_to"]) if body["in_reply_to"] else None,
        addressed_to=body["addressed_to"],
        text=text,
    )
    return Heard(turn, line)


def _said(body: Stored, ring: KeyRing) -> tuple[str, str]:
    """The cleaned text, and the line of the chat log."""
    who = "Agent" if body["kind"] == SENT else "Customer"
    if body["kind"] == CLOSED:
        return "", "Agent: (closed the issue)"
    if body["wrapped"] is None:
        return ERASED, f"{who}: {ERASED}"
    opened = ring.open(body["subject"], body["wrapped"], body["id"], body["body"])
    return spans.clean(opened.text, opened.spans), f"{who}: {' '.join(opened.text.split())}"


async def advise(cases: Iterable[Case], policy: Policy, writer: Writer, *, waits: bool = True) -> list[Advice]:
    """Think about several cases: at once where the writer waits for a model, one after the other where it never does."""
    thoughts = [think(case.context, policy, writer) for case in cases]
    return await asyncio.gather(*thoughts) if waits else [await thought for thought in thoughts]
