"""A desk file's tables -> typed, frozen values. What each key means stands in desk_default.toml."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from harken.domain.ticket import Priority, StatusCategory

Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Span: TypeAlias = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
Holiday: TypeAlias = Annotated[str, Field(pattern=r"^(\d{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Minutes: TypeAlias = Annotated[int, Field(ge=1, le=525_600)]
Share: TypeAlias = Annotated[float, Field(gt=0, le=10)]
Steps: TypeAlias = Annotated[int, Field(ge=0, le=3)]
Level: TypeAlias = Literal["1", "2", "3"]
Place: TypeAlias = Annotated[str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
Category: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}$")]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Value(Table):
    feature: Annotated[str, Field(min_length=1, max_length=80)]
    at_least: float
    steps: Steps


class PriorityTable(Table):
    unsaid: Priority
    urgency: dict[Level, Priority]
    tier: dict[Name, Steps]
    value: Annotated[tuple[Value, ...], Field(max_length=50)] = ()


class Sla(Table):
    warn_at: Annotated[float, Field(gt=0, lt=1)]
    round_the_clock: tuple[Priority, ...]
    first_response: dict[Priority, Minutes]
    next_response: dict[Priority, Minutes]
    resolution: dict[Priority, Minutes]
    tier: dict[Name, Share]


class Hours(Table):
    zone: str
    mon: tuple[Span, ...]
    tue: tuple[Span, ...]
    wed: tuple[Span, ...]
    thu: tuple[Span, ...]
    fri: tuple[Span, ...]
    sat: tuple[Span, ...]
    sun: tuple[Span, ...]
    holidays: Annotated[tuple[Holiday, ...], Field(max_length=1000)] = ()


class Routing(Table):
    default: Name
    to_agents: bool


class Team(Table):
    name: Name


class Agent(Table):
    name: Name
    teams: Annotated[tuple[Name, ...], Field(min_length=1)]
    languages: tuple[str, ...] = ()
    skills: tuple[Category, ...] = ()
    jurisdictions: tuple[Place, ...] = ()
    most: Annotated[int, Field(ge=1, le=10_000)] = 20


class RouteRow(Table):
    name: Name
    team: Name
    categories: tuple[Category, ...] = ()
    languages: tuple[str, ...] = ()
    jurisdictions: tuple[Place, ...] = ()
    tiers: tuple[Name, ...] = ()
    urgency_from: Annotated[int, Field(ge=0, le=3)] = 0


class Content(Table):
    """A whole desk: the default file with the organisation's own laid over it."""

    brand: Name
    first_owner: Literal["ai", "team"]
    categories: Annotated[tuple[Category, ...], Field(min_length=1, max_length=200)]
    statuses: dict[Name, StatusCategory]
    jurisdictions: dict[Place, Place] = {}
    priority: PriorityTable
    sla: Sla
    hours: Hours
    routing: Routing
    team: Annotated[tuple[Team, ...], Field(min_length=1, max_length=500)]
    agent: Annotated[tuple[Agent, ...], Field(max_length=10_000)] = ()
    route: Annotated[tuple[RouteRow, ...], Field(max_length=1000)] = ()
