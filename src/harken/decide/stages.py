"""Case -> fates: each rule may drop actions and speak for one; the first that drops an action keeps the blame."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from harken.decide.case import Case
from harken.domain.decision import Action, Candidate, Stage

ACTIONS: tuple[Action, ...] = tuple(Action)
STAGES: tuple[Stage, ...] = tuple(Stage)
CONTACTS = frozenset({Action.ASK_DETAILS, Action.CALL_BACK, Action.FOLLOW_UP_EMAIL, Action.PROPOSE_CLOSE})
NUDGES = frozenset({Action.ASK_DETAILS, Action.FOLLOW_UP_EMAIL})
PLACE: Mapping[Action, int] = {action: place for place, action in enumerate(ACTIONS)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table. `cites` names the fields of the case that the explanation gives beside `because`."""

    name: str
    stage: Stage
    when: Callable[[Case], bool]
    because: str
    drops: frozenset[Action] = frozenset()
    prefers: Action | None = None
    cites: tuple[str, ...] = ()


def only(*actions: Action) -> frozenset[Action]:
    """To drop: everything but these."""
    return frozenset(Action) - frozenset(actions)


def no(*actions: Action) -> frozenset[Action]:
    """To drop: these."""
    return frozenset(actions)


class Row(NamedTuple):
    """A rule made ready to run: the dropped candidates are built once, not once per decision."""

    when: Callable[[Case], bool]
    dropped: tuple[tuple[int, Candidate], ...]
    prefers: int  #: place of the action, -1 for none
    weight: float  #: percent
    rule: Rule


Rows: TypeAlias = tuple[Row, ...]


class Sifted(NamedTuple):
    """Per action, in the order of ACTIONS."""

    dropped: list[Candidate | None]  #: None where the action was kept
    support: list[float]  #: sum of the weights of the rules that prefer it, percent
    speaker: list[Rule | None]  #: the first rule that prefers it


def compile_rows(rules: Iterable[Rule], weights: Mapping[str, float], otherwise: float) -> Rows:
    """Rows in the order of the stages; within a stage as the table has them."""
    ordered = sorted(rules, key=lambda rule: STAGES.index(rule.stage))
    return tuple(
        Row(
            when=rule.when,
            dropped=tuple((PLACE[action], _dropped(action, rule)) for action in ACTIONS if action in rule.drops),
            prefers=-1 if rule.prefers is None else PLACE[rule.prefers],
            weight=weights.get(rule.name, otherwise),
            rule=rule,
        )
        for rule in ordered
    )


def sift(case: Case, rows: Rows) -> Sifted:
    dropped: list[Candidate | None] = [None] * len(ACTIONS)
    support = [0.0] * len(ACTIONS)
    speaker: list[Rule | None] = [None] * len(ACTIONS)
    for when, drops, prefers, weight, rule in rows:
        if not when(case):
            continue
        for place, candidate in drops:
            if dropped[place] is None:
                dropped[place] = candidate
        if prefers >= 0:
            support[prefers] += weight
            speaker[prefers] = speaker[prefers] or rule
    return Sifted(dropped, support, speaker)


def _dropped(action: Action, rule: Rule) -> Candidate:
    return Candidate(action=action, kept=False, stage=rule.stage, rule=rule.name, because=rule.because)
