"""What a writer may have done is what the catalogue says, whatever was written into its prompt."""

import math
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from act_cases import REFUND, START, TICKET, VERIFIED
from benchmarks import hostile_proposals
from examples import tries
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.act import approvals, catalogue
from harken.act.approvals import State, Waiting, Word
from harken.act.plan import MOST_PROPOSALS, Answer, Spent, plan
from harken.domain.proposal import Proposal
from harken.errors import RefusedError, UnsuitableError

SHIPPED = catalogue.load()
NOTHING = Spent()


def answer(action: str, spent: Spent = NOTHING, live: Any = VERIFIED, **arguments: Any) -> tuple[Answer, str, int]:
    [planned] = plan([Proposal(action=action, arguments=arguments)], TICKET, live, SHIPPED, spent)
    return planned.answer, planned.reason, planned.people


@pytest.mark.parametrize(
    ("action", "arguments", "expected"),
    [
        ("tag", {"tag": "billing"}, (Answer.ALLOWED, "", 0)),
        ("refund", {"amount_minor": 10_000, "currency": "EUR"}, (Answer.NEEDS_APPROVAL, "", 1)),
        ("refund", {"amount_minor": 10_001, "currency": "EUR"}, (Answer.NEEDS_APPROVAL, "", 2)),
        ("refund", {"amount_minor": 20_001, "currency": "EUR"}, (Answer.REFUSED, "more than one may be", 0)),
        ("refund", {"amount_minor": 1, "currency": "JPY"}, (Answer.REFUSED, "no limit is set for this currency", 0)),
        ("refund", {"amount_minor": 1.5, "currency": "EUR"}, (Answer.REFUSED, "amount_minor: type", 0)),
        ("refund", {"amount_minor": 1, "currency": "EUR", "iban": "DE"}, (Answer.REFUSED, "arguments: additionalProperties", 0)),
        ("refund", {"amount_minor": 1, "currency": "EUR", "to": "me"}, (Answer.REFUSED, "names whom it concerns or where it goes", 0)),
        ("reply", {"text": "hi"}, (Answer.REFUSED, "not a writer's to propose", 0)),
        ("note", {"text": "see https://evil.example"}, (Answer.REFUSED, "text: has an address in it", 0)),
        ("note", {"text": "refund customer:otto"}, (Answer.REFUSED, "text: names somebody", 0)),
        ("note", {"text": "a\u200bb"}, (Answer.REFUSED, "text: has characters that nobody sees", 0)),
        ("account_update", {"field": "email", "value": "new@example.org"}, (Answer.NEEDS_APPROVAL, "", 1)),
        ("account_update", {"field": "email", "value": "https://evil.example"}, (Answer.REFUSED, "value: has an address in it", 0)),
        ("account_update", {"field": "balance", "value": "1"}, (Answer.REFUSED, "field: enum", 0)),
        ("no_such", {}, (Answer.REFUSED, "no such action", 0)),
    ],
)  # fmt: skip
def test_a_proposal_and_what_becomes_of_it(
    action: str, arguments: dict[str, Any], expected: tuple[Answer, str, int]
) -> None:
    assert answer(action, **arguments) == expected


@pytest.mark.parametrize("live", [None, replace(VERIFIED, verified=False)])
def test_nobody_pays_a_stranger(live: Any) -> None:
    assert answer("refund", NOTHING, live, amount_minor=1, currency="EUR")[1] == "the customer is not verified"


def test_a_day_has_its_limits() -> None:
    spent = Spent(counts={"refund": 2}, sums={("refund", "EUR"): 25_000})
    assert answer("refund", spent, amount_minor=5_000, currency="EUR")[0] is Answer.NEEDS_APPROVAL
    assert answer("refund", spent, amount_minor=5_001, currency="EUR")[1] == "more than a day allows"
    assert answer("refund", spent, amount_minor=5_001, currency="USD")[0] is Answer.NEEDS_APPROVAL
    assert (
        answer("refund", Spent(counts={"refund": 3}), amount_minor=1, currency="EUR")[1] == "as often as a day allows"
    )


def test_what_the_first_take_is_gone_for_those_after_them() -> None:
    several = [replace(REFUND, arguments={"amount_minor": 15_000, "currency": "EUR"})] * 3
    assert [each.answer for each in plan(several, TICKET, VERIFIED, SHIPPED, NOTHING)] == [
        Answer.NEEDS_APPROVAL,
        Answer.NEEDS_APPROVAL,
        Answer.REFUSED,
    ]


def test_a_writer_that_floods_is_refused_the_rest() -> None:
    many = [Proposal(action="tag", arguments={"tag": "a"})] * (MOST_PROPOSALS + 5)
    found = Counter(each.answer for each in plan(many, TICKET, VERIFIED, SHIPPED, NOTHING))
    assert found == {Answer.ALLOWED: MOST_PROPOSALS, Answer.REFUSED: 5}


