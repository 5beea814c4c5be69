"""From scores to the order that is shown: fusion, what each part adds, and the figures."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_cases import NOW, candidate

from harken.domain.document import DocumentClass, Scope
from harken.knowledge import fuse, measures, rank
from harken.knowledge.found import Candidate, Hit

WORDLLAMA = fuse.RECIPES["wordllama"]


@settings(deadline=None)
@given(st.lists(st.tuples(st.none() | st.floats(-1, 1), st.none() | st.floats(0, 1)), min_size=1, max_size=9))
def test_a_fused_score_is_a_share_and_grows_with_both_legs(pairs: list[tuple[float | None, float | None]]) -> None:
    dense, lexical = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    scores = fuse.legs(dense, lexical, WORDLLAMA).sum(axis=1)
    more = fuse.legs(dense, [1.0] * len(pairs), WORDLLAMA).sum(axis=1)

    assert all(0 <= score <= 1 for score in scores)
    assert all(more >= scores)


def test_a_missing_cosine_is_as_far_as_the_farthest() -> None:
    scores = fuse.legs([0.9, 0.4, None], [None, None, None], WORDLLAMA).sum(axis=1)

    assert scores.tolist() == pytest.approx([0.54, 0.24, 0.24])


@settings(deadline=None)
@given(st.integers(0, 12))
def test_shares_are_a_whole(n: int) -> None:
    assert sum(fuse.shares(n)) == pytest.approx(1 if n else 0)


def test_looking_for_the_mean_of_the_parts_gives_the_mean_of_their_cosines() -> None:
    chance = np.random.default_rng(7)
    asked = chance.normal(size=(4, 8)).astype(np.float32)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    texts = chance.normal(size=(30, 8)).astype(np.float32)
    of_parts = np.asarray(fuse.shares(4)) @ (asked @ texts.T)

    together = fuse.question_vector(asked) @ texts.T

    assert np.argsort(together).tolist() == np.argsort(of_parts).tolist()


def test_a_passage_without_a_word_has_no_direction() -> None:
    nothing = np.zeros((1, 4), np.float32)

    assert fuse.passage_vectors(nothing, nothing, WORDLLAMA).tolist() == [[0, 0, 0, 0]]


def ranked(*candidates: Candidate, **options: object) -> list[Hit]:
    asked = options.pop("asked", {"fee": 0.6, "month": 0.4})
    return rank.ranked(candidates, asked, recipe=WORDLLAMA, now=NOW, **options)  # type: ignore[arg-type]


def test_the_parts_of_a_hit_add_up_and_have_names() -> None:
    [hit] = ranked(candidate(dense=1.0, lexical=1.0), weights=rank.Weights(coverage=0.1, title=0.1))

    assert hit.score == pytest.approx(sum(hit.parts.values()))
    assert 0 < hit.score <= 1
    assert set(hit.parts) == {"meaning", "words", "coverage", "title", "recency", "authority"}
    assert hit.why == "says 100% of what was asked (60% in the title), meaning 1.00; product of 2026-03-01"


def test_the_order_does_not_depend_on_the_order_of_the_candidates() -> None:
    some = [candidate("b", 1), candidate("a", 2), candidate("a", 1), candidate("c", dense=0.9)]

    assert ranked(*some) == ranked(*reversed(some))
    assert [(h.passage.document_id, h.passage.ordinal) for h in ranked(*some)] == [
        ("c", 0),
        ("a", 1),
        ("a", 2),
        ("b", 1),
    ]


def test_of_two_that_say_the_same_the_newer_and_the_more_binding_wins() -> None:
    old = candidate("a", added_at=NOW - timedelta(days=900))
    in_force = candidate("b", added_at=NOW - timedelta(days=900), effective_from=NOW)
    policy = candidate("c", scope=Scope(document_class=DocumentClass.POLICY))
    hearsay = candidate("d", scope=Scope(document_class=DocumentClass.SUPPORT_LOG))

    assert [hit.passage.document_id for hit in ranked(old, in_force, policy, hearsay)] == ["c", "b", "d", "a"]


def test_a_better_answer_is_not_overruled_by_age() -> None:
    old = candidate("a", dense=0.6, added_at=NOW - timedelta(days=9000))

    assert ranked(candidate("b", dense=0.5), old)[0].passage.document_id == "a"


def test_what_says_more_of_the_question_wins_where_it_is_weighed() -> None:
    found = ranked(candidate("wires"), candidate("fees"), weights=rank.Weights(coverage=0.1))

    assert [hit.passage.document_id for hit in found] == ["fees", "wires"]
    assert found[0].parts["coverage"] > found[1].parts["coverage"] == 0


def test_a_judge_has_his_share() -> None:
    found = ranked(
        candidate("a", 1, dense=0.9), candidate("b", 2, dense=0.1), candidate("c", 3), judged={1: 0.1, 2: 1.0}
    )

    assert [hit.passage.document_id for hit in found] == ["b", "a", "c"]
    assert found[0].parts["judge"] == 0.5
    assert found[0].why.endswith("; judged 1.00")
    assert "judged" not in found[2].why


def test_a_passage_that_was_not_near_says_so() -> None:
    assert "not among the nearest in meaning" in ranked(candidate(dense=None))[0].why


def test_only_the_best_are_looked_at() -> None:
    some = [candidate("a", place, dense=place / 100) for place in range(rank.MOST_HITS + 5)]

    assert {hit.passage.ordinal for hit in ranked(*some)} == set(range(5, rank.MOST_HITS + 5))


def test_nothing_known_of_the_question_covers_nothing() -> None:
    assert ranked(candidate(), asked={})[0].why.startswith("says 0%")


def test_figures_of_a_case_worked_by_hand() -> None:
    found = [["a", "a", "b", "c"], ["x", "b"], ["x"]]
    figures = measures.measure(found, [{"a", "c"}, {"b"}, {"y"}])

    assert figures["hit@1"].value == pytest.approx(1 / 3)
    assert figures["hit@5"].value == pytest.approx(2 / 3)
    assert figures["recall@10"].value == pytest.approx(2 / 3)
    assert figures["mrr"].value == pytest.approx((1 + 1 / 2) / 3)
    ideal = 1 + 1 / np.log2(3)
    assert figures["ndcg@10"].value == pytest.approx(((1 + 1 / np.log2(4)) / ideal + 1 / np.log2(3)) / 3)


def test_an_interval_holds_its_mean_narrows_with_questions_and_is_the_same_again() -> None:
    few = measures.measure([["a"], ["b"]] * 10, [{"a"}] * 20)["hit@1"]
    many = measures.measure([["a"], ["b"]] * 200, [{"a"}] * 400)["hit@1"]

    assert few.low < few.value == 0.5 < few.high
    assert many.high - many.low < few.high - few.low
    assert few == measures.measure([["a"], ["b"]] * 10, [{"a"}] * 20)["hit@1"]
    assert str(many).startswith("0.500 [0.4")


@pytest.mark.parametrize(("found", "expected"), [([], []), ([["a"]], [set()])])
def test_what_cannot_be_measured_is_refused(found: list[list[str]], expected: list[set[str]]) -> None:
    with pytest.raises(ValueError, match="measure"):
        measures.measure(found, expected)
