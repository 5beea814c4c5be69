"""What leaves, leaves once; and what may have left is never tried again blindly."""

from dataclasses import replace
from typing import Any

import pytest
from act_cases import TICKET, Counts, Noted, Ticking, outbox
from acting_cases import counted_desk, counting_channel, everything, proposed, ticking_clock, what_is_noted  # noqa: F401  fixtures among them
from journey import rows_of

from harken.act.approvals import State
from harken.act.outbox.store import State as OutboxState
from harken.act.ports import NotSentError, Receipt, RejectedError, UnknownOutcomeError
from harken.domain.proposal import Proposal
from harken.errors import RefusedError
from harken.flow import deciding, delivering, sending, undelivered
from harken.flow.act_desk import ActDesk
from harken.flow.sending import Why
from harken.kit import db


def said(tx: db.Tx, desk: ActDesk, action: str, arguments: dict[str, Any], cause: str) -> str:
    spec = desk.catalogue.get(action)
    assert spec is not None
    return sending.enqueue(
        tx, sending.message(spec, TICKET, arguments, author="ai", at=desk.clock()), Why(cause=cause), desk
    )


def leaving(desk: ActDesk, action: str, arguments: dict[str, Any], cause: str = "kb:1") -> str:
    with desk.database.transaction() as tx:
        return said(tx, desk, action, arguments, cause)


def test_caused_twice_it_leaves_once(desk: ActDesk, channel: Counts) -> None:
    first, second = (leaving(desk, "reply", {"text": "hi"}) for _ in range(2))
    everything(desk)

    assert first == second
    assert channel.effects == {first: 1}


def test_what_was_rolled_back_never_leaves(desk: ActDesk, channel: Counts) -> None:
    def undone() -> None:
        with desk.database.transaction() as tx:
            said(tx, desk, "reply", {"text": "hi"}, "x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()

    assert everything(desk) == 0
    assert channel.calls == []


def test_a_channel_with_keys_is_tried_again_with_the_same_one(
    desk: ActDesk, channel: Counts, clock: Ticking, noted: Noted
) -> None:
    key = leaving(desk, "reply", {"text": "hi"})
    channel.before = [NotSentError("down"), NotSentError("down", after_s=600)]
    channel.after = [UnknownOutcomeError("cut")]
    for wait in (5, 600, 20, 1):
        assert everything(desk) == 1
        assert everything(desk) == 0
        clock.forward(seconds=wait)

    assert [used for _, used in channel.calls] == [key] * 4
    assert channel.effects == {key: 1}
    assert noted.told == ["action.executed"]


def test_after_so_many_tries_a_person_is_asked(
    desk: ActDesk, channel: Counts, clock: Ticking, noted: Noted, store_url: str
) -> None:
    leaving(desk, "reply", {"text": "hi"})
    channel.before = [NotSentError("down")] * 20
    for _ in range(20):
        everything(desk)
        clock.forward(hours=2)

    assert len(channel.calls) == delivering.MOST_TRIES
    assert outbox(store_url)[0]["state"] == "failed"
    assert noted.people == [(TICKET.id, "undeliverable")]


def test_what_may_have_happened_is_never_called_failed(
    desk: ActDesk, channel: Counts, clock: Ticking, store_url: str
) -> None:
    leaving(desk, "reply", {"text": "hi"})
    channel.after = [UnknownOutcomeError("cut")]
    everything(desk)
    clock.forward(minutes=1)
    channel.before = [RejectedError("422")]
    everything(desk)

    assert outbox(store_url)[0]["state"] == "in_doubt"


def test_a_channel_without_keys_is_never_tried_again_blindly(
    desk: ActDesk, channel: Counts, clock: Ticking, noted: Noted, store_url: str
) -> None:
    key = leaving(desk, "voucher", {"percent": 5})
    channel.after = [UnknownOutcomeError("cut")]
    for _ in range(5):
        everything(desk)
        clock.forward(hours=1)

    assert len(channel.calls) == 1
    assert outbox(store_url)[0]["state"] == "in_doubt"
    assert noted.people == [(TICKET.id, "in_doubt")]

    undelivered.decide(key, "lena", OutboxState.DELIVERED, desk)
    assert outbox(store_url)[0]["state"] == "delivered"
    assert noted.audit[-1][:2] == ("lena", "action.executed")
    with pytest.raises(RefusedError):
        undelivered.decide(key, "lena", OutboxState.WAITING, desk)


def test_a_person_may_have_it_sent_again(desk: ActDesk, channel: Counts) -> None:
    key = leaving(desk, "voucher", {"percent": 5})
    channel.before = [UnknownOutcomeError("cut")]
    everything(desk)
    undelivered.decide(key, "lena", OutboxState.WAITING, desk)
    everything(desk)

    assert channel.effects == {key: 1}


class Askable(Counts):
    """A channel without keys that can be asked what became of one."""

    def __init__(self, answer: str) -> None:
        super().__init__(takes_keys=False)
        self._answer = answer

    def find(self, message: Any, key: str) -> Receipt | None:
        if self._answer == "unknown":
            raise UnknownOutcomeError("no idea")
        return Receipt("found") if self._answer == "found" else None


@pytest.mark.parametrize(
    ("answer", "state", "effects"), [("found", "delivered", 1), ("missing", "delivered", 2), ("unknown", "in_doubt", 1)]
)
def test_who_can_be_asked_is_asked_before_anybody_tries_again(
    desk: ActDesk, clock: Ticking, answer: str, state: str, effects: int
) -> None:
    channel = Askable(answer)
    asking = replace(desk, senders={"http": channel})
    leaving(asking, "voucher", {"percent": 5})
    channel.after = [UnknownOutcomeError("cut")]
    for _ in range(3):
        everything(asking)
        clock.forward(hours=1)

    assert sum(channel.effects.values()) == effects
    assert outbox(desk.database.url)[0]["state"] == state


def test_what_nobody_configured_waits_and_is_told_once(
    desk: ActDesk, noted: Noted, channel: Counts, store_url: str
) -> None:
    closed = replace(desk, senders={})
    key = leaving(desk, "reply", {"text": "hi"})
    for _ in range(3):
        everything(closed)
        undelivered.retry_unconfigured(closed)

    assert noted.people == [(TICKET.id, "unconfigured")]
    everything(desk)
    assert channel.effects == {key: 1}


def test_a_call_is_a_task_for_people(desk: ActDesk, store_url: str) -> None:
    [done] = proposed(
        desk, Proposal(action="schedule_call", arguments={"about": "the card", "at": "2026-03-17T09:00:00Z"})
    )
    everything(desk)

    [call] = rows_of(store_url, "SELECT ticket, call_at, done_at FROM call_task")
    assert (call["ticket"], call["call_at"].isoformat(), call["done_at"]) == (
        TICKET.id,
        "2026-03-17T09:00:00+00:00",
        None,
    )
    assert deciding.shown(done.id, desk).waiting.state is State.EXECUTED
