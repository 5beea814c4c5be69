"""Every kind of effect, killed at every named step: none is lost, and none is silently doubled."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import answer_worker
import pytest
from act_cases import Effects
from answer_crash_cases import Town, town_that_answers, whole_at_the_end  # noqa: F401  fixtures among them
from answer_worker import Steps
from journey import rows_of
from test_answering import answers

from harken.domain.ticket import OwnerType, TicketId
from harken.flow import ticket_turns, ticketing
from harken.tickets import changes as c

ORDERING = ("before INSERT INTO action_proposal 1", "before commit 1", "after commit 1")
LEAVING = (
    "after commit 1",
    "before the send by {channel}",
    "after the send by {channel}",
    "before UPDATE outbox {last}",
)


@dataclass(frozen=True)
class Effect:
    """`channel`: how it leaves; empty: it is a change of the ticket. `last`: which update of its row is the receipt."""

    action: str
    arguments: dict[str, Any]
    channel: str = ""
    last: int = 2


EFFECTS = {
    "keyed": Effect("credit", {}, "http"),
    "unkeyed": Effect("voucher", {"percent": 5}, "http", last=3),
    "reply": Effect("reply", {"text": "In the app, under Cards."}, "conversation"),
    "note": Effect("note", {"text": "They asked twice."}),
    "tag": Effect("tag", {"tag": "asked-twice"}),
}


@pytest.mark.parametrize("trials", [3, pytest.param(30, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", EFFECTS)
def test_no_effect_is_lost_or_silently_doubled(town: Town, kind: str, trials: int) -> None:
    effect = EFFECTS[kind]
    leaving = [each.format(channel=effect.channel, last=effect.last) for each in LEAVING if effect.channel]
    for deed, step in [*product(["order"], ORDERING), *product(["deliver"], leaving)] * trials:
        ticket = town.open()
        wanted = (ticket, "a rule", effect.action, effect.arguments)
        if deed == "order":
            town.hand.does("order", *wanted, fatal=step)
        answer_worker.order(town.desk, Steps(), *wanted)  # as whoever is asked again does
        if deed == "deliver":
            town.hand.does("deliver", fatal=step)
        town.delivered(ticket)
        HAPPENED[kind](town, ticket, step)


def kept_with_key(town: Town, ticket: TicketId, step: str) -> None:
    assert town.outbox(ticket) == [("credit", "delivered")]
    assert effects_of(town.keyed, town, ticket) == 1


def surfaced_without(town: Town, ticket: TicketId, step: str) -> None:
    """Who cannot be asked twice is not: a person looks."""
    begun = "send" in step or "UPDATE" in step
    owner = ticketing.standing(ticket, town.agent.tickets).owner.type
    assert town.outbox(ticket) == [("voucher", "in_doubt" if begun else "delivered")]
    assert owner is (OwnerType.TEAM if begun else OwnerType.AI)
    assert effects_of(town.unkeyed, town, ticket) == ("before the send" not in step)


def effects_of(system: Effects, town: Town, ticket: TicketId) -> int:
    [row] = rows_of(town.url, "SELECT id FROM outbox WHERE ticket = %s", [ticket])
    return system.effects[row["id"]]


def said_once(town: Town, ticket: TicketId, step: str) -> None:
    assert town.outbox(ticket) == [("reply", "delivered")]
    assert answers(town.desk, ticket) == [EFFECTS["reply"].arguments["text"]]


def changed_once(town: Town, ticket: TicketId, step: str) -> None:
    seen = ticket_turns.look(ticket, town.agent.tickets).changes
    assert sum(isinstance(each.change, c.NoteAdded | c.TagsChanged) for each in seen) == 1


HAPPENED = {
    "keyed": kept_with_key,
    "unkeyed": surfaced_without,
    "reply": said_once,
    "note": changed_once,
    "tag": changed_once,
}
