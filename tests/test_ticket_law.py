"""Laws of tickets: any ticket is the fold of its changes, however they were written down; and nobody talks over anybody."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from examples import tries
from hypothesis import given, settings
from hypothesis import strategies as st
from journey import NOW
from ticket_cases import Office, office_on

from harken.domain.event import Channel
from harken.domain.ids import EventId, IdentityId
from harken.domain.ticket import Owner, OwnerType, Priority, StatusCategory, Ticket, TicketId
from harken.errors import RefusedError
from harken.flow import ticket_handling, ticket_turns, ticket_watch, ticketing
from harken.flow.ticket_words import Words
from harken.tickets import changes as c
from harken.tickets import desk_rules, sla
from harken.tickets.changes import Change, Stamped, read, written
from harken.tickets.fold import NotNowError, ai_may_answer, fold, folded, messages

RULES = desk_rules.load()
THREAD = c.Thread(turns=1, newest_turn=EventId("e:0"), waiting_since=NOW, first_reply_at=None)
OPENED = c.Opened(
    id=TicketId("t"), number=1, customer=IdentityId("customer:ada"), subject="Card", channel=Channel.CHAT,
    brand="Support", priority=Priority.MEDIUM, asked=None, because="", owner=OwnerType.AI, events=(EventId("e:0"),),
    thread=THREAD, tier="vip",
)  # fmt: skip

event = st.integers(1, 40).map(lambda number: EventId(f"e:{number}"))
name = st.sampled_from(["", "lena", "omar"])
moment = st.integers(0, 5000).map(lambda minutes: NOW + timedelta(minutes=minutes))
words = st.text(max_size=12)
thread = st.builds(
    c.Thread, turns=st.integers(0, 9), newest_turn=st.none() | event, waiting_since=st.none() | moment, first_reply_at=st.none() | moment
)  # fmt: skip
people = st.sampled_from([OwnerType.PERSON, OwnerType.TEAM, OwnerType.NONE, OwnerType.BOT])
clock = st.sampled_from(desk_rules.CLOCKS)
change: st.SearchStrategy[Change] = st.one_of(
    st.builds(c.Acknowledged, text=words, language=st.just("en")),
    st.builds(c.MessageAdded, event=event),
    st.builds(c.Replied, event=event, author=st.sampled_from([OwnerType.AI, OwnerType.PERSON]), author_id=name),
    st.builds(c.NoteAdded, text=words),
    st.builds(c.StatusChanged, status=st.sampled_from(StatusCategory), label=st.sampled_from(["open", "mine"])),
    st.builds(c.PriorityChanged, priority=st.sampled_from(Priority), because=words),
    st.builds(c.Assigned, owner=st.sampled_from(OwnerType), owner_id=name),
    st.builds(c.TagsChanged, tags=st.lists(words, max_size=4).map(tuple)),
    st.builds(c.Snoozed, until=moment),
    st.just(c.Woken()),
    st.builds(c.Merged, into=st.just(TicketId("other"))),
    st.builds(
        c.Absorbed, other=st.just(TicketId("other")), events=st.lists(event, max_size=3).map(tuple), thread=thread
    ),
    st.builds(c.SplitOff, into=st.just(TicketId("new")), events=st.lists(event, max_size=3).map(tuple), thread=thread),
    st.builds(c.Classified, category=st.just("billing_inquiry"), probability=st.floats(0, 1), model=st.just("m")),
    st.builds(c.Escalated, reason=st.just("low_confidence"), owner=people, owner_id=name, summary=words),
    st.builds(c.SlaWarning, clock=clock, started_at=moment, due_at=moment),
    st.builds(c.SlaBreached, clock=clock, started_at=moment, due_at=moment),
    st.builds(c.Renamed, subject=words),
)
steps = st.lists(st.tuples(change, st.integers(0, 90)), max_size=30)


def lived(wanted: list[tuple[Change, int]]) -> tuple[list[Stamped], list[Ticket]]:
    """What was taken of what was tried, and the ticket after each."""
    at, history, after = NOW, [Stamped(at=NOW, by="customer", version=1, change=OPENED)], []
    after.append(fold(None, history[0]))
    for each, minutes in wanted:
        at += timedelta(minutes=minutes)
        stamped = Stamped(at=at, by="person:lena", version=len(history) + 1, change=each)
        try:
            after.append(fold(after[-1], stamped))
        except NotNowError:
            continue
        history.append(stamped)
    return history, after


@given(steps)
@settings(max_examples=tries(300), deadline=None)
def test_a_ticket_is_the_fold_of_what_was_written_down(wanted: list[tuple[Change, int]]) -> None:
    history, after = lived(wanted)
    again = [Stamped(at=s.at, by=s.by, version=s.version, change=read(*written(s.change))) for s in history]

    assert again == history
    assert folded(again) == after[-1]
    assert [ticket.version for ticket in after] == list(range(1, len(history) + 1))


@given(steps)
@settings(max_examples=tries(300), deadline=None)
def test_the_epoch_counts_owners_and_the_ai_comes_back_by_assignment_alone(wanted: list[tuple[Change, int]]) -> None:
    history, after = lived(wanted)
    for before, now, stamped in zip(after[:-1], after[1:], history[1:], strict=True):
        same = (before.owner.type, before.owner.id) == (now.owner.type, now.owner.id)
        assert now.owner.epoch == before.owner.epoch + (not same)
        if now.owner.type is OwnerType.AI and not same:
            assert isinstance(stamped.change, c.Assigned)
        if ai_may_answer(now):
            assert now.status not in (StatusCategory.RESOLVED, StatusCategory.CLOSED)
        assert (now.resolved_at is not None) is (now.status in (StatusCategory.RESOLVED, StatusCategory.CLOSED))


@given(steps)
@settings(max_examples=tries(200), deadline=None)
def test_what_is_merged_away_has_no_message_and_a_message_is_there_once(wanted: list[tuple[Change, int]]) -> None:
    history, after = lived(wanted)
    own = messages(history)
    assert len(own) == len(set(own))
    if after[-1].merged_into:
        assert own == ()


@given(steps, st.integers(0, 5000))
@settings(max_examples=tries(200), deadline=None)
def test_clocks_say_the_same_at_any_later_look(wanted: list[tuple[Change, int]], minutes: int) -> None:
    """What is over stays as it was; what runs never runs backwards; a look that finds nothing is told when to come back."""
    history, _ = lived(wanted)
    now = history[-1].at + timedelta(minutes=minutes)
    first = {(each.name, each.started_at): each for each in sla.clocks(history, RULES, history[-1].at)}
    for later in sla.clocks(history, RULES, now):
        before = first[later.name, later.started_at]
        assert later.elapsed_s >= before.elapsed_s
        if before.due_at and later.due_at:
            assert abs((before.due_at - later.due_at).total_seconds()) <= len(history) + 1
    if (look := sla.next_look(history, RULES, now)) and look > now:
        assert sla.due(history, RULES, look - timedelta(seconds=len(history) + 2)) == sla.due(history, RULES, now)


def test_every_change_is_tried_here() -> None:
    tried: set[type[Any]] = {c.Opened}

    @given(change)
    @settings(max_examples=2000, deadline=None, database=None)
    def collect(each: Change) -> None:
        tried.add(type(each))

    collect()
    assert tried == set(c.EVENT_NAMES)


@pytest.fixture
def office(store_url: str, tmp_path: Path) -> Iterator[Office]:
    with office_on(store_url, tmp_path) as made:
        yield made


@pytest.mark.parametrize("seed", range(3))
def test_whatever_people_do_the_tables_are_what_the_changes_say(office: Office, seed: int) -> None:
    """Random deeds on a few tickets, merges and splits among them; refused ones leave nothing behind."""
    chance = random.Random(seed)
    made = [office.open(f"Matter {number}.") for number in range(4)]
    done = refused = 0
    for number in range(80):
        office.clock.pass_(minutes=chance.randrange(1, 120))
        ticket, other = chance.choice(made), chance.choice(made)
        try:
            made = made + _deed(office, chance, ticket, other, number)
            done += 1
        except RefusedError:
            refused += 1
    checked = ticket_watch.check(office.desk)

    assert checked.mismatches == ()
    assert checked.tickets == len({ticket.id for ticket in made})
    assert done > refused > 0


def _deed(office: Office, chance: random.Random, ticket: Ticket, other: Ticket, number: int) -> list[Ticket]:
    """What it made, where it made something."""
    desk, who = office.desk, "person:lena"
    match chance.randrange(9):
        case 0 | 1:
            return [ticketing.say(ticket.id, Words(text=f"Word {number}."), desk).ticket]
        case 2 | 3:
            author = chance.choice([Owner(type=OwnerType.AI), Owner(type=OwnerType.PERSON, id="lena")])
            ticketing.reply(ticket.id, Words(text=f"Answer {number}."), author, desk)
        case 4:
            status = chance.choice([StatusCategory.RESOLVED, StatusCategory.ON_HOLD, StatusCategory.CLOSED, StatusCategory.OPEN])  # fmt: skip
            ticket_handling.change(ticket.id, [c.StatusChanged(status=status, label=status)], who, desk)
        case 5:
            ticket_handling.change(ticket.id, [c.Snoozed(until=desk.live.clock() + timedelta(hours=3))], who, desk)
        case 6:
            ticket_handling.merge(ticket.id, other.id, who, desk)
        case 7:
            seen = ticket_turns.look(ticket.id, desk)
            theirs = [EventId(each.id) for each in seen.messages if each.author_type == "customer"]
            return [ticket_handling.split(ticket.id, theirs[: len(theirs) // 2], "", who, desk)] if len(theirs) > 1 else []  # fmt: skip
        case _:
            ticket_watch.clocks(desk)
            ticket_watch.wake_snoozed(desk)
    return []
