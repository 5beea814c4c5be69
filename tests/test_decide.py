"""Deciding: the record of what was weighed, the channels, the draw, the comparison of two policies."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from decide_cases import NOON_IN_NEW_YORK, asked, context_of, replied
from examples import tries
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.decide import compare, explain
from harken.decide.candidates import channel_for
from harken.decide.decide import decide
from harken.decide.policy import Policy, load
from harken.decide.timing import case_at
from harken.domain.conversation import Standing, Status
from harken.domain.decision import Action, Decision, IssueStatus, OutChannel
from harken.domain.event import Channel, Signal

POLICY = load()
SIGNALS = st.lists(st.sampled_from([signal.name.lower() for signal in Signal if signal.name]), max_size=3, unique=True)
TURNS = st.lists(
    st.fixed_dictionaries(
        {
            "from": st.sampled_from(["customer", "brand"]),
            "hours_ago": st.integers(0, 400),
            "says": SIGNALS,
            "mood": st.one_of(st.none(), st.floats(-1, 1)),
            "urgency": st.integers(0, 3),
            "channel": st.sampled_from([channel.value for channel in Channel]),
            "topic": st.sampled_from(["fraud_and_security", "billing_and_charges", "technical_problem"]),
        }
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("channel", list(Channel))
def test_whoever_asks_on_any_channel_is_answered_on_one(channel: Channel) -> None:
    decision = decide(context_of([{"from": "customer", "hours_ago": 1, "channel": channel.value}]), POLICY)
    assert decision.channel is not OutChannel.NONE


def own(folder: Path, text: str) -> Policy:
    path = folder / "policy.toml"
    path.write_text(text, "utf-8")
    return load(path)


@given(turns=TURNS, contacts=st.integers(0, 10), consents=st.sampled_from([None, {"phone": False}, {"phone": True}]))
@settings(max_examples=tries(80), deadline=None)
def test_whatever_was_said_the_record_is_whole(
    turns: list[dict[str, object]], contacts: int, consents: dict[str, bool] | None
) -> None:
    turns = sorted(turns, key=lambda said: -int(str(said["hours_ago"])))
    context = context_of(turns, features={"contacts_24h": contacts, "contacts_7d": contacts}, consents=consents)
    decision = decide(context, POLICY)

    assert Counter(one.action for one in decision.candidates) == Counter(list(Action))
    kept = [one for one in decision.candidates if one.kept]
    assert kept[0].action is decision.action
    assert [one.score for one in kept] == sorted((one.score for one in kept), key=lambda score: -(score or 0))
    assert all(one.score is None and one.rule and one.because for one in decision.candidates if not one.kept)
    assert decision.send_at >= context.now
    assert (decision.action is Action.CALL_BACK) <= (consents != {"phone": False})
    assert (decision.issue_status is IssueStatus.WAITING) == (decision.action is Action.WAIT)
    assert decide(context, POLICY) == decision


def test_an_urgent_unanswered_message_always_reaches_a_person() -> None:
    for urgency, said in ((2, []), (3, ["angry"]), (3, ["thanks", "praise"])):
        decision = decide(context_of([asked(200), replied(190), asked(1, urgency=urgency, says=said)]), POLICY)
        assert decision.action is Action.HAND_TO_PERSON
        assert decision.send_at == NOON_IN_NEW_YORK


def test_a_resolved_conversation_is_left_alone() -> None:
    context = context_of([asked(3)])
    closed = replace(context, standing=Standing(status=Status.RESOLVED, rule="closed", because="Closed."))
    decision = decide(closed, POLICY)
    assert (decision.action, decision.rule, decision.channel) == (Action.WAIT, "already-resolved", OutChannel.NONE)


@pytest.mark.parametrize(
    ("channel", "action", "reached"),
    [
        ("twitter", Action.ANSWER, OutChannel.TWITTER_DM),
        ("email", Action.ANSWER, OutChannel.EMAIL),
        ("chat", Action.ASK_DETAILS, OutChannel.CHAT),
        ("phone", Action.ANSWER, OutChannel.PHONE),
        ("phone", Action.PROPOSE_CLOSE, OutChannel.EMAIL),
        ("app", Action.ANSWER, OutChannel.EMAIL),
        ("branch", Action.ANSWER, OutChannel.EMAIL),
        ("chat", Action.CALL_BACK, OutChannel.PHONE),
        ("chat", Action.FOLLOW_UP_EMAIL, OutChannel.EMAIL),
        ("chat", Action.HAND_TO_PERSON, OutChannel.PERSON),
        ("chat", Action.WAIT, OutChannel.NONE),
        ("chat", Action.PROPOSE_CLOSE, OutChannel.CHAT),
    ],
)
def test_how_each_action_reaches_the_customer(channel: str, action: Action, reached: OutChannel) -> None:
    assert channel_for(action, case_at(context_of([asked(3, channel=channel)]), POLICY)) is reached


def test_who_refuses_phone_or_mail_is_reached_otherwise() -> None:
    by_phone = case_at(context_of([asked(3, channel="phone")], consents={"phone": False}), POLICY)
    assert channel_for(Action.ANSWER, by_phone) is OutChannel.EMAIL
    in_app = case_at(context_of([asked(3, channel="app")], consents={"email": False}), POLICY)
    assert channel_for(Action.ANSWER, in_app) is OutChannel.PERSON
    assert channel_for(Action.PROPOSE_CLOSE, in_app) is OutChannel.NONE
    by_mail = case_at(context_of([asked(3, channel="email")], consents={"email": False}), POLICY)
    assert channel_for(Action.ANSWER, by_mail) is OutChannel.EMAIL


def test_without_assumed_addresses_only_known_ones_are_used(tmp_path: Path) -> None:
    strict = own(tmp_path, "[limits]\nassume_reachable = false\n")
    dropped = {one.action: one.rule for one in decide(context_of([asked(30)]), strict).candidates if not one.kept}
    assert dropped[Action.FOLLOW_UP_EMAIL] == "no-address-to-write-to"
    assert decide(context_of([asked(30)], reachable=("email",)), strict).action is Action.FOLLOW_UP_EMAIL
    six = [asked(9), replied(8), asked(7), replied(6), asked(5), asked(4)]
    dropped = {one.action: one.rule for one in decide(context_of(six), strict).candidates if not one.kept}
    assert dropped[Action.CALL_BACK] == "no-number-to-call"


def test_a_promise_in_advance_is_no_thanks_for_an_answer() -> None:
    decision = decide(context_of([asked(3, says=["thanks"])]), POLICY)
    assert decision.action is Action.ANSWER


@pytest.mark.parametrize("topic", ["billing_and_charges", "fraud_and_security"])
def test_praise_about_money_may_hide_a_request(topic: str) -> None:
    decision = decide(context_of([asked(3, says=["praise"], mood=0.6, topic=topic)]), POLICY)
    assert decision.action in (Action.ASK_DETAILS, Action.HAND_TO_PERSON)


def test_thanks_after_an_open_doubt_settles_nothing() -> None:
    turns = [asked(9), replied(8), asked(3, says=["still_broken"]), asked(2, says=["thanks"])]
    assert decide(context_of(turns), POLICY).action is Action.ANSWER


def test_a_fix_confirmed_settles_what_was_doubted_before() -> None:
    turns = [asked(9), replied(8), asked(3, says=["still_broken"]), asked(2, says=["confirms_fix"])]
    open_still = replace(
        context_of(turns), standing=Standing(status=Status.OPEN, rule="customer-spoke-last", because="Open.")
    )
    decision = decide(open_still, POLICY)
    assert (decision.action, decision.channel) == (Action.PROPOSE_CLOSE, OutChannel.NONE)
    assert decision.send_at > NOON_IN_NEW_YORK
    both = replace(
        open_still, conversation=context_of([*turns[:3], asked(2, says=["confirms_fix", "question"])]).conversation
    )
    assert decide(both, POLICY).action is Action.ANSWER


def test_a_conversation_of_our_own_words_waits() -> None:
    decision = decide(context_of([replied(5)]), POLICY)
    assert decision.action is Action.WAIT


def test_the_id_names_the_conversation_the_moment_the_turn_the_policy_and_the_definitions(tmp_path: Path) -> None:
    context = context_of([asked(3)])
    others = [
        decide(context_of([asked(3)], conversation="2"), POLICY),
        decide(context_of([asked(3)], now=NOON_IN_NEW_YORK.replace(minute=1)), POLICY),
        decide(context_of([asked(3), asked(3)]), POLICY),
        decide(context, own(tmp_path, "exploration = 0.1")),
        decide(replace(context, profile=replace(context.profile, definitions="f" * 16)), POLICY),
        decide(replace(context, conversation=replace(context.conversation, turns=())), POLICY),
    ]
    ids = {decision.id for decision in [decide(context, POLICY), *others]}
    assert len(ids) == 7
    assert all(len(one) == 20 for one in ids)


def test_scores_are_the_declared_numbers() -> None:
    best, *_ = decide(context_of([asked(3)]), POLICY).candidates
    assert (best.action, best.score) == (Action.ANSWER, pytest.approx(0.5 * 1.2 * 1.0 * 1.0 - 0.03))


def test_a_tie_goes_to_the_first_name_and_to_the_best_score(tmp_path: Path) -> None:
    level = own(
        tmp_path,
        """
        off = ["answer-where-they-asked"]
        [scores.propensity.waiting]
        answer = 0.5
        ask_details = 0.5
        [scores.cost]
        answer = 0
        ask_details = 0
        """,
    )
    decision = decide(context_of([asked(3)]), level)
    assert (decision.action, decision.rule) == (Action.ANSWER, "best-score")


def test_exploration_draws_only_kept_actions_as_often_as_it_says(tmp_path: Path) -> None:
    policy = own(tmp_path, "exploration = 0.4")
    drawn: Counter[Action] = Counter()
    for number in range(600):
        decision = decide(context_of([asked(3)], conversation=str(number)), policy)
        kept = [one.action for one in decision.candidates if one.kept]
        best = decision.action is kept[0]
        assert decision.action in kept
        assert decision.probability == pytest.approx(1 - 0.4 + 0.4 / len(kept) if best else 0.4 / len(kept))
        assert (decision.rule == "exploration") is not best
        drawn[decision.action] += 1
    assert drawn[Action.ANSWER] / 600 == pytest.approx(0.7, abs=0.06)
    assert set(drawn) == set(kept)


def test_another_experiment_draws_anew_and_the_same_draws_the_same(tmp_path: Path) -> None:
    def drawn(name: str) -> list[Decision]:
        policy = own(tmp_path, f'exploration = 0.9\nexperiment = "{name}"')
        return [decide(context_of([asked(3)], conversation=str(number)), policy) for number in range(40)]

    assert drawn("one") == drawn("one")
    assert [one.action for one in drawn("one")] != [one.action for one in drawn("two")]


def test_a_comparison_counts_what_changes_and_shows_some(tmp_path: Path) -> None:
    later = own(tmp_path, "[limits]\ndormant_after_h = 48\n")
    contexts = [context_of([asked(30)], conversation=str(number)) for number in range(25)] + [context_of([asked(3)])]
    found = compare.changes(compare.both(contexts, POLICY, later))
    assert (found.decisions, found.changed) == (26, 25)
    assert found.by_action == {"follow_up_email -> answer": 25}
    assert found.by_rule == {"dormant-issue-gets-an-email -> answer-where-they-asked": 25}
    assert found.by_aspect == {"action": 25, "channel": 25, "send_at": 0, "issue_status": 0}
    assert len(found.examples) == 20
    assert found.examples[0].changed == ("action", "channel")


def test_a_change_of_time_alone_is_a_change(tmp_path: Path) -> None:
    slower = own(tmp_path, "[limits]\nanswer_within_h = 9\nclose_after_h = 70\n")
    found = compare.changes(compare.both([context_of([asked(9), replied(8)])], POLICY, slower))
    assert (found.changed, found.by_action, found.by_aspect["send_at"]) == (1, {}, 1)


def test_a_reason_cites_what_was_looked_at() -> None:
    context = context_of([asked(26, mood=-0.62, topic="product_and_stock")], features={"messages_7d": 3})
    decision = decide(context, POLICY)
    assert decision.because.endswith(
        "(dormant-issue-gets-an-email); waited 26 h; 1 unanswered message; 3 messages in 7 days; last sentiment -0.62."
    )
    assert decision.cited == {"waited_h": 26.0, "unanswered": 1, "messages_7d": 3, "sentiment": -0.62}


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (0.4, "24 min"),
        (1, "1 h"),
        (26.2, "26 h"),
        (0.004, "less than a minute"),
        (47.4, "47 h"),
        (71.9, "3 days"),
        (96, "4 days"),
        (5000, "208 days"),
        (50_000, "6 years"),
    ],
)
def test_durations_read_well(hours: float, words: str) -> None:
    assert explain.duration(hours) == words


def test_unknown_values_are_said_plainly_or_not_at_all() -> None:
    rule = replace(POLICY.rules[0], cites=("phone_consent", "sentiment", "reopened", "status", "customer_h"))
    case = case_at(context_of([asked(3)]), POLICY)
    facts = explain.cited(rule, case)
    told = explain.sentence(rule, facts)
    assert "phone_consent None" in told
    assert "sentiment" not in told
    assert "wrote 3 h ago" in told
