"""A policy file's tables -> typed, frozen values. What each key means stands in policy_default.toml."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from harken.domain.decision import Action, Stage

Hours: TypeAlias = Annotated[float, Field(ge=0, le=24 * 365)]
Score: TypeAlias = Annotated[float, Field(ge=0, le=1000)]
Clock: TypeAlias = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Situation: TypeAlias = Literal["resolved", "thanked", "dormant", "waiting", "asked", "answered"]
Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "in", "not in", "contains"]
Scalar: TypeAlias = bool | int | float | str

DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SITUATIONS: tuple[Situation, ...] = ("resolved", "thanked", "dormant", "waiting", "asked", "answered")


class Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)


class Limits(Table):
    """Thresholds that the rules compare with; times in hours."""

    long_conversation_turns: Annotated[int, Field(ge=2, le=1000)]
    call_within_h: Hours
    dormant_after_h: Hours
    remind_after_h: Hours
    close_after_h: Hours
    answer_within_h: Hours
    look_again_after_h: Annotated[float, Field(ge=1, le=24 * 365)]
    cool_down_h: Hours
    contacts_per_day: Annotated[int, Field(ge=0)]
    contacts_per_week: Annotated[int, Field(ge=0)]
    our_words_unanswered: Annotated[int, Field(ge=1, le=20)]
    reopened: Annotated[int, Field(ge=1)]
    urgent_from: Annotated[int, Field(ge=0, le=4)]
    negative_sentiment: Annotated[float, Field(ge=-1, le=1)]
    private_topics: frozenset[str]
    fraud_topics: frozenset[str]
    silence_resolves_after_h: Annotated[float, Field(ge=1, le=24 * 365)]
    abandoned_after_h: Annotated[float, Field(ge=1, le=24 * 365)]
    lapsed_after_h: Annotated[float, Field(ge=1, le=24 * 3650)]
    assume_reachable: bool
    stale_after_s: Annotated[float, Field(ge=0, le=86_400)]
    wait_for_fresh_s: Annotated[float, Field(ge=0, le=60)]
    escalate_sentiment: Annotated[float, Field(ge=-1, le=1)]
    escalate_turns: Annotated[int, Field(ge=1, le=1000)]
    escalate_regulatory: Annotated[float, Field(ge=0, le=1)]
    escalate_wants_person: Annotated[float, Field(ge=0, le=1)]
    verify_categories: frozenset[str]


class Business(Table):
    """When people are at work: for phone calls and for what a person handles."""

    days: Annotated[tuple[Day, ...], Field(min_length=1)]
    opens: Clock
    closes: Clock
    zone: str


class Quiet(Table):
    """When nobody is written to or called, in the customer's own zone. May run over midnight."""

    starts: Clock
    ends: Clock
    market_zones: Annotated[tuple[str, ...], Field(min_length=1, max_length=40)]


class Timing(Table):
    """How the moment is chosen among the permitted hours."""

    half_life_waiting_h: Annotated[float, Field(gt=0, le=1000)]
    half_life_nudge_h: Annotated[float, Field(gt=0, le=1000)]
    answer_at_once_h: Hours
    prior_messages: Annotated[float, Field(ge=0, le=10_000)]
    prior_hours: Annotated[tuple[Score, ...], Field(min_length=24, max_length=24)]


class Scores(Table):
    """The numbers of arbitration: declared by people, learned from nothing."""

    propensity: dict[Situation, dict[Action, Annotated[float, Field(ge=0, le=1)]]]
    weight: dict[str, Annotated[float, Field(ge=-100, le=1000)]]
    weight_otherwise: Annotated[float, Field(ge=-100, le=1000)]
    value: Annotated[tuple[Score, ...], Field(min_length=4, max_length=4)]
    lever: dict[Action, Score]
    cost: dict[Action, Score]


class Condition(Table):
    """`field` compared with `value`: a field of the case, or `feature.<name>` of the profile."""

    field: str
    is_: Annotated[Operator, Field(alias="is")]
    value: Scalar | tuple[Scalar, ...]


class OwnRule(Table):
    """A rule of the organisation. `when`: all must hold; `any`: one of them must."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
    stage: Stage
    drops: tuple[Action, ...] = ()
    prefers: Action | None = None
    weight: Annotated[float, Field(ge=-100, le=1000)] | None = None
    when: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()
    because: Annotated[str, Field(min_length=1, max_length=300)]


class Content(Table):
    """A whole policy: the default file with the organisation's own laid over it."""

    experiment: Annotated[str, Field(min_length=1, max_length=80)]
    exploration: Annotated[float, Field(ge=0, le=1)]
    off: tuple[str, ...]
    limits: Limits
    business: Business
    quiet: Quiet
    timing: Timing
    scores: Scores
    rule: Annotated[tuple[OwnRule, ...], Field(max_length=200)] = ()
