"""Kept actions -> ranked by score = propensity * context weight * value * lever - cost, all declared in the policy."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from harken.decide.case import Case
from harken.decide.policy_file import SITUATIONS, Scores, Situation
from harken.decide.stages import ACTIONS, Sifted
from harken.domain.decision import Action


class Weights(NamedTuple):
    """The numbers of a policy, by place in ACTIONS."""

    propensity: Mapping[Situation, tuple[float, ...]]
    value: tuple[float, ...]  #: by urgency
    lever: tuple[float, ...]
    cost: tuple[float, ...]


class Ranked(NamedTuple):
    score: float
    place: int  #: of the action in ACTIONS


NAMES = tuple(action.value for action in ACTIONS)


def weights_of(scores: Scores) -> Weights:
    """What a table does not name has no propensity, a lever of 1 and no cost."""
    return Weights(
        propensity={situation: _row(scores.propensity.get(situation, {}), otherwise=0.0) for situation in SITUATIONS},
        value=scores.value,
        lever=_row(scores.lever, otherwise=1.0),
        cost=_row(scores.cost, otherwise=0.0),
    )


def arbitrate(sifted: Sifted, case: Case, weights: Weights) -> Sequence[Ranked]:
    """Best first; a tie goes to the name that comes first in the alphabet."""
    propensity = weights.propensity[case.situation]
    value = weights.value[min(case.said.urgency, len(weights.value) - 1)]
    ranked = [
        Ranked(
            propensity[place] * (1 + sifted.support[place] / 100) * value * weights.lever[place] - weights.cost[place],
            place,
        )
        for place, dropped in enumerate(sifted.dropped)
        if dropped is None
    ]
    ranked.sort(key=_rank)
    return ranked


def _rank(ranked: Ranked) -> tuple[float, str]:
    return -ranked.score, NAMES[ranked.place]


def _row(table: Mapping[Action, float], otherwise: float) -> tuple[float, ...]:
    return tuple(table.get(action, otherwise) for action in ACTIONS)
