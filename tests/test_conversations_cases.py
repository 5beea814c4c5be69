"""The turns of a tree -> one case per customer, brand and episode."""

from operator import attrgetter
from random import Random

import pytest
from examples import tries
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.conversations.cases import EPISODE_GAP_DAYS, Case, Row, _cases_of_several, cases_of, turn_of
from harken.domain.event import Channel
from harken.domain.ids import ThreadId

HOUR = 3_600_000_000
DAY = 24 * HOUR
ROOT = ThreadId("t:1")


def said(number: int, who: str, *, to: int | None = None, names: str | None = None, at: int | None = None) -> Row:
    """A customer's turn; hours count up with the number."""
    parent = f"t:{to}" if to else None
    when = number * HOUR if at is None else at
    return Row(f"t:{number}", when, "message_received", f"tw:{who}", who, "twitter", parent, names)


def ours(number: int, brand: str, *, to: int | None = None, whom: str | None = None, at: int | None = None) -> Row:
    parent = f"t:{to}" if to else None
    return Row(f"t:{number}", number * HOUR if at is None else at, "message_sent", whom, brand, "twitter", parent)


def closed(number: int, author: str, *, whom: str | None = None) -> Row:
    return Row(f"t:{number}", number * HOUR, "issue_resolved", whom, author, "chat")


def numbers(cases: list[Case]) -> dict[str, list[int]]:
    return {case.id: [int(row.id[2:]) for row in case.rows] for case in cases}


def test_one_customer_one_brand_is_one_case() -> None:
    [case] = cases_of(ROOT, [ours(2, "Acme", to=1), said(1, "ada", names="acme"), said(3, "ada", to=2)])

    assert (case.id, case.thread, case.identity, case.brand) == ("t:1/tw:ada/acme", ROOT, "tw:ada", "Acme")
    assert (case.channel, [row.id for row in case.rows]) == ("twitter", ["t:1", "t:2", "t:3"])


def test_everybody_who_chimes_in_has_a_case_of_their_own() -> None:
    rows = [said(1, "ada"), said(2, "bob", to=1), ours(3, "Acme", to=2), ours(4, "Acme", to=1), said(5, "bob", to=4)]

    assert numbers(cases_of(ROOT, rows)) == {"t:1/tw:ada/acme": [1, 4], "t:1/tw:bob/acme": [2, 3, 5]}


def bystanders(rows: list[Row]) -> dict[str | None, int | None]:
    return {case.identity: case.bystander_since for case in cases_of(ROOT, rows)}


def test_who_speaks_to_others_beside_us_is_a_bystander_from_our_first_word_or_their_own() -> None:
    notice, asks, answer = said(1, "promo"), said(2, "ada", to=1, names="acme"), ours(3, "Acme", to=2)
    chat = said(4, "eve", to=2)

    found = bystanders([notice, asks, answer, chat])

    assert found == {"tw:promo": 3 * 3600, "tw:ada": None, "tw:eve": 4 * 3600}


@pytest.mark.parametrize(
    "rows",
    [
        [said(1, "ada"), said(2, "bob", to=1)],
        [said(1, "ada"), ours(2, "Acme", to=1), said(3, "bob", to=2)],
        [said(1, "ada", names="acme"), ours(2, "Acme", to=1), said(3, "bob", to=1, names="acme")],
        [said(1, "ada"), ours(2, "Acme", to=1), said(3, "bob", to=1), ours(4, "Acme", to=3)],
    ],
    ids=["we said nothing", "below our word", "named us", "answered"],
)
def test_whoever_we_may_owe_an_answer_is_no_bystander(rows: list[Row]) -> None:
    assert set(bystanders(rows).values()) == {None}


def test_a_second_part_of_our_answer_goes_to_whom_the_first_went() -> None:
    rows = [said(1, "ada"), said(2, "bob", to=1), ours(3, "Acme", to=2), ours(4, "Acme", to=3)]

    assert numbers(cases_of(ROOT, rows))["t:1/tw:bob/acme"] == [2, 3, 4]


def test_two_brands_are_two_cases_and_a_word_to_nobody_goes_on_with_the_last() -> None:
    rows = [
        said(1, "ada", names="acme"),
        ours(2, "Acme", to=1),
        said(3, "ada", to=2),
        said(4, "ada", names="beta", to=1),
        ours(5, "Beta", to=4),
        said(6, "ada", to=99),
        said(7, "ada", names="ACME", to=99),
    ]

    assert numbers(cases_of(ROOT, rows)) == {"t:1/tw:ada/acme": [1, 2, 3, 7], "t:1/tw:ada/beta": [4, 5, 6]}


def test_the_id_stays_when_the_brand_that_was_called_answers() -> None:
    alone = [said(1, "ada", names="acmecares")]

    [before] = cases_of(ROOT, alone)
    [after] = cases_of(ROOT, [*alone, ours(2, "AcmeCares", to=1)])

    assert before.id == after.id
    assert (before.brand, after.brand) == ("acmecares", "AcmeCares")


