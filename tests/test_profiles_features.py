"""The declarations: complete, unmistakable, and the same columns on every engine."""

import subprocess
import sys
from dataclasses import replace

import pytest
from profiles_events import ENGINES, event, random_log, table_of

from harken.domain.event import Kind
from harken.profiles import features, plan
from harken.profiles.columns import ATTRIBUTES, LARGEST, attributes_of, columns_of
from harken.profiles.compile import TEXT_COLUMNS, with_columns
from harken.profiles.features import CONVERSATION_FEATURES, EVENT_FEATURES, FEATURES, definitions_hash, hash_of


def test_there_are_enough_and_each_says_why() -> None:
    assert len(EVENT_FEATURES) >= 22
    assert len({feature.name for feature in FEATURES}) == len(FEATURES)
    assert all(feature.why.endswith(".") for feature in FEATURES)
    assert len(CONVERSATION_FEATURES) >= 12


def test_every_column_and_condition_exists() -> None:
    columns = columns_of(event())

    for feature in EVENT_FEATURES:
        assert {feature.column, *feature.where} <= columns.keys(), feature.name


def test_lanes_have_unmistakable_keys_whatever_kinds_come() -> None:
    every_kind = [replace(feature, where={"kind": kind.value}) for feature in EVENT_FEATURES for kind in Kind]
    lanes = plan.plan_of([*EVENT_FEATURES, *every_kind]).lanes

    assert len({lane.key for lane in lanes}) == len(lanes)


def test_features_that_differ_in_window_share_a_measure() -> None:
    hours = next(lane for lane in plan.CUSTOMER.lanes if lane.key == "mr.h")
    (day, week) = hours.readings

    assert next(r.cell for r in day[1] if r.name == "messages_24h") == next(
        r.cell for r in week[1] if r.name == "messages_7d"
    )


def test_a_plan_that_cannot_say_how_new_it_is_is_refused() -> None:
    with pytest.raises(ValueError, match="newest event"):
        plan.plan_of([feature for feature in EVENT_FEATURES if feature.name != "last_seen_at"])


def test_the_hash_follows_the_definitions_and_nothing_else() -> None:
    first, *others = EVENT_FEATURES

    assert definitions_hash() == hash_of(FEATURES)
    assert hash_of((replace(first, why="For another reason."), *others)) == hash_of(EVENT_FEATURES)
    for changed in (
        replace(first, window="7d"),
        replace(first, column="hour"),
        replace(first, where={"urgent": 1}),
        replace(first, name="things"),
    ):
        assert hash_of((changed, *others)) != hash_of(EVENT_FEATURES)


def test_the_hash_is_the_same_in_another_process() -> None:
    code = "from harken.profiles.features import definitions_hash; print(definitions_hash())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == definitions_hash()


def test_windows_short_of_twelve_days_step_by_the_hour() -> None:
    steps = {feature.window: feature.hop_us for feature in FEATURES}

    assert steps["24h"] == steps["7d"] == features.HOUR_US
    assert steps["30d"] == steps["90d"] == features.DAY_US
    assert steps[None] is None


def test_an_attribute_of_another_type_counts_as_absent() -> None:
    told = attributes_of('{"amount_minor": "12", "success": 1, "granted": false, "channel": "email", "zone": 7}')

    known = {name: value for name, value in told.items() if value is not None}
    assert known == {"granted": 0, "consent_to": "email"}
    assert told.keys() == ATTRIBUTES.keys()
    assert attributes_of({"amount_minor": LARGEST + 1})["amount_minor"] is None
    assert attributes_of({"amount_minor": True})["amount_minor"] is None
    assert attributes_of({"amount_minor": -LARGEST})["amount_minor"] == -LARGEST


@pytest.mark.parametrize("engine", ENGINES)
def test_live_and_batch_derive_the_same_columns(engine: str) -> None:
    rows = [row for row in random_log(300) if row["identity"]]
    names = sorted(columns_of(rows[0]))

    frame = with_columns(ENGINES[engine](table_of(rows))).select(*names).collect("pyarrow").to_native()

    def key(row: dict[str, object]) -> str:
        return str([row[name] for name in names])

    assert sorted(frame.to_pylist(), key=key) == sorted([columns_of(row) for row in rows], key=key)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_loader_without_typed_events_may_leave_their_columns_out(engine: str) -> None:
    thin = table_of([event()]).drop_columns(list(ATTRIBUTES))

    (row,) = with_columns(ENGINES[engine](thin)).collect("pyarrow").to_native().to_pylist()

    assert [row[name] for name in ATTRIBUTES] == [None] * len(ATTRIBUTES)


def test_texts_are_known_as_texts() -> None:
    texts = {name for name, value in columns_of(event(addressed_to="bank")).items() if isinstance(value, str)}

    assert texts | {name for name, (_, kind) in ATTRIBUTES.items() if kind is str} == TEXT_COLUMNS | {"kind"}


def test_derived_features_name_features_and_survive_their_absence() -> None:
    names = {feature.name for feature in FEATURES}
    nothing = {feature.name: None if feature.aggregate.zero is None else 0 for feature in FEATURES}

    assert all(names.issuperset(feature.of) for feature in features.DERIVED_FEATURES)
    assert features.derived(nothing) == {
        "engagement_30d": 0,
        "spending_shift": None,
        "last_support_contact_at": None,
    }


def test_derived_features_say_what_they_say() -> None:
    told = {
        "pages_30d": 4, "screens_30d": 3, "logins_30d": 2, "messages_30d": 1, "payments_30d": 5,
        "payment_amount_7d": 70, "payment_amount_90d": 450,
        "last_contact_at": 7, "last_support_call_at": None, "last_branch_visit_at": 9,
    }  # fmt: skip

    assert features.derived(told) == {
        "engagement_30d": 29,
        "spending_shift": 2.0,
        "last_support_contact_at": 9,
    }
