"""Context -> Decision: the sentence of this stage. Pure, so a decision is replayed by calling it again."""

import hashlib
from collections.abc import Sequence
from datetime import UTC

from harken.decide import candidates, experiment, explain, timing
from harken.decide.arbitrate import Ranked, arbitrate
from harken.decide.case import Case
from harken.decide.experiment import Choice
from harken.decide.policy import Policy
from harken.decide.stages import ACTIONS, PLACE, Rule, Sifted, sift
from harken.domain.decision import Action, Candidate, Context, Decision, Stage
from harken.domain.ids import DecisionId

BEST_SCORE = Rule(
    name="best-score",
    stage=Stage.ARBITRATION,
    when=lambda c: True,
    because="No rule speaks for one action, so the best score of those left decides.",
    cites=("situation",),
)
EXPLORED = Rule(
    name="exploration",
    stage=Stage.ARBITRATION,
    when=lambda c: True,
    because="Drawn among the permitted actions to learn from what follows.",
    cites=("situation",),
)
NOTHING_LEFT = Rule(
    name="nothing-left",
    stage=Stage.ARBITRATION,
    when=lambda c: True,
    because="The rules dropped every action, and none of them wanted a person, so one decides.",
    cites=("situation",),
)


def decide(context: Context, policy: Policy) -> Decision:
    """Eligibility, applicability, suitability and contact policy drop candidates; arbitration ranks the rest."""
    case = timing.case_at(context, policy)
    sifted = sift(case, policy.rows)
    ranked = arbitrate(sifted, case, policy.weights)
    if not ranked:
        sifted, ranked = _to_a_person(sifted)
    choice = experiment.choose(ranked, context, experiment=policy.experiment, exploration=policy.exploration)
    return _decision(context, policy, case, choice, _weighed(sifted, ranked), _reason(sifted, choice))


def _to_a_person(sifted: Sifted) -> tuple[Sifted, list[Ranked]]:
    """Rules that contradict each other, or a policy's own, have dropped everything: silence would be the one wrong answer.

    Where one of them wanted a person, its reason stands.
    """
    place = PLACE[Action.HAND_TO_PERSON]
    dropped, speaker = list(sifted.dropped), list(sifted.speaker)
    dropped[place], speaker[place] = None, speaker[place] or NOTHING_LEFT
    return Sifted(dropped, sifted.support, speaker), [Ranked(0.0, place)]


def _reason(sifted: Sifted, choice: Choice) -> Rule:
    return EXPLORED if choice.explored else sifted.speaker[choice.place] or BEST_SCORE


def _weighed(sifted: Sifted, ranked: Sequence[Ranked]) -> tuple[Candidate, ...]:
    """The kept by rank, then the dropped in the order of the actions."""
    kept = []
    for score, place in ranked:
        rule = sifted.speaker[place] or BEST_SCORE
        kept.append(
            Candidate(
                action=ACTIONS[place],
                kept=True,
                stage=Stage.ARBITRATION,
                rule=rule.name,
                because=rule.because,
                score=round(score, 6),
            )
        )
    return (*kept, *(candidate for candidate in sifted.dropped if candidate is not None))


def _decision(
    context: Context, policy: Policy, case: Case, choice: Choice, weighed: tuple[Candidate, ...], rule: Rule
) -> Decision:
    action = ACTIONS[choice.place]
    channel = candidates.channel_for(action, case)
    cited = explain.cited(rule, case)
    return Decision(
        id=_id(context, policy),
        customer=context.customer,
        conversation=context.conversation.id,
        action=action,
        channel=channel,
        send_at=timing.moment(action, channel, case, context, policy),
        issue_status=candidates.AFTER[action],
        rule=rule.name,
        because=explain.sentence(rule, cited),
        cited=cited,
        candidates=weighed,
        probability=choice.probability,
        policy=policy.version,
        definitions=context.profile.definitions,
        as_of=context.now,
        profile_position=context.profile.position,
        features=context.profile.features,
    )


def _id(context: Context, policy: Policy) -> DecisionId:
    """The same decision again has the same id; a newer turn, policy or definition makes another."""
    conversation = context.conversation
    newest = conversation.turns[-1].id if conversation.turns else conversation.facts.last_at
    asked_at = context.now.astimezone(UTC).isoformat()
    parts = (conversation.id, asked_at, newest, policy.version, context.profile.definitions)
    return DecisionId(hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:20])
