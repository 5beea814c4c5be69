"""What is kept comes back with every type, and has one text only."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replay_cases import LARGE, contexts

from harken.audit import canonical, codec
from harken.audit.canonical import NotCanonicalError
from harken.domain.decision import Context, Draft, Exchange
from harken.domain.passage import Passage
from harken.domain.proposal import Proposal

VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text())


@pytest.mark.parametrize("place", range(0, 20, 3))
def test_contexts_come_back_equal(place: int) -> None:
    context = contexts()[place]
    text = codec.encode(context)

    assert codec.decode(Context, text) == context
    assert codec.encode(codec.decode(Context, text)) == text


def test_a_large_number_and_half_a_letter_come_back() -> None:
    context = contexts()[2]
    half = replace(context, passages=(replace(context.passages[0], text="Limits \ud83d"),))
    back = codec.decode(Context, codec.encode(half))

    assert back == half
    assert back.profile.features["cents"] == LARGE
    assert type(back.profile.features["share"]) is float


@given(
    st.builds(
        Passage, id=st.text(), text=st.text(), source=st.text(), score=st.floats(allow_nan=False, allow_infinity=False)
    )
)
def test_law_a_passage_comes_back(passage: Passage) -> None:
    assert codec.decode(Passage, codec.encode(passage)) == passage


@given(
    st.builds(
        Draft,
        message=st.text(),
        reasoning=st.text(),
        mode=st.text(),
        usage=st.dictionaries(st.text(), st.integers() | st.floats(allow_nan=False, allow_infinity=False)),
        citations=st.lists(st.integers()).map(tuple),
        confidence=st.none() | st.floats(0, 1),
        proposals=st.lists(st.builds(Proposal, action=st.text(), arguments=st.dictionaries(st.text(), VALUES))).map(
            tuple
        ),
        exchanges=st.lists(st.builds(Exchange, model=st.text(), asked=st.text(), answered=st.text())).map(tuple),
    )
)
def test_law_a_draft_comes_back_with_every_type(draft: Draft) -> None:
    text = codec.encode(draft)
    back = codec.decode(Draft, text)

    assert back == draft
    assert codec.encode(back) == text
    assert [{name: type(value) for name, value in each.arguments.items()} for each in back.proposals] == [
        {name: type(value) for name, value in each.arguments.items()} for each in draft.proposals
    ]


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 2**53, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(PLAIN)
def test_law_canonical_text_is_read_as_the_same_value(value: Any) -> None:
    assert canonical.read(canonical.text(value)) == value


@pytest.mark.parametrize(
    "value", [2**53, -(2**53), float("nan"), float("inf"), {1: 2}, {"a": b"x"}, object(), {"a": {2, 3}}]
)
def test_what_has_no_one_text_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonicalError):
        canonical.text(value)


@pytest.mark.parametrize(
    "text", ["{ }", '{"b":1,"a":2}', '{"a":1,"a":1}', '"é"', "1e2", "NaN", "[1,]", "", "[" * 100_000]
)
def test_what_is_spelled_otherwise_is_refused(text: str) -> None:
    with pytest.raises(NotCanonicalError):
        canonical.read(text)
