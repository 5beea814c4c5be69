"""The algebra: order and partition never matter, and zero adds nothing."""

from functools import reduce
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.profiles import aggregates
from harken.profiles.aggregates import BUCKET_BOUNDS, COUNT, DISTINCT, HIGHEST, LAST, LOWEST, MEAN, MODE, P90, TOTAL

NUMERIC = [COUNT, TOTAL, MEAN, LOWEST, HIGHEST, LAST, P90]
TEXTUAL = [COUNT, LAST, MODE, DISTINCT, LOWEST, HIGHEST]
WITH_VALUES = [(aggregate, st.integers(-(10**6), 10**6)) for aggregate in NUMERIC] + [
    (aggregate, st.sampled_from(["chat", "email", "phone"])) for aggregate in TEXTUAL
]


@pytest.mark.parametrize(("aggregate", "values"), WITH_VALUES, ids=lambda given: getattr(given, "name", ""))
@given(data=st.data())
def test_any_order_and_any_partition_give_one_answer(
    aggregate: aggregates.Aggregate, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    drawn = data.draw(st.lists(st.tuples(values, st.integers(0, 5)), max_size=8))
    cells = [aggregate.lift(value, at) for value, at in drawn]
    shuffled = data.draw(st.permutations(cells))
    cut = data.draw(st.integers(0, len(cells)))

    def merged(parts: list[Any]) -> Any:
        return reduce(aggregate.merge, parts, aggregate.zero)

    together = merged(cells)

    assert aggregate.merge(merged(shuffled[:cut]), merged(shuffled[cut:])) == together
    assert aggregate.merge(together, aggregate.zero) == together


def test_merging_leaves_both_parts_as_they_were() -> None:
    for aggregate in (MODE, DISTINCT, MEAN, P90):
        a, b = aggregate.lift(1, 0), aggregate.lift(2, 0)
        aggregate.merge(a, b)

        assert a == aggregate.lift(1, 0)
        assert b == aggregate.lift(2, 0)


def test_nothing_seen_is_nothing_said() -> None:
    assert [a.final(a.zero) for a in (COUNT, TOTAL, DISTINCT)] == [0, 0, 0]
    assert [a.final(a.zero) for a in (MEAN, LOWEST, HIGHEST, LAST, MODE, P90)] == [None] * 6


def test_two_values_at_one_moment_are_settled_by_value() -> None:
    assert LAST.final(LAST.merge(LAST.lift("email", 9), LAST.lift("chat", 9))) == "email"
    assert MODE.final({"phone": 2, "chat": 2, "email": 1}) == "chat"


def test_the_mean_is_exact() -> None:
    assert MEAN.final([-3, 2]) == -1.5


def test_a_set_says_at_most_its_bound() -> None:
    many = reduce(DISTINCT.merge, ([f"{number:04}"] for number in range(1_200)), DISTINCT.zero)

    assert DISTINCT.final(many) == aggregates.MAX_DISTINCT
    assert many[-1] == "0999"


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=40))
def test_p90_is_at_most_five_per_cent_above_the_nearest_rank(values: list[int]) -> None:
    told = P90.final(reduce(P90.merge, [P90.lift(value, 0) for value in values]))
    true = sorted(values)[-(-len(values) * 9 // 10) - 1]

    assert isinstance(told, int)
    assert true <= told <= max(true + 1, true * 1.05)


def test_buckets_are_closed_at_both_ends() -> None:
    assert aggregates.bucket(-7) == aggregates.bucket(0) == "0"
    assert aggregates.bucket(10**30) == str(len(BUCKET_BOUNDS) - 1)
    assert all(low < high for low, high in pairwise(BUCKET_BOUNDS))
