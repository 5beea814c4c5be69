"""One identity's state: late events, moments, pruning, and customers with several identities."""

import pytest
from profiles_events import START_US, Row, after, event, random_log

from harken.domain.event import Signal
from harken.profiles import fold, plan, read, stored
from harken.profiles.features import DAY_US, EVENT_FEATURES, HOUR_US


def state_of(*rows: Row) -> fold.State:
    state: fold.State = {}
    for row in rows:
        fold.fold(state, row)
    return state


def mine(log: list[Row], who: str) -> list[Row]:
    return [row for row in log if row["identity"] == who]


def test_a_late_event_lands_where_it_happened() -> None:
    early = event(START_US, channel="phone", sentiment=-800)
    late = event(START_US + DAY_US, channel="chat", sentiment=400)

    values = read.read([state_of(late, early)], START_US + DAY_US + 1)

    assert values["last_channel"] == "chat"
    assert values["last_sentiment"] == 400
    assert values["worst_sentiment_7d"] == -800
    assert values["first_seen_at"] == START_US // 1_000_000
    assert values["messages_24h"] == 2


def test_a_window_ends_at_the_moment_and_begins_on_its_hop() -> None:
    state = state_of(event(START_US))
    begins = START_US // HOUR_US * HOUR_US

    def messages(as_of_us: int) -> object:
        return read.read([state], as_of_us)["messages_24h"]

    assert messages(START_US + 1) == 1
    assert messages(begins + 25 * HOUR_US - 1) == 1
    assert messages(begins + 25 * HOUR_US) == 0


def test_only_moments_after_the_newest_event_are_covered() -> None:
    state = state_of(event(START_US), event(START_US - DAY_US))

    assert fold.covers(state, START_US + 1)
    assert not fold.covers(state, START_US)
    assert fold.covers({}, START_US)
    assert fold.newest_us({}) is None


def test_earlier_moments_are_read_from_the_log() -> None:
    log = [event(START_US), event(START_US + HOUR_US), event(START_US + 2 * HOUR_US)]

    assert read.read_from_events(log, START_US + HOUR_US)["messages"] == 1
    assert read.read_from_events(log, START_US + HOUR_US + 1)["messages"] == 2
    assert read.read_from_events(log, START_US)["messages"] == 0


@pytest.mark.parametrize("days_later", [0, 1, 6, 8, 29, 31, 89, 91, 400])
def test_pruning_changes_no_answer(days_later: int) -> None:
    log = random_log(300)
    for who in ("web:0", "web:1"):
        state = state_of(*mine(log, who))
        as_of_us = after(mine(log, who)) + days_later * DAY_US

        assert read.read([fold.prune(state)], as_of_us) == read.read([state], as_of_us)
        assert read.hours([fold.prune(state)], as_of_us) == read.hours([state], as_of_us)


def test_pruning_lets_old_tiles_go_and_keeps_what_is_for_ever() -> None:
    state = state_of(event(START_US, identity="web:ada"), event(START_US + 200 * DAY_US))

    pruned = fold.prune(state)

    assert {lane: len(tiles) for lane, tiles in pruned.items()} == {"*": 1, "mr": 1, "mr.d": 1, "mr.h": 1}
    assert fold.prune(pruned) == pruned
    assert fold.prune({}) == {}


def test_an_event_too_late_for_any_window_is_pruned_again() -> None:
    state = fold.prune(state_of(event(START_US + 200 * DAY_US)))
    in_order = fold.prune(state_of(event(START_US), event(START_US + 200 * DAY_US)))

    assert fold.prune(fold.fold(state, event(START_US))) == in_order


def test_pruning_leaves_out_a_lane_without_a_reachable_tile() -> None:
    paid = event(START_US, kind="payment", attributes={"amount_minor": 500})

    assert "p.d" not in fold.prune(state_of(paid, event(START_US + 200 * DAY_US)))


def test_identities_merge_and_part_again() -> None:
    log = random_log(200)
    one, two = state_of(*mine(log, "web:0")), state_of(*mine(log, "web:1"))
    as_of_us = after(log)
    alone = read.read([one], as_of_us)

    together = read.read([one, two], as_of_us)

    assert together == read.read([state_of(*mine(log, "web:0"), *mine(log, "web:1"))], as_of_us)
    assert together == read.read([fold.merge_states(one, two)], as_of_us)
    assert read.read([one], as_of_us) == alone


def test_merging_states_leaves_both_as_they_were() -> None:
    one, two = state_of(event(START_US)), state_of(event(START_US, channel="chat"))
    before = stored.to_bytes(one), stored.to_bytes(two)

    fold.fold(fold.merge_states(one, two), event(START_US))

    assert (stored.to_bytes(one), stored.to_bytes(two)) == before


def test_a_stored_state_comes_back_and_goes_on() -> None:
    first, second = event(START_US, signals=Signal.ANGRY), event(START_US + 1, signals=Signal.ANGRY | Signal.THANKS)

    state = fold.fold(stored.from_bytes(stored.to_bytes(state_of(first))), second)

    assert stored.to_bytes(state) == stored.to_bytes(state_of(second, first))
    values = read.read([state], START_US + 2)
    assert (values["angry_30d"], values["thanks_90d"]) == (2, 1)


def test_someone_without_events_has_every_feature_empty() -> None:
    values = read.read([], START_US)

    assert list(values) == [feature.name for feature in EVENT_FEATURES]
    assert values == dict(plan.CUSTOMER.empty)
    assert (values["messages"], values["last_channel"]) == (0, None)


def test_typed_events_have_their_own_features() -> None:
    rows = [
        event(START_US, kind="payment", attributes={"amount_minor": 1_250}),
        event(START_US + 1, kind="payment", attributes={"amount_minor": 750}),
        event(START_US + 2, kind="login", attributes={"success": False}),
        event(START_US + 3_000_000, kind="login", attributes={"success": True}),
        event(START_US + 4, kind="transaction", attributes={"zone": "Europe/Lisbon"}),
    ]

    values = read.read([state_of(*rows)], START_US + HOUR_US)

    assert (values["payments_30d"], values["payment_amount_30d"], values["transactions_30d"]) == (2, 2_000, 1)
    assert (values["failed_logins_24h"], values["last_login_at"]) == (1, START_US // 1_000_000 + 3)
    assert values["zone"] == "Europe/Lisbon"
    assert values["messages"] == 0


def test_the_last_word_on_consent_counts() -> None:
    def told(at_us: int, channel: str, granted: bool) -> Row:
        return event(at_us, kind="consent", attributes={"channel": channel, "granted": granted})

    rows = [told(START_US + 1, "phone", False), told(START_US, "phone", True), told(START_US, "email", True)]

    values = read.read([state_of(*rows)], START_US + 2)

    assert read.consents(values) == {"phone": False, "email": True}
    assert read.consents(read.read([], START_US)) is None


def test_hours_are_those_of_the_last_ninety_days() -> None:
    midnight = START_US // DAY_US * DAY_US
    rows = [event(midnight + 9 * HOUR_US), event(midnight + 9 * HOUR_US + DAY_US), event(midnight + 22 * HOUR_US)]
    old = event(midnight - 100 * DAY_US)

    histogram = read.hours([state_of(*rows), state_of(old)], midnight + 2 * DAY_US)

    assert len(histogram) == 24
    assert (histogram[9], histogram[22], sum(histogram)) == (2, 1, 3)
    assert read.hours([], START_US) == (0,) * 24
    assert read.read([state_of(*rows)], midnight + 2 * DAY_US)["active_hour_90d"] == 9
