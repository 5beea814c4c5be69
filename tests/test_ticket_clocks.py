"""Working time and promises: lunch, holidays, nights when clocks change, pauses, and what is told of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.domain.event import Channel
from harken.domain.ids import EventId, IdentityId
from harken.domain.ticket import OwnerType, Priority, StatusCategory, TicketId
from harken.tickets import changes as c
from harken.tickets import desk_rules, sla
from harken.tickets.changes import Change, Stamped
from harken.tickets.desk_rules import DeskError, DeskRules
from harken.tickets.hours import ALWAYS
from harken.tickets.priority import weigh
from harken.tickets.routing import Matter, route
from harken.tickets.sla import State

BERLIN = ZoneInfo("Europe/Berlin")
DESK = """
[hours]
zone = "Europe/Berlin"
mon = ["08:00-12:00", "13:00-17:00"]
tue = ["08:00-12:00", "13:00-17:00"]
wed = ["08:00-12:00", "13:00-17:00"]
thu = ["08:00-12:00", "13:00-17:00"]
fri = ["08:00-12:00", "13:00-15:00"]
sat = ["22:00-24:00"]
sun = ["00:00-04:00"]
holidays = ["12-25", "2025-04-18"]

[sla.first_response]
high = 60
medium = 240

[sla.next_response]
high = 120

[routing]
default = "support"

[[team]]
name = "support"
[[team]]
name = "billing"

[[agent]]
name = "lena"
teams = ["billing"]
languages = ["en", "de"]
most = 2
[[agent]]
name = "omar"
teams = ["billing", "support"]
skills = ["billing_inquiry"]
most = 4

