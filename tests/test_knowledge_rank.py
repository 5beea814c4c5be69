"""From posting lists to the passages that are shown: BM25, fusion, order, cut, parts of a question, and the figures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.domain.document import DocumentClass, Scope
from harken.kit.terms import query_terms, terms
from harken.knowledge import bm25, fuse, measures, rank
from harken.knowledge.cut import cut, tokens
from harken.knowledge.found import Candidate, Hit
from harken.knowledge.parts import LONGEST_LIST, parts

NOW = datetime(2026, 3, 1, tzinfo=UTC)
WORDLLAMA = fuse.RECIPES["wordllama"]

TEXTS = {
    "fees": "The monthly fee is 20 dollars. It is waived above 625 dollars.",
    "cards": "A lost card is frozen in the app. A stolen card is closed.",
    "wires": "A wire abroad costs 25 dollars, a domestic wire 10 dollars.",
    "errors": "ERR-1042 means that the routing number is wrong.",
}


def candidate(document: str = "fees", ordinal: int = 0, **changes: object) -> Candidate:
    whole = Candidate(
        number=ordinal,
        document_id=document,
        version=1,
        ordinal=ordinal,
        title=document,
        heading="",
        text=TEXTS.get(document, document),
        start=ordinal * 100,
        end=ordinal * 100 + 100,
        source="",
        owner="",
        language="en",
        scope=Scope(),
        effective_from=None,
        added_at=NOW,
        dense=0.5,
        lexical=0.2,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def naive_bm25(texts: Sequence[Sequence[str]], asked: Mapping[str, float]) -> list[float]:
    """The formula as it is printed, one word after the other."""
    average = max(sum(map(len, texts)) / len(texts), 1.0)
    known = {term for text in texts for term in text} & set(asked)
    idf = {}
    for term in known:
        having = sum(term in text for text in texts)
        idf[term] = log(1 + (len(texts) - having + 0.5) / (having + 0.5))
    reach = sum(asked[term] * idf[term] * 2.2 for term in known)
    scores = []
    for text in texts:
        score = 0.0
        for term in known:
            count = text.count(term)
            score += asked[term] * idf[term] * count * 2.2 / (count + 1.2 * (1 - 0.75 + 0.75 * len(text) / average))
        scores.append(score / reach if reach else 0.0)
    return scores


def searched(
    texts: Sequence[Sequence[str]], asked: Mapping[str, float], n: int, numbers: Sequence[int] | None = None
) -> bm25.Scored:
    numbers = numbers or range(len(texts))
    having = {term: [i for i, text in enumerate(texts) if term in text] for text in texts for term in text}
    idfs = {term: bm25.idf(len(texts), len(places)) for term, places in having.items()}
    weights = bm25.weights([asked], [1.0], idfs)
    postings = [
        bm25.Postings(
            passages=np.array([numbers[i] for i in having[term]], np.uint32),
            counts=np.array([texts[i].count(term) for i in having[term]], np.uint16),
            lengths=np.array([len(texts[i]) for i in having[term]], np.uint16),
            weight=weight,
        )
        for term, weight in weights.items()
    ]
    return bm25.best(postings, average_length=sum(map(len, texts)) / len(texts), n=n)


WORDS = st.sampled_from("abcdefg")
CORPUS = st.lists(st.lists(WORDS, max_size=12), min_size=1, max_size=15)
ASKED = st.dictionaries(WORDS, st.floats(0.1, 3), max_size=5)


@settings(deadline=None)
@given(CORPUS, ASKED, st.integers(1, 20))
def test_bm25_is_the_formula_as_it_is_printed(texts: list[list[str]], asked: dict[str, float], n: int) -> None:
    naive = naive_bm25(texts, asked)
    found = searched(texts, asked, n)

    assert found.scores == pytest.approx([naive[number] for number in found.passages], abs=1e-5)
    assert found.scores == pytest.approx(sorted((s for s in naive if s > 0), reverse=True)[:n], abs=1e-5)


@settings(deadline=None)
@given(CORPUS, ASKED)
def test_far_numbers_give_the_scores_of_near_ones(texts: list[list[str]], asked: dict[str, float]) -> None:
    far = [1 + i * (bm25.WIDEST_SPAN + 7) for i in range(len(texts))]
    near, found = searched(texts, asked, 5), searched(texts, asked, 5, far)

    assert [far[number] for number in near.passages] == found.passages.tolist()
    assert near.scores.tolist() == found.scores.tolist()


@settings(deadline=None)
@given(CORPUS, ASKED)
def test_a_bm25_score_is_a_share(texts: list[list[str]], asked: dict[str, float]) -> None:
    assert all(0 < score <= 1 + 1e-6 for score in searched(texts, asked, 99).scores)


def test_equal_scores_come_by_number_at_the_border_too() -> None:
    assert searched([["a"]] * 9, {"a": 1.0}, 3).passages.tolist() == [0, 1, 2]


def test_nothing_asked_nothing_found() -> None:
    assert searched([["a"]], {"zebra": 1.0}, 3).passages.tolist() == []
    assert bm25.best([], average_length=0.0, n=3).scores.tolist() == []


def test_an_unknown_word_weakens_nothing() -> None:
    idfs = {"card": 2.0}

    assert bm25.weights([{"card": 1.0}], [1.0], idfs) == bm25.weights([{"card": 1.0, "carrd": 1.0}], [1.0], idfs)


def test_an_exact_identifier_beats_its_pieces() -> None:
    texts = [terms(text, "en") for text in (*TEXTS.values(), "ERR-1043 and the number 1042, 1042.", "err 1042 1042")]
    found = searched(texts, query_terms("what is err-1042", ("en",)), 3)

    assert found.passages[0] == 3


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


def hits(*passages: Candidate) -> list[Hit]:
    return [Hit(passage=passage, score=1 - place / 10) for place, passage in enumerate(passages)]


def places(found: Sequence[Hit]) -> list[tuple[str, int]]:
    return [(hit.passage.document_id, hit.passage.ordinal) for hit in found]


def test_the_budget_holds_and_a_shorter_one_may_still_fit() -> None:
    long = candidate("x", text="word " * 200)
    some = hits(candidate("fees"), long, candidate("cards"))

    assert places(cut(some, 40)) == [("fees", 0), ("cards", 0)]
    assert cut(some, 0) == []


@settings(deadline=None)
@given(st.lists(st.sampled_from(sorted(TEXTS)), max_size=9), st.integers(0, 80))
def test_what_is_cut_fits(names: list[str], budget: int) -> None:
    kept = cut(hits(*(candidate(name, place) for place, name in enumerate(names))), budget)

    assert sum(tokens(hit.passage.text) for hit in kept) <= budget


def test_neighbours_stand_in_reading_order_where_the_better_one_stood() -> None:
    some = hits(
        candidate("long", 4, text="four"),
        candidate("wires"),
        candidate("long", 3, text="three"),
        candidate("long", 5, text="five"),
        candidate("long", 9, text="nine"),
    )

    assert places(cut(some, 999)) == [("long", 3), ("long", 4), ("long", 5), ("wires", 0), ("long", 9)]


def test_the_same_place_of_a_document_is_shown_once_and_a_small_overlap_twice() -> None:
    first = candidate("d", 0, text="one", start=0, end=100)
    again = candidate("d", 1, text="two", start=20, end=120)
    next_one = candidate("d", 2, text="three", start=90, end=190)
    newer = candidate("d", 0, text="one anew", start=0, end=100, version=2)

    assert places(cut(hits(first, again, next_one, newer), 999)) == [("d", 0), ("d", 2), ("d", 0)]


def test_the_same_words_are_shown_once_but_not_another_products() -> None:
    text = "The daily limit for deposits by phone is 5,000 dollars in this account."
    one = candidate("a", title="Silver", text=text)
    copy = candidate("b", title="Silver", text=text.upper())
    gold = candidate("c", title="Gold", text=text)
    dearer = candidate("d", title="Silver", text=text.replace("5,000", "7,500"))

    assert places(cut(hits(one, copy, gold, dearer), 999)) == [("a", 0), ("c", 0), ("d", 0)]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("Where is my card?", ()),
        ("", ()),
        ("My card is lost. Where do I report a loss?", ("My card is lost.", "Where do I report a loss?")),
        ("Is there a monthly fee and how is the fee avoided?", ("Is there a monthly fee", "how is the fee avoided?")),
        ("My card is lost. Is there a fee?", ()),
        ("Hello! My card was stolen at the station. Please.", ()),
        (
            "Meine Karte ist weg. Was kostet eine neue Karte, z. B. per Eilbote?",
            ("Meine Karte ist weg.", "Was kostet eine neue Karte, z. B. per Eilbote?"),
        ),
        ("¿Cómo cierro mi cuenta? Perdí la tarjeta ayer.", ("¿Cómo cierro mi cuenta?", "Perdí la tarjeta ayer.")),
        ("カードをなくしました。手数料はいくらですか？", ("カードをなくしました。", "手数料はいくらですか？")),
        ("my issues:\n- card lost abroad\n- wire not arrived", ("my issues: card lost abroad", "wire not arrived")),
        ("It costs 2.50 per wire? And error v2.1 shows up.", ("It costs 2.50 per wire?", "And error v2.1 shows up.")),
    ],
)
def test_a_long_question_has_parts(question: str, found: tuple[str, ...]) -> None:
    whole = " ".join(question.split())

    assert parts(question) == (whole, *found)


@settings(deadline=None)
@given(st.text())
def test_the_whole_is_always_the_first_part(question: str) -> None:
    found = parts(question)

    assert found[0] == " ".join(question.split())
    assert len(found) != 2
    assert len(found) <= LONGEST_LIST + 1


def test_a_document_named_in_one_sentence_and_asked_about_in_the_next_is_found() -> None:
    texts = [terms(text, "en") for text in TEXTS.values()]
    idfs = {term: bm25.idf(len(texts), sum(term in text for text in texts)) for text in texts for term in text}
    asked = parts("My card was stolen on a train. What does a wire to another country abroad cost?")
    weights = bm25.weights([query_terms(part, ("en",)) for part in asked], fuse.shares(len(asked)), idfs)

    assert len(asked) == 3
    assert {"stolen", "card", "wire", "abroad"} <= set(weights)
    assert sum(weights.values()) * (bm25.SATURATION + 1) == pytest.approx(1)


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