def test_a_name_that_is_no_brand_of_the_tree_makes_no_case() -> None:
    rows = [said(1, "ada", names="somebody"), said(2, "bob", to=1, names="somebody"), ours(3, "Acme", to=2)]

    assert {case.brand for case in cases_of(ROOT, rows)} == {"Acme"}


def test_nobody_called_and_nobody_answered_has_no_brand() -> None:
    assert numbers(cases_of(ROOT, [said(1, "ada")])) == {"t:1/tw:ada/": [1]}


@pytest.mark.parametrize(("whom", "owner"), [("tw:bob", "tw:bob"), (None, "tw:ada")])
def test_an_unlinked_answer_belongs_to_whom_the_source_names_else_to_the_only_customer(
    whom: str | None, owner: str
) -> None:
    rows = [said(1, "ada"), ours(2, "Acme", whom=whom)]

    assert f"t:1/{owner}/acme" in numbers(cases_of(ROOT, rows))


def test_our_word_to_nobody_knows_whom_is_a_case_without_identity() -> None:
    [case] = cases_of(ROOT, [ours(2, "Acme", to=1)])

    assert (case.id, case.identity) == ("t:1/-/acme", None)


def test_a_close_by_an_agent_belongs_to_the_customers_case() -> None:
    rows = [said(1, "ada"), ours(2, "Acme", to=1), closed(3, "agent 7", whom="tw:ada"), closed(4, "acme")]

    assert numbers(cases_of(ROOT, rows)) == {"t:1/tw:ada/acme": [1, 2, 3, 4]}


def test_a_customer_who_comes_back_after_long_silence_has_a_new_issue() -> None:
    late = 2 * HOUR + EPISODE_GAP_DAYS * DAY
    rows = [said(1, "ada"), ours(2, "Acme", to=1), said(3, "ada", to=2, at=late), ours(4, "Acme", to=3, at=late + DAY)]

    assert numbers(cases_of(ROOT, rows)) == {"t:1/tw:ada/acme": [1, 2], "t:1/tw:ada/acme#2": [3, 4]}


def test_our_late_answer_and_a_shorter_silence_open_nothing_new() -> None:
    late = HOUR + EPISODE_GAP_DAYS * DAY
    rows = [said(1, "ada"), ours(2, "Acme", to=1, at=late), said(3, "ada", to=2, at=late + DAY)]

    assert numbers(cases_of(ROOT, rows)) == {"t:1/tw:ada/acme": [1, 2, 3]}


def test_a_turn_keeps_what_the_row_says() -> None:
    row = said(1, "ada", to=5, names="acme")._replace(language="en", signals=8, evidence={"question": ("how",)})

    turn = turn_of(row, "How?")

    assert (turn.id, turn.at.hour, turn.from_customer, turn.closes) == ("t:1", 1, True, False)
    assert (turn.channel, turn.in_reply_to, turn.addressed_to, turn.text) == (Channel.TWITTER, "t:5", "acme", "How?")
    assert (turn.reading.language, turn.reading.signals, turn.reading.evidence) == ("en", 8, {"question": ("how",)})
    assert turn_of(closed(2, "acme")).closes


@st.composite
def trees(draw: st.DrawFn) -> list[Row]:
    rows = []
    for number in range(1, draw(st.integers(1, 12)) + 1):
        to = draw(st.one_of(st.none(), st.integers(1, 14)))  # later ones too: circles and missing parents
        at = draw(st.integers(0, 40)) * DAY
        who = draw(st.sampled_from(["ada", "bob", "Acme", "acme", "Beta"]))
        if who in ("ada", "bob"):
            rows.append(said(number, who, to=to, names=draw(st.sampled_from([None, "acme", "nobody"])), at=at))
        else:
            rows.append(ours(number, who, to=to, whom=draw(st.sampled_from([None, "tw:ada"])), at=at))
    return rows


@settings(max_examples=tries(150))
@given(trees(), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_every_turn_is_in_one_case(rows: list[Row], random: Random) -> None:
    cases = cases_of(ROOT, rows)
    random.shuffle(rows)

    assert cases_of(ROOT, rows) == cases
    assert sorted(row.id for case in cases for row in case.rows) == sorted(row.id for row in rows)
    assert len({case.id for case in cases}) == len(cases)
    assert all(list(case.rows) == sorted(case.rows, key=lambda row: (row.at, row.id)) for case in cases)


@settings(max_examples=tries(200))
@given(trees(), st.sampled_from(["ada", "twitter:1"]))
def test_the_short_way_for_one_customer_and_brand_says_what_the_long_way_says(rows: list[Row], whose: str) -> None:
    alone = [row._replace(identity=whose if row.identity else None) for row in rows]

    for turns in (rows, alone):
        assert cases_of(ROOT, turns) == _cases_of_several(ROOT, sorted(turns, key=attrgetter("at", "id")))