[[route]]
name = "bills"
team = "billing"
categories = ["billing_inquiry"]
[[route]]
name = "fires"
team = "support"
urgency_from = 3
"""


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> DeskRules:
    file = tmp_path_factory.mktemp("desk") / "desk.toml"
    file.write_text(DESK)
    return desk_rules.load(file)


def at(written: str) -> datetime:
    """A wall clock in Berlin."""
    return datetime.fromisoformat(written).replace(tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2025-03-10 08:00", "2025-03-10 12:00", 4),  # a morning
        ("2025-03-10 11:00", "2025-03-10 14:00", 2),  # over lunch
        ("2025-03-10 12:10", "2025-03-10 12:50", 0),  # at lunch
        ("2025-03-10 16:00", "2025-03-11 09:00", 2),  # over night
        ("2025-03-14 14:00", "2025-03-17 09:00", 1 + 6 + 1),  # over a week-end with a night shift
        ("2025-04-17 16:00", "2025-04-21 09:00", 1 + 6 + 1),  # Good Friday is none
        ("2024-12-24 16:00", "2024-12-26 09:00", 1 + 1),  # Christmas, every year
        ("2025-03-29 23:00", "2025-03-30 05:00", 1 + 3),  # the clock jumps from 2 to 3
        ("2025-10-25 23:00", "2025-10-26 05:00", 1 + 5),  # and back from 3 to 2
        ("2025-03-10 14:00", "2025-03-10 09:00", 0),
    ],
)
def test_working_time(rules: DeskRules, start: str, end: str, hours: float) -> None:
    assert rules.week.seconds(at(start), at(end)) == hours * 3600


def test_when_so_much_of_it_is_over(rules: DeskRules) -> None:
    assert rules.week.after(at("2025-03-10 11:00"), 2 * 3600) == at("2025-03-10 14:00")
    assert rules.week.after(at("2025-04-17 16:30"), 3600) == at("2025-04-19 22:30")
    assert rules.week.after(at("2025-03-29 23:00"), 4 * 3600) == at("2025-03-30 04:00")
    assert rules.week.next_open(at("2025-03-10 12:30")) == at("2025-03-10 13:00")
    assert rules.week.next_open(at("2025-03-10 13:30")) == at("2025-03-10 13:30")
    assert (rules.week.is_open(at("2025-03-30 01:00")), rules.week.is_open(at("2025-04-18 10:00"))) == (True, False)


moments = st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))  # fmt: skip


@given(moments, st.integers(1, 400_000))
def test_the_two_questions_agree(rules: DeskRules, start: datetime, seconds: int) -> None:
    assert rules.week.seconds(start, rules.week.after(start, seconds)) in (seconds, seconds - 1)


@given(moments, moments, moments)
def test_working_time_adds_up(rules: DeskRules, one: datetime, two: datetime, three: datetime) -> None:
    first, middle, last = sorted((one, two, three))
    parts = rules.week.seconds(first, middle) + rules.week.seconds(middle, last)
    assert abs(parts - rules.week.seconds(first, last)) <= 1
    assert abs(ALWAYS.seconds(first, last) - (last - first).total_seconds()) <= 1


def history(*later: tuple[str, Change], priority: Priority = Priority.HIGH, tier: str = "") -> list[Stamped]:
    """A ticket that was opened on Monday at ten, Berlin time."""
    start = at("2025-03-10 10:00")
    opened = c.Opened(
        id=TicketId("t"), number=1, customer=IdentityId("customer:ada"), subject="", channel=Channel.CHAT,
        brand="Support", priority=priority, asked=None, because="", owner=OwnerType.AI, events=(EventId("e:0"),),
        tier=tier, thread=c.Thread(turns=1, newest_turn=EventId("e:0"), waiting_since=start, first_reply_at=None),
    )  # fmt: skip
    changes = [(start, opened), *((at(when), change) for when, change in later)]
    return [Stamped(at=when, by="x", version=n, change=change) for n, (when, change) in enumerate(changes, 1)]


def status(category: StatusCategory) -> Change:
    return c.StatusChanged(status=category, label=category.value)


ANSWER = c.Replied(event=EventId("e:1"), author=OwnerType.PERSON, author_id="lena")
AGAIN = c.MessageAdded(event=EventId("e:2"))


def clock(rules: DeskRules, name: str, now: str, *later: tuple[str, Change], **more: object) -> sla.Clock:
    found = {each.name: each for each in sla.clocks(history(*later, **more), rules, at(now))}  # type: ignore[arg-type]
    return found[name]


def test_a_promise_runs_and_is_kept_or_broken(rules: DeskRules) -> None:
    running = clock(rules, "first_response", "2025-03-10 10:30")
    assert (running.state, running.elapsed_s, running.due_at) == (State.RUNNING, 1800, at("2025-03-10 11:00"))
    assert running.warn_at == at("2025-03-10 10:45")
    assert clock(rules, "first_response", "2025-03-10 11:00").state is State.BREACHED
    assert clock(rules, "first_response", "2025-03-11 11:00", ("2025-03-10 10:59", ANSWER)).state is State.MET
    late = clock(rules, "first_response", "2025-03-11 11:00", ("2025-03-10 11:01", ANSWER))
    assert (late.state, late.due_at) == (State.BREACHED, None)


def test_lunch_and_tiers_and_urgency_change_when_it_is_due(rules: DeskRules) -> None:
    medium = clock(rules, "first_response", "2025-03-10 10:00", priority=Priority.MEDIUM)
    vip = clock(rules, "first_response", "2025-03-10 10:00", priority=Priority.MEDIUM, tier="vip")
    urgent = clock(rules, "resolution", "2025-03-10 10:00", priority=Priority.URGENT)
    assert medium.due_at == at("2025-03-10 15:00")  # four hours, one of which is lunch
    assert vip.due_at == at("2025-03-10 11:00")
    assert urgent.due_at == at("2025-03-10 14:00")  # round the clock


@pytest.mark.parametrize("held", [StatusCategory.ON_HOLD, StatusCategory.PENDING])
def test_clocks_stand_still_while_a_ticket_is_held_up(rules: DeskRules, held: StatusCategory) -> None:
    stopped = ("2025-03-10 10:20", status(held))
    paused = clock(rules, "first_response", "2025-03-11 10:00", stopped)
    assert (paused.state, paused.elapsed_s, paused.due_at) == (State.PAUSED, 20 * 60, None)
    resumed = ("2025-03-11 10:00", status(StatusCategory.OPEN))
    assert clock(rules, "first_response", "2025-03-11 10:00", stopped, resumed).due_at == at("2025-03-11 10:40")


def test_a_snooze_ends_by_itself_even_if_nobody_looks(rules: DeskRules) -> None:
    snoozed = ("2025-03-10 10:30", c.Snoozed(until=at("2025-03-10 11:30")))
    assert clock(rules, "first_response", "2025-03-10 11:00", snoozed).state is State.PAUSED
    later = clock(rules, "first_response", "2025-03-10 11:40", snoozed)
    assert (later.elapsed_s, later.due_at) == (40 * 60, at("2025-03-10 12:00"))


def test_the_next_response_begins_with_the_next_message(rules: DeskRules) -> None:
    said = (("2025-03-10 10:10", ANSWER), ("2025-03-10 16:00", AGAIN))
    waiting = clock(rules, "next_response", "2025-03-10 16:00", *said)
    assert (waiting.started_at, waiting.due_at) == (at("2025-03-10 16:00"), at("2025-03-11 09:00"))
    resolution = clock(rules, "resolution", "2025-03-10 16:00", *said)
    assert resolution.elapsed_s == 10 * 60  # we waited for them


def test_each_wait_is_warned_of_and_broken_once(rules: DeskRules) -> None:
    past = history()
    told: list[str] = []
    for minute in range(0, 600, 5):
        now = at("2025-03-10 10:00") + timedelta(minutes=minute)
        for change in sla.due(past, rules, now):
            told.append(f"{type(change).__name__} {change.clock}")
            past = [*past, Stamped(at=now, by="system", version=len(past) + 1, change=change)]
    assert told == ["SlaWarning first_response", "SlaBreached first_response"]
    assert sla.next_look(past, rules, at("2025-03-10 20:00")) == sla.clocks(past, rules, at("2025-03-10 20:00"))[0].warn_at  # fmt: skip


def test_routes_are_the_first_row_that_fits_and_the_emptiest_desk(rules: DeskRules) -> None:
    def to(load: dict[str, int], **matter: object) -> tuple[str, str, str]:
        found = route(Matter(**matter), rules.content, load)  # type: ignore[arg-type]
        return found.owner.value, found.owner_id, found.rule

    bill = {"category": "billing_inquiry"}
    assert to({}, language="en", **bill) == ("person", "lena", "bills")
    assert to({"lena": 1}, language="en", **bill) == ("person", "omar", "bills")
    assert to({}, language="fr", **bill) == ("person", "omar", "bills")
    assert to({"lena": 2, "omar": 4}, language="de", **bill) == ("team", "billing", "bills")
    assert to({}, urgency=3) == ("team", "support", "fires")
    assert to({}, category="nobody declared this") == ("team", "support", "default")


@pytest.mark.parametrize(
    ("asked", "urgency", "tier", "paid", "priority"),
    [
        (None, 0, "", 0, Priority.MEDIUM),
        (Priority.LOW, 0, "vip", 0, Priority.LOW),
        (Priority.LOW, 2, "", 0, Priority.HIGH),
        (Priority.HIGH, 0, "", 0, Priority.HIGH),
        (None, 3, "", 0, Priority.URGENT),
        (None, 0, "vip", 0, Priority.HIGH),
        (None, 0, "", 1_000_000, Priority.HIGH),
        (None, 0, "vip", 1_000_000, Priority.HIGH),
        (Priority.URGENT, 3, "vip", 1_000_000, Priority.URGENT),
    ],
)
def test_how_pressing(
    rules: DeskRules, asked: Priority | None, urgency: int, tier: str, paid: int, priority: Priority
) -> None:
    weighed = weigh(asked, urgency, tier, {"payment_amount_90d": paid}, rules.content.priority)
    assert weighed.priority is priority
    assert weighed.because.endswith(".")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[slas]\n", "slas: there is no such key"),
        ("[hours]\nzone = 'Mars/Base'\n", "hours.zone: there is no time zone 'Mars/Base'"),
        ("[hours]\nmon = ['9-17']\n", "hours.mon.0: "),
        ("[hours]\nmon = []\ntue = []\nwed = []\nthu = []\nfri = []\n", "no hour in which anybody works"),
        ("[routing]\ndefault = 'nobody'\n", "routing.default: there is no team 'nobody'"),
        ("[[agent]]\nname = 'lena'\nteams = ['sales']\n", "agent lena: there is no team 'sales'"),
        ("[[route]]\nname = 'x'\nteam = 'support'\ncategories = ['typo']\n", "route x: there is no category 'typo'"),
        ("[statuses]\npending = 'resolved'\n", "statuses: "),
        ("[sla.first_response]\nhigh = 0\n", "sla.first_response.high: "),
        ("brand = \n", "not TOML"),
    ],
)
def test_a_slip_in_the_desk_file_is_named(tmp_path: Path, content: str, complaint: str) -> None:
    file = tmp_path / "desk.toml"
    file.write_text(content)
    with pytest.raises(DeskError) as refused:
        desk_rules.load(file)
    assert complaint in str(refused.value)
    assert str(refused.value).startswith(f"{file}: ")
    assert "\n" not in str(refused.value)


def test_an_organisation_has_words_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "desk.toml"
    file.write_text("[statuses]\nwaiting_for_shop = 'on_hold'\n")
    own = desk_rules.load(file)
    assert own.status_of("waiting_for_shop") is StatusCategory.ON_HOLD
    assert own.version != desk_rules.load().version
    with pytest.raises(DeskError, match="No such file"):
        desk_rules.load(tmp_path / "nowhere.toml")
