"""The tables of a guard's rules file -> typed, frozen values. What each key means stands in guard_default.toml."""

import re
from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from harken.domain.decision import OutChannel
from harken.domain.verdict import ORDER, Outcome
from harken.guard.reasons import NEVER_SENT, Reason

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Weight: TypeAlias = Annotated[float, Field(ge=-100, le=100)]
Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Language: TypeAlias = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
Jurisdiction: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]


def _expression(written: str) -> str:
    try:
        re.compile(written, re.IGNORECASE)
    except re.error as wrong:
        raise ValueError(f"not an expression: {wrong}") from wrong
    return written


Pattern: TypeAlias = Annotated[str, Field(min_length=2, max_length=500), AfterValidator(_expression)]


def any_of(lists: Mapping[str, tuple[str, ...]]) -> re.Pattern[str]:
    """One expression for the patterns of every language; it finds nothing where there is none."""
    written = [f"(?:{one})" for each in lists.values() for one in each]
    return re.compile("|".join(written) or r"(?!)", re.IGNORECASE | re.MULTILINE)


class Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Confidence(Table):
    least: Share
    made: str
    intercept: Weight
    support: Weight
    weakest: Weight
    coverage: Weight
    retrieval: Weight
    margin: Weight
    title: Weight
    sentence: Weight
    classified: Weight


class Clarify(Table):
    vague_terms: Annotated[int, Field(ge=0, le=20)]
    most_asked: Annotated[int, Field(ge=0, le=10)]


class Grounded(Table):
    least_support: Share
    least_coverage: Share
    contradiction_from: Share
    injection: Share
    orders: dict[Language, tuple[Pattern, ...]]


class Tone(Table):
    unhappy_sentiment: Annotated[float, Field(ge=-1, le=1)]
    shouted_words: Annotated[int, Field(ge=1, le=100)]
    exclamations: Annotated[int, Field(ge=1, le=100)]
    impolite: dict[Language, tuple[Pattern, ...]]


class Jurisdictions(Table):
    feature: str
    default: Annotated[str, Field(pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")]


class Forbidden(Table):
    """What no message may say by itself."""

    name: Name
    reason: Reason
    jurisdictions: tuple[Jurisdiction, ...] = ()
    unless_cited: bool = False
    because: Annotated[str, Field(min_length=1, max_length=300)]
    patterns: dict[Language, tuple[Pattern, ...]]

    @property
    def expression(self) -> re.Pattern[str]:
        return any_of(self.patterns)


class Required(Table):
    """What a message must say when it speaks of something."""

    name: Name
    jurisdictions: tuple[Jurisdiction, ...] = ()
    topics: frozenset[str] = frozenset()
    speaks_of: dict[Language, tuple[Pattern, ...]]
    text: dict[Language, Annotated[str, Field(min_length=1, max_length=500)]]
    because: Annotated[str, Field(min_length=1, max_length=300)]

    @property
    def expression(self) -> re.Pattern[str]:
        return any_of(self.speaks_of)


class Before(Table):
    """Who and what never reaches a language model, and what it is shown otherwise."""

    fraud_topics: frozenset[str]
    restricted_topics: frozenset[str]
    minors: bool
    injection: Share
    words: dict[str, dict[Language, tuple[Pattern, ...]]]
    passages: Annotated[int, Field(ge=0, le=20)]
    features: frozenset[str]
    classes: frozenset[str]

    @model_validator(mode="after")
    def _known_words(self) -> "Before":
        unknown = set(self.words) - {"fraud", "minor", "restricted"}
        if unknown:
            raise ValueError(f"words.{sorted(unknown)[0]}: only fraud, minor and restricted have words")
        return self


class Content(Table):
    """A whole rules file: the default with the organisation's own laid over it."""

    off: frozenset[str]
    canaries: tuple[Annotated[str, Field(min_length=6, max_length=200)], ...]
    confidence: Confidence
    clarify: Clarify
    grounded: Grounded
    outcomes: dict[Reason, Outcome]
    length: dict[OutChannel, Annotated[int, Field(ge=0, le=100_000)]]
    tone: Tone
    jurisdiction: Jurisdictions
    before: Before
    forbid: Annotated[tuple[Forbidden, ...], Field(max_length=200)] = ()
    require: Annotated[tuple[Required, ...], Field(max_length=200)] = ()

    @model_validator(mode="after")
    def _sound(self) -> "Content":
        for reason in Reason:
            if reason not in self.outcomes:
                raise ValueError(f"outcomes.{reason}: it has no outcome")
            if reason in NEVER_SENT and ORDER.index(self.outcomes[reason]) < ORDER.index(Outcome.HOLD):
                raise ValueError(f"outcomes.{reason}: at the least `hold`; nobody may see this unasked")
        names = [*(rule.name for rule in self.forbid), *(rule.name for rule in self.require)]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name}: two rules have this name")
        for name in sorted(self.off):
            if name not in names:
                raise ValueError(f"off: there is no rule {name!r}")
        return self
