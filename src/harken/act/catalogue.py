"""A file of actions -> what can be done for a customer at all: arguments, risk, limits, and how it is carried out."""

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import jsonschema_rs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from harken.domain.proposal import Offered
from harken.errors import UnsuitableError
from harken.kit.layers import laid_over
from harken.kit.nesting import MOST_DEPTH, deeper_than

Minor = Annotated[int, Field(ge=0, le=10**15)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Role = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

AIMS = re.compile(r"customer|recipient|identity|url|uri|href|link|host|endpoint|webhook|callback|^(to|cc|bcc|from)$")
"""Argument names that would say whom it concerns or where it goes: code alone fills those in."""


class Tier(StrEnum):
    AUTO = "auto"  #: done at once
    APPROVE = "approve"  #: one person says yes first
    TWO_PERSON = "two_person"  #: two different people do


class Effect(StrEnum):
    """What a second try would do."""

    TRANSACTIONAL = "transactional"  #: it is written with its own receipt, or not at all
    KEYED = "keyed"  #: the other side takes a key once, however often it comes
    UNKEYED = "unkeyed"  #: it would happen again: nobody tries twice without knowing


class Executor(StrEnum):
    TICKET = "ticket"  #: a change of the ticket, in the caller's transaction
    CONVERSATION = "conversation"
    EMAIL = "email"
    SCHEDULE_CALL = "schedule_call"
    HTTP = "http"  #: a signed request to a system of the organisation's


_EFFECTS = {
    Executor.TICKET: Effect.TRANSACTIONAL,
    Executor.CONVERSATION: Effect.KEYED,
    Executor.EMAIL: Effect.UNKEYED,
    Executor.SCHEDULE_CALL: Effect.TRANSACTIONAL,
}
"""What our own executors are. Of another system only its organisation knows."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Table):
    """Money in minor units by ISO 4217 code. A currency that `per_action` lacks is refused."""

    amount: str = ""
    """The argument that is the amount; empty: it moves no money."""

    currency: str = ""
    """The argument that is its currency."""

    per_action: dict[Currency, Minor] = {}
    per_day: dict[Currency, Minor] = {}
    """What one customer's may add up to in 24 hours."""

    two_people_over: dict[Currency, Minor] = {}
    count_per_day: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """How many of one customer's in 24 hours."""


class ActionSpec(_Table):
    """One action that exists."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    title: Annotated[str, Field(min_length=1, max_length=100)]
    tier: Tier
    effect: Effect
    executor: Executor
    arguments: dict[str, Any]
    """JSON Schema (2020-12) of an object; what it does not name is refused."""

    limits: Limits = Limits()
    undo: str = ""
    """The action that takes it back; empty: nothing does."""

    needs_verified: bool = False
    """Only for a customer of whom the channel or a token says that they are who they say."""

    proposable: bool = True
    """Whether a writer may propose it. What is said to customers is not proposed: it goes through the guards."""

    may_name: tuple[str, ...] = ()
    """Arguments that may hold an address: what is changed, never where something goes."""

    approvers: tuple[Role, ...] = ("lead", "compliance", "admin")
    expires_after_h: Annotated[float, Field(gt=0, le=24 * 365)] = 72
    url: Annotated[str, Field(pattern=r"^(|https?://[^\s?#@]+)$")] = ""
    """Where the executor `http` posts to. Empty: it waits, and people are told."""

    @field_validator("arguments")
    @classmethod
    def _closed(cls, schema: dict[str, Any]) -> dict[str, Any]:
        if deeper_than(schema, MOST_DEPTH):
            raise ValueError("is nested too deeply")
        if schema.get("type") != "object" or "$ref" in str(schema):
            raise ValueError("must be the schema of an object, without $ref")
        if bad := next((name for name in schema.get("properties", {}) if AIMS.search(name)), None):
            raise ValueError(f"{bad}: whom it concerns and where it goes is filled in by code")
        closed = {**schema, "additionalProperties": False}
        _compiled(closed)
        return closed

    @model_validator(mode="after")
    def _whole(self) -> "ActionSpec":
        known = self.arguments.get("properties", {})
        for name in (self.limits.amount, self.limits.currency, *self.may_name):
            if name and name not in known:
                raise ValueError(f"{name} is none of its arguments")
        if bool(self.limits.amount) != bool(self.limits.currency and self.limits.per_action):
            raise ValueError("limits: amount, currency and per_action belong together")
        if wanted := _EFFECTS.get(self.executor):
            if self.effect is not wanted:
                raise ValueError(f"effect: what {self.executor} executes is {wanted}")
        elif self.effect is Effect.TRANSACTIONAL:
            raise ValueError("effect: another system's is keyed or unkeyed")
        return self


class Catalogue:
    """Every action that exists, by name."""

    def __init__(self, actions: Mapping[str, ActionSpec]) -> None:
        self.actions = dict(actions)
        self._checkers = {name: _compiled(spec.arguments) for name, spec in actions.items()}

    def get(self, name: str) -> ActionSpec | None:
        return self.actions.get(name)

    def offered(self, *, verified: bool) -> tuple[Offered, ...]:
        """What a model may propose for a customer: never what another would be asked for who proved who they are."""
        return tuple(
            Offered(name, spec.title, spec.arguments)
            for name, spec in sorted(self.actions.items())
            if spec.proposable and (verified or not spec.needs_verified)
        )

    def violation(self, spec: ActionSpec, arguments: Mapping[str, Any]) -> str:
        """The first thing that is wrong with the arguments, never their value; empty: nothing is."""
        first = next(iter(self._checkers[spec.name].iter_errors(dict(arguments))), None)
        return "" if first is None else f"{'/'.join(map(str, first.instance_path)) or 'arguments'}: {first.kind.name}"


def _compiled(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Nothing is fetched, and patterns take linear time."""
    try:
        return jsonschema_rs.Draft202012Validator(
            schema, validate_formats=True, offline=True, pattern_options=jsonschema_rs.RegexOptions()
        )
    except (ValueError, jsonschema_rs.ReferencingError):
        raise ValueError("is no JSON Schema") from None


def load(path: Path | None = None) -> Catalogue:
    """What ships with Harken, and `path` laid over it, key by key. Raises UnsuitableError with the first thing that is wrong."""
    shipped = resources.files(__package__).joinpath("actions_default.toml").read_text("utf-8")
    return _catalogue(laid_over(tomllib.loads(shipped), _own(path), _WHOLE), path)


def _own(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as wrong:
        raise UnsuitableError(f"The actions' file {path} cannot be read: {wrong.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise UnsuitableError(f"The actions' file {path} is not TOML: {wrong}.") from None


_WHOLE = frozenset({"arguments", "per_action", "per_day", "two_people_over"})
"""Half of an old schema, or of old amounts, would be nobody\'s."""


def _catalogue(tables: dict[str, Any], path: Path | None) -> Catalogue:
    actions = {}
    for name, table in tables.items():
        if table is False:
            continue  # `refund = false`: this organisation has no such action
        try:
            actions[name] = ActionSpec.model_validate({"name": name, **table} if isinstance(table, dict) else table)
        except ValidationError as wrong:
            first = wrong.errors(include_input=False, include_url=False)[0]
            where = ".".join(map(str, (name, *first["loc"])))
            raise UnsuitableError(f"The actions' file {path} does not fit at {where}: {first['msg']}.") from None
    for spec in actions.values():
        if spec.undo and spec.undo not in actions:
            raise UnsuitableError(
                f"The actions' file {path} does not fit at {spec.name}.undo: there is no {spec.undo}."
            )
    return Catalogue(actions)
