"""What the guards say of a draft: what may become of it, and every reason."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What becomes of a draft, from the freest to the strictest. A guard only ever moves down this list."""

    SEND = "send"
    CLARIFY = "clarify"  #: ask the customer for what is missing instead
    SUGGEST = "suggest"  #: shown to a person, who sends, edits or drops it
    HOLD = "hold"  #: goes out as it is when a person approves it, and not before
    HAND_OVER = "hand_over"  #: a person answers; the customer is told so
    BLOCK = "block"  #: nothing of it is shown to the customer, nor suggested


ORDER: Sequence[Outcome] = tuple(Outcome)


def strictest(outcomes: Sequence[Outcome]) -> Outcome:
    """`SEND` where there is none."""
    return max(outcomes, key=ORDER.index, default=Outcome.SEND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check saw. Never holds the value that it refused: findings are logged and audited."""

    check: str
    detail: str
    outcome: Outcome  #: the freest that this finding allows
    rule: str = ""  #: of the organisation's policy file, where it was one of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    drafter_confidence: float = 0.0  #: the writer's own, 0 to 1
    our_confidence: float = 0.0  #: measured by us from what the draft rests on, 0 to 1
    coverage: float = 0.0  #: the share of the customer's question that the cited passages speak of, 0 to 1
    rules: str = ""  #: version of the guard's policy file
    reasons: tuple[str, ...] = field(
        default_factory=tuple
    )  #: codes for people and figures: `low_confidence`, `ungrounded`

    @property
    def confidence(self) -> float:
        """The lower of the two: either judge alone can be too sure of itself."""
        return min(self.drafter_confidence, self.our_confidence)
