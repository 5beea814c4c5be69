"""What is shown of the best, and what a long question asks: the cut, and the parts."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_cases import TEXTS, candidate

from harken.knowledge.cut import cut, tokens
from harken.knowledge.found import Candidate, Hit
from harken.knowledge.parts import LONGEST_LIST, parts


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
