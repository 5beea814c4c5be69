"""When to act: the customer's own hours, quiet and business hours, urgency; never before now, never a constant."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from decide_cases import NOON_IN_NEW_YORK, asked, context_of, replied
from examples import tries
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.decide import hours, timing
from harken.decide.hours import Reach
from harken.decide.policy import Policy, load
from harken.decide.policy_file import Business, Quiet
from harken.domain.decision import Action

POLICY = load()
MIDNIGHT_IN_LONDON = datetime(2026, 1, 14, 0, 30, tzinfo=UTC)
LONDON = ZoneInfo("Europe/London")
CALL = [asked(9), replied(8), asked(7), replied(6), asked(5), replied(4), asked(3)]


def own(folder: Path, text: str) -> Policy:
    path = folder / "policy.toml"
    path.write_text(text, "utf-8")
    return load(path)


def in_hour(hour: int, messages: int = 400) -> tuple[int, ...]:
    """A customer who always writes in one UTC hour."""
    return tuple(messages if place == hour else 0 for place in range(24))


@given(
    action=st.sampled_from(Action),
    minutes=st.integers(0, 366 * 24 * 60),
    waited_h=st.floats(0, 200),
    ours_was_last=st.booleans(),
    urgency=st.integers(0, 3),
    zone=st.sampled_from([None, "Asia/Tokyo", "America/New_York", "Asia/Kathmandu", "No/Where"]),
    histogram=st.lists(st.integers(0, 9), min_size=24, max_size=24),
)
@settings(max_examples=tries(60), deadline=None)
def test_never_in_the_past_never_past_a_week_and_never_in_quiet_hours(  # noqa: PLR0913, PLR0917  one value per input
    action: Action,
    minutes: int,
    waited_h: float,
    ours_was_last: bool,
    urgency: int,
    zone: str | None,
    histogram: list[int],
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    turns = [asked(waited_h, urgency=urgency)] + ([replied(waited_h / 2)] if ours_was_last else [])
    context = context_of(turns, now, hours=tuple(histogram), zone=zone)
    at = timing.send_at(action, context, POLICY)
    assert now <= at <= now + timedelta(days=8)
    assert at.utcoffset() == timedelta(0)
    if action is Action.FOLLOW_UP_EMAIL and urgency < 2:
        homes = ("America/New_York", "Europe/London") if zone in (None, "No/Where") else (zone,)
        assert all(8 <= at.astimezone(ZoneInfo(home)).hour < 21 for home in homes)


def test_a_nudge_waits_for_the_hour_in_which_they_write() -> None:
    context = context_of([asked(60), replied(50)], zone="Europe/London", hours=in_hour(18))
    at = timing.send_at(Action.PROPOSE_CLOSE, context, POLICY)
    assert at.astimezone(UTC).hour == 18
    assert at.date() == NOON_IN_NEW_YORK.date()


def test_who_waits_is_answered_sooner_than_their_usual_hour() -> None:
    even = (3,) * 24
    waiting = context_of([asked(3)], zone="Europe/London", hours=even)
    assert timing.send_at(Action.ANSWER, waiting, POLICY) == NOON_IN_NEW_YORK


def test_a_moment_in_another_zone_is_told_in_utc() -> None:
    now = NOON_IN_NEW_YORK.astimezone(ZoneInfo("America/New_York"))
    at = timing.send_at(Action.ANSWER, context_of([asked(0.5)], now), POLICY)
    assert at == now
    assert at.tzinfo is UTC


def test_pressing_shortens_the_delay() -> None:
    histogram = tuple(9 if hour == 19 else 4 for hour in range(24))
    calm = context_of([asked(3)], zone="Europe/London", hours=tuple(n * 60 for n in histogram))
    pressing = context_of([asked(3, urgency=1)], zone="Europe/London", hours=tuple(n * 60 for n in histogram))
    assert timing.send_at(Action.ANSWER, pressing, POLICY) <= timing.send_at(Action.ANSWER, calm, POLICY)


def test_the_unknown_zone_takes_the_hours_of_every_market() -> None:
    at = timing.send_at(Action.ANSWER, context_of([asked(3)], MIDNIGHT_IN_LONDON), POLICY)
    assert 13 <= at.hour < 21  # eight in New York to nine in London
    assert at.date() == MIDNIGHT_IN_LONDON.date()


@pytest.mark.parametrize("channel", ["twitter", "email", "chat"])
def test_a_fresh_message_is_answered_at_night(channel: str) -> None:
    fresh = context_of([asked(0.5, channel=channel)], MIDNIGHT_IN_LONDON, zone="Europe/London")
    assert timing.send_at(Action.ANSWER, fresh, POLICY) == MIDNIGHT_IN_LONDON
    assert timing.send_at(Action.ASK_DETAILS, fresh, POLICY) == MIDNIGHT_IN_LONDON
    assert timing.send_at(Action.FOLLOW_UP_EMAIL, fresh, POLICY) > MIDNIGHT_IN_LONDON


def test_nobody_is_called_outside_business_hours_however_urgent() -> None:
    context = context_of([*CALL, asked(0.2, urgency=3)], MIDNIGHT_IN_LONDON, zone="Europe/London")
    at = timing.send_at(Action.CALL_BACK, context, POLICY).astimezone(ZoneInfo("America/New_York"))
    assert at.weekday() < 5
    assert 9 <= at.hour < 18
    assert timing.send_at(Action.HAND_TO_PERSON, context, POLICY) == MIDNIGHT_IN_LONDON


def test_a_person_has_it_with_the_first_working_hour() -> None:
    saturday = datetime(2026, 3, 14, 15, tzinfo=UTC)
    at = timing.send_at(Action.HAND_TO_PERSON, context_of([asked(3)], saturday), POLICY)
    local = at.astimezone(ZoneInfo("America/New_York"))
    assert (local.weekday(), local.hour) == (0, 9)


def test_a_customer_who_is_never_awake_while_we_work_is_not_called(tmp_path: Path) -> None:
    policy = own(tmp_path, "[business]\nzone = 'Asia/Tokyo'\nopens = '10:00'\ncloses = '12:00'\n")
    context = context_of(CALL, zone="America/New_York")
    assert not timing.case_at(context, policy).call_possible
    at = timing.send_at(Action.CALL_BACK, context, policy).astimezone(ZoneInfo("Asia/Tokyo"))
    assert 10 <= at.hour < 12


def test_without_quiet_hours_the_night_is_as_good_as_the_day(tmp_path: Path) -> None:
    policy = own(tmp_path, "[quiet]\nstarts = '00:00'\nends = '00:00'\n[timing]\nprior_hours = [" + "1, " * 24 + "]\n")
    context = context_of([asked(3)], MIDNIGHT_IN_LONDON)
    assert timing.send_at(Action.ANSWER, context, policy) == MIDNIGHT_IN_LONDON


def test_where_clocks_close_the_last_permitted_hour_it_goes_now() -> None:
    never = Quiet(starts="00:00", ends="24:00", market_zones=("UTC",))
    business = Business(days=("mon",), opens="09:00", closes="17:00", zone="UTC")
    policy = replace(POLICY, calendar=hours.Calendar(business, never, POLICY.timing))
    assert timing.send_at(Action.ANSWER, context_of([asked(3)]), policy) == NOON_IN_NEW_YORK


def test_a_zone_that_leaves_no_whole_hour_takes_those_of_the_markets(tmp_path: Path) -> None:
    policy = own(tmp_path, "[quiet]\nstarts = '09:00'\nends = '08:00'\nmarket_zones = ['Europe/London']\n")
    context = context_of([asked(3)], MIDNIGHT_IN_LONDON, zone="Asia/Kathmandu")
    assert timing.send_at(Action.ANSWER, context, policy).hour == 8


@pytest.mark.parametrize(
    ("turns", "hours_later"),
    [
        ([asked(1)], 3),  # the answer we promised within 4 h
        ([asked(9)], 24),  # overdue: tomorrow
        ([asked(6), replied(5)], 43),  # the close after 48 h
        ([asked(6), replied(5, says=["asks_details"])], 19),  # the reminder after 24 h
        ([asked(60), replied(50, says=["asks_details"]), replied(20, says=["asks_details"])], 28),
        ([asked(6), replied(5), asked(4, says=["thanks"])], 44),
    ],
)
def test_waiting_ends_when_the_next_thing_falls_due(turns: list[dict[str, object]], hours_later: int) -> None:
    at = timing.send_at(Action.WAIT, context_of(turns), POLICY)
    assert at - NOON_IN_NEW_YORK == timedelta(hours=hours_later)


def test_caps_push_the_next_look_until_they_end() -> None:
    turns = [asked(40), replied(39), replied(20), replied(6)]
    capped = context_of(turns, features={"contacts_24h": 3, "contacts_7d": 3})
    assert timing.send_at(Action.WAIT, capped, POLICY) - NOON_IN_NEW_YORK == timedelta(hours=42)
    week = context_of(turns, features={"contacts_24h": 0, "contacts_7d": 8})
    assert timing.send_at(Action.WAIT, week, POLICY) - NOON_IN_NEW_YORK == timedelta(hours=7 * 24 - 39)


def test_people_are_spread_over_a_later_hour() -> None:
    moments = {
        timing.send_at(
            Action.ANSWER, context_of([asked(3)], MIDNIGHT_IN_LONDON, str(number), zone="Europe/London"), POLICY
        )
        for number in range(30)
    }
    assert len(moments) > 5
    assert {at.hour for at in moments} == {min(moments).hour}


def test_the_calendar_forgets_rather_than_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hours, "CACHED", 2)
    calendar = load().calendar
    seen = [calendar.slots(Reach.MESSAGE, "Europe/London", day * 86_400) for day in range(6)]
    assert all(len(slots.offsets) > 80 for slots in seen)
    assert sum(seen[0].prior) == pytest.approx(1)
