"""What a keyed stream engine keeps of an identity: every event once, in any order, and on through a change of features."""

import json
from random import Random
from typing import Any

import pytest
from profiles_events import START_US, Row, after, event, folded, pruned_bytes, random_log

from harken.profiles import keyed, plan, read, stored
from harken.profiles.features import DAY_US, EVENT_FEATURES, Feature
from harken.profiles.keyed import Keeper, Kept, Outcome

LONG_US = 400 * DAY_US
ADDED = [feature for feature in EVENT_FEATURES if feature.name != "last_seen_at"][::4]
"""Without the one that is missing here nothing would say what a state covers."""


class Ids(dict[str, int]):
    def contains(self, key: str) -> bool:
        return key in self

    def put(self, key: str, value: int) -> None:
        self[key] = value

    def remove(self, key: str) -> None:
        del self[key]


class Engine:
    """One identity's place in a stream engine."""

    def __init__(self, remembered_us: int = LONG_US) -> None:
        self.kept: Kept | None = None
        self.ids = Ids()
        self.keeper = Keeper(remembered_us)

    def take(self, row: Row) -> Outcome:
        outcome, self.kept = self.keeper.take(self.kept, row, self.ids)
        return outcome


def log_of(size: int, seed: int = 1) -> list[Row]:
    return [row | {"id": f"web:{number}"} for number, row in enumerate(random_log(size, seed, 1)) if row["identity"]]


@pytest.mark.parametrize("seed", range(5))
def test_twice_and_in_any_order_is_the_fold(seed: int) -> None:
    rows = log_of(200, seed)
    sent = [*rows, *rows[::3]]
    Random(seed).shuffle(sent)
    engine = Engine()
    outcomes = [engine.take(keyed.event_from(json.dumps(row))) for row in sent]

    assert engine.kept is not None
    assert {"web:0": engine.kept.state} == pruned_bytes(folded(rows))
    assert engine.kept.version == len(rows) == outcomes.count(Outcome.FOLDED)
    assert outcomes.count(Outcome.DUPLICATE) == len(sent) - len(rows)
    assert keyed.kept_from(str(engine.kept)) == engine.kept


def test_ids_are_forgotten_and_what_is_older_is_not_counted_again() -> None:
    engine = Engine(remembered_us=10 * DAY_US)
    days = [event(START_US + day * DAY_US, id=f"web:{day}") for day in range(100)]
    for row in days:
        assert engine.take(row) is Outcome.FOLDED

    assert engine.kept is not None
    before = engine.kept
    assert len(engine.ids) == 11
    assert [engine.take(row) for row in days[:89]] == [Outcome.TOO_LATE] * 89
    assert [engine.take(row) for row in days[89:]] == [Outcome.DUPLICATE] * 11
    assert engine.kept is before


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("rubbish", "JSON"),
        ("[1]", "no JSON object"),
        (json.dumps(event(id=None)), "no id"),
        (json.dumps(event(identity=None)), "no identity"),
        (json.dumps(event(START_US, kind="sneeze")), "kind"),
        (json.dumps(event(START_US) | {"at": "noon"}), "no at"),
        (json.dumps(event(START_US * 1_000)), "microseconds"),
    ],
)
def test_what_is_no_event_is_refused_without_its_words(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        keyed.event_from(line)


@pytest.mark.parametrize(
    "wrong", [{"signals": "many"}, {"sentiment": "bad"}, {"attributes": "{"}, {"attributes": "[1]"}]
)
def test_a_column_of_another_type_leaves_everything_as_it_was(wrong: dict[str, Any]) -> None:
    engine = Engine()
    engine.take(event(id="web:1", sentiment=5))
    before = engine.kept
    missing = event(id="web:3")
    del missing["urgency"]

    assert engine.take(event(id="web:2") | wrong) is Outcome.UNSUITABLE
    assert engine.take(missing) is Outcome.UNSUITABLE
    assert engine.kept is before
    assert engine.ids.keys() == {"web:1"}


@pytest.mark.parametrize("added", ADDED, ids=lambda feature: feature.name)
def test_a_feature_more_leaves_the_others_as_they_are(added: Feature) -> None:
    """The state of fewer features, carried on and folded further, reads as all features do of the later events."""
    fewer = plan.plan_of([feature for feature in EVENT_FEATURES if feature is not added])
    rows = sorted(log_of(300), key=lambda row: row["at"])
    earlier, later = rows[:200], rows[200:]
    engine, before = Engine(), Keeper(LONG_US, fewer)
    for row in earlier:
        _, engine.kept = before.take(engine.kept, row, engine.ids)
    assert engine.kept is not None
    engine.kept = engine.keeper.carried(engine.kept, before.layout)
    for row in later:
        assert engine.take(row) is Outcome.FOLDED

    assert engine.kept.layout == engine.keeper.layout_name
    assert engine.kept.version == len(rows)
    found = read.read([stored.from_bytes(engine.kept.state)], after(rows))
    expected = read.read([folded(rows)["web:0"]], after(rows))
    if any(plan.measure_of(added) in lane.measures for lane in fewer.lanes if lane.key == lane_of(added).key):
        expected[added.name] = found[
            added.name
        ]  # another window of a cell that was kept reaches back as far as its tiles
    else:
        expected[added.name] = read.read([folded(later)["web:0"]], after(rows))[added.name]
    assert found == expected


def lane_of(feature: Feature) -> plan.Lane:
    return next(
        lane
        for lane in plan.CUSTOMER.lanes
        if any(reading.name == feature.name for _, readings in lane.readings for reading in readings)
    )


def test_a_state_of_another_form_is_refused() -> None:
    engine = Engine()
    engine.take(event())
    assert engine.kept is not None

    with pytest.raises(ValueError, match="start afresh"):
        engine.keeper.carried(engine.kept, json.dumps({lane.key: ["something else"] for lane in plan.CUSTOMER.lanes}))


def test_a_layout_has_one_name_everywhere() -> None:
    assert Keeper(0, plan.plan_of(EVENT_FEATURES)).layout_name == Keeper(LONG_US).layout_name
    assert Keeper(0, plan.plan_of(EVENT_FEATURES[:-1])).layout_name != Keeper(0).layout_name