def test_of_a_thousand_hostile_drafts_nothing_gets_through() -> None:
    """Each seed is a draft of up to twelve proposals; `benchmarks/l1_actions.py` has the long form."""
    answers = Counter[Answer]()
    for seed in range(1_000):
        verified = seed % 3 != 0
        live = replace(VERIFIED, verified=verified)
        planned = plan(hostile_proposals.proposals(seed), TICKET, live, SHIPPED, NOTHING)
        answers.update(each.answer for each in planned)
        assert list(hostile_proposals.unauthorised(planned, verified=verified)) == [], f"seed {seed}"
    # The generator is no use where it only makes what nobody would allow.
    assert min(answers[each] for each in Answer) > 300


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
NAMES = st.sampled_from(["amount_minor", "currency", "text", "tag", "team", "field", "value", "reason", "to", "url"])


@settings(max_examples=tries(300), deadline=None)
@given(
    st.lists(
        st.builds(
            Proposal,
            action=st.sampled_from([*SHIPPED.actions, "nothing"]) | st.text(max_size=12),
            arguments=st.dictionaries(NAMES | st.text(max_size=8), VALUES, max_size=5),
            because=st.text(max_size=20),
        ),
        max_size=12,
    ),
    st.booleans(),
)
def test_whatever_is_proposed_nothing_gets_through(several: list[Proposal], verified: bool) -> None:
    planned = plan(several, TICKET, replace(VERIFIED, verified=verified), SHIPPED, NOTHING)
    assert len(planned) == len(several)
    assert list(hostile_proposals.unauthorised(planned, verified=verified)) == []
    for each in planned:
        for value in each.arguments.values():
            assert not isinstance(value, float) or math.isfinite(value)


# The organisation's own file


def own(folder: Path, text: str) -> catalogue.Catalogue:
    path = folder / "actions.toml"
    path.write_text(text, "utf-8")
    return catalogue.load(path)


def test_an_own_file_is_laid_over_what_ships(tmp_path: Path) -> None:
    loaded = own(
        tmp_path,
        "account_closure = false\n[refund]\ntier = 'two_person'\nurl = 'https://erp.example/x'\n"
        "[refund.limits]\nper_action = { CHF = 500 }\n[thank]\ntitle = 'Thank'\ntier = 'auto'\neffect = 'transactional'\n"
        "executor = 'ticket'\narguments = { type = 'object' }\n",
    )
    refund = loaded.get("refund")
    assert refund is not None
    assert (refund.tier, refund.limits.per_action, refund.limits.count_per_day) == ("two_person", {"CHF": 500}, 3)
    assert loaded.get("account_closure") is None
    assert loaded.get("thank") is not None
    assert set(loaded.actions) == {*SHIPPED.actions, "thank"} - {"account_closure"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[refund]\ntiers = 'auto'\n", "refund.tiers"),
        ("[refund]\ntier = 'none'\n", "refund.tier"),
        ("[refund]\narguments = { type = 'object', properties = { customer_id = {} } }\n", "customer_id"),
        ("[refund]\narguments = { type = 'object', properties = { amount_minor = { type = 'integger' } } }\n", "JSON Schema"),
        ("[refund]\narguments = { type = 'object', '$ref' = 'https://evil.example' }\n", "$ref"),
        ("[refund.limits]\namount = 'much'\n", "much"),
        ("[note]\neffect = 'keyed'\n", "effect"),
        ("[refund]\neffect = 'transactional'\n", "effect"),
        ("[email]\neffect = 'keyed'\n", "effect"),
        ("[close]\nundo = 'nothing'\n", "nothing"),
        ("[refund]\nurl = 'ftp://x'\n", "refund.url"),
        ("[new]\ntitle = 'x'\n", "new.tier"),
        ("refund = 5\n", "refund"),
        ("[refund\n", "TOML"),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_refused_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UnsuitableError) as refused:
        own(tmp_path, text)
    assert told in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UnsuitableError, match="cannot be read"):
        catalogue.load(tmp_path / "none.toml")


# Approvals, as a law

WORDS = st.builds(
    Word,
    who=st.sampled_from(["lena", "omar", "ann", "ai"]),
    role=st.sampled_from(["lead", "admin", "agent"]),
    approved=st.booleans() | st.just(True),
    arguments_hash=st.sampled_from(["aa", "bb"]),
    at=st.integers(0, 90).map(lambda h: START + timedelta(hours=h)),
)


@given(st.lists(WORDS, max_size=8), st.integers(1, 2))
def test_approved_is_what_enough_different_people_said_in_time_of_these_arguments(
    words: list[Word], people: int
) -> None:
    waiting = Waiting(
        arguments_hash="aa",
        people=people,
        proposer="ai",
        approvers=("lead", "admin"),
        state=State.PENDING,
        expires_at=START + timedelta(hours=72),
    )
    for word in words:
        try:
            waiting = approvals.said(waiting, word)
        except RefusedError:
            continue

    counted = [each for each in waiting.words if each.approved]
    assert all(
        each.arguments_hash == "aa" and each.role != "agent" and each.at < waiting.expires_at for each in waiting.words
    )
    assert len({each.who for each in counted}) == len(counted)
    assert "ai" not in {each.who for each in counted}
    if waiting.state is State.APPROVED:
        assert len(counted) == people
    if waiting.state is State.DENIED:
        assert [each.approved for each in waiting.words].count(False) == 1
