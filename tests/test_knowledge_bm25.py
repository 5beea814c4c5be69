"""From posting lists to scores: BM25 is the formula as it is printed, whatever is asked."""

from collections.abc import Mapping, Sequence
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rank_cases import TEXTS

from harken.kit.terms import query_terms, terms
from harken.knowledge import bm25, fuse
from harken.knowledge.parts import parts


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


def test_a_document_named_in_one_sentence_and_asked_about_in_the_next_is_found() -> None:
    texts = [terms(text, "en") for text in TEXTS.values()]
    idfs = {term: bm25.idf(len(texts), sum(term in text for text in texts)) for text in texts for term in text}
    asked = parts("My card was stolen on a train. What does a wire to another country abroad cost?")
    weights = bm25.weights([query_terms(part, ("en",)) for part in asked], fuse.shares(len(asked)), idfs)

    assert len(asked) == 3
    assert {"stolen", "card", "wire", "abroad"} <= set(weights)
    assert sum(weights.values()) * (bm25.SATURATION + 1) == pytest.approx(1)
