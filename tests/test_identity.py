"""Whose an identity is follows from what was said, never from the order in which we heard it."""

from itertools import pairwise

import pytest
from examples import tries
from hypothesis import given, settings
from hypothesis import strategies as st
from identity_cases import Seen, Word, naive

from harken.domain.link import Link
from harken.profiles import identity

ACCOUNTS = [f"customer:{name}" for name in ("ada", "ben", "cleo", "dan")]
LOOSE = ["device:1", "device:2", "email:x", "phone:y", "twitter:z"]


def resolved(words: list[Word]) -> Seen:
    said = identity.newest(words)
    found = identity.resolve(edge for edge, word in said.items() if not word.parted)
    return found.members, {name: (reason.value, whose) for name, (reason, whose) in found.conflicts.items()}


def link(kind: str, ends: list[str]) -> st.SearchStrategy[Link]:
    end = st.sampled_from(ends)
    return st.builds(Link, st.just(kind), end, end)


links = st.one_of(link("tie", ACCOUNTS + LOOSE), link("tie", LOOSE + ACCOUNTS[:2]), link("alias", ACCOUNTS),
                  link("part", ACCOUNTS + LOOSE))  # fmt: skip
words = st.lists(st.tuples(links, st.integers(0, 3), st.sampled_from(["e1", "e2", "e3"])), max_size=14)


@settings(max_examples=tries(400), deadline=None)
@given(said=words, data=st.data())
def test_in_any_order_it_is_what_the_words_say(said: list[Word], data: st.DataObject) -> None:
    assert resolved(data.draw(st.permutations(said))) == naive(said)


@settings(max_examples=tries(200), deadline=None)
@given(said=words, data=st.data())
def test_in_any_partition_the_same_words_hold(said: list[Word], data: st.DataObject) -> None:
    """As writers keep them: the newest word of each part, and of those the newest again."""
    cut = data.draw(st.integers(0, len(said)))
    parts = [identity.newest(said[cut:]), identity.newest(said[:cut])]

    kept: dict[identity.Edge, identity.Said] = {}
    for edge, word in (pair for part in parts for pair in part.items()):
        kept[edge] = max(word, kept.get(edge, word))

    assert kept == identity.newest(said)


@settings(max_examples=tries(100), deadline=None)
@given(said=words, again=st.lists(links, min_size=1, max_size=3))
def test_what_is_joined_and_parted_again_leaves_nothing(said: list[Word], again: list[Link]) -> None:
    """But for pairs that were joined before: those are parted now."""
    fresh = [each for each in again if each.kind != "part" and not any({*each[1:]} == {*old[1:]} for old, *_ in said)]
    joined = [(each, 10, "j") for each in fresh]
    parted = [(Link("part", *each[1:]), 11, "p") for each in fresh]

    assert resolved([*said, *joined, *parted]) == resolved(said)


def tied(*pairs: tuple[str, str], kind: str = "tie") -> list[Word]:
    return [(Link(kind, *pair), at, "e") for at, pair in enumerate(pairs)]  # type: ignore[arg-type]


def test_a_pair_that_bridges_two_customers_takes_nothing_else_from_them() -> None:
    said = tied(("customer:a", "device:1"), ("customer:b", "device:2"), ("customer:a", "email:x"),
                ("email:x", "phone:y"), ("phone:y", "customer:b"))  # fmt: skip
    members, conflicts = resolved(said)

    assert members == {
        "customer:a": "customer:a",
        "device:1": "customer:a",
        "customer:b": "customer:b",
        "device:2": "customer:b",
    }
    assert conflicts == dict.fromkeys(("email:x", "phone:y"), ("shared", ("customer:a", "customer:b")))


def test_accounts_that_were_seen_together_stay_two() -> None:
    members, conflicts = resolved(tied(("customer:a", "customer:b"), ("customer:a", "device:1")))

    assert members == {"customer:a": "customer:a", "device:1": "customer:a"}
    assert conflicts == {}


def test_aliases_in_a_circle_are_one_customer() -> None:
    circle = [*ACCOUNTS, ACCOUNTS[0]]
    members, conflicts = resolved(tied(*pairwise(circle), kind="alias"))

    assert members == dict.fromkeys(ACCOUNTS, "customer:ada")
    assert conflicts == {}


@pytest.mark.parametrize("over", [0, 1])
def test_a_shared_terminal_is_nobodys(over: int) -> None:
    said = tied(*[("customer:a", f"device:{n}") for n in range(identity.MAX_IDENTITIES - 1 + over)])

    assert resolved(said) == naive(said)
    members, conflicts = resolved(said)
    assert len(members) == (0 if over else identity.MAX_IDENTITIES)
    assert len(conflicts) == (identity.MAX_IDENTITIES if over else 0)


@pytest.mark.parametrize("over", [0, 1])
def test_a_runaway_of_aliases_joins_nobody(over: int) -> None:
    names = [f"customer:{n:02}" for n in range(identity.MAX_ACCOUNTS + over)]
    said = tied(*pairwise(names), kind="alias") + tied((names[3], "device:1"))
    members, conflicts = resolved(said)

    assert (members, conflicts) == naive(said)
    assert members["device:1"] == (names[3] if over else names[0])
    assert set(conflicts) == (set(names) if over else set())


def test_text_that_is_no_link_says_nothing() -> None:
    said = [Link("tie", "customer:a", "device:1"), Link("part", "a;", "b;"), Link("alias", "c;", "d;;")]

    assert identity.from_text(identity.to_text(said)) == said
    for text in ("", "tie a", "tie a ", "tie  b", "marry a b", "tie a b; tie c", None, 7):
        assert identity.from_text(text) == []
