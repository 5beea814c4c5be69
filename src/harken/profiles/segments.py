"""Saved conditions over features -> whether a profile fulfils them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from harken.domain.profile import Value
from harken.kit.comparisons import LISTS, NUMERIC, holds, is_number
from harken.profiles.features import NAMES

Plain = str | int | float | bool
MOST_CONDITIONS = 20


def _known(feature: str) -> str:
    if feature not in NAMES:
        raise ValueError("there is no such feature")
    return feature


_FITTING: list[Any] = [
    {"properties": {"is": {"enum": sorted(LISTS)}, "value": {"type": "array"}}},
    {"properties": {"is": {"enum": sorted(NUMERIC)}, "value": {"type": "number"}}},
    {"properties": {"is": {"const": "contains"}, "value": {"type": "string"}}},
    {"properties": {"is": {"enum": ["=", "!="]}, "value": {"type": ["string", "number", "boolean"]}}},
]
_SAYS_SOMETHING: list[Any] = [{"required": [name], "properties": {name: {"minItems": 1}}} for name in ("all", "any")]
"""What the validators below ask for, in JSON Schema's words."""


class Condition(BaseModel):
    """`{"feature": "disputes_90d", "is": ">", "value": 0}`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, json_schema_extra={"anyOf": _FITTING})

    feature: Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": sorted(NAMES)})]
    is_: Annotated[
        Literal["=", "!=", "<", "<=", ">", ">=", "in", "not in", "contains"],
        Field(alias="is", serialization_alias="is"),
    ]
    value: Plain | list[Plain]

    @model_validator(mode="after")
    def _fits(self) -> "Condition":
        if (self.is_ in LISTS) != isinstance(self.value, list):
            raise ValueError("in and not in need a list, everything else one value")
        if self.is_ in NUMERIC and not is_number(self.value):
            raise ValueError("it needs a number")
        if self.is_ == "contains" and not isinstance(self.value, str):
            raise ValueError("it needs a text")
        return self


class Conditions(BaseModel):
    """All conditions hold, and one of `any` where there are some."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"anyOf": _SAYS_SOMETHING})

    why: Annotated[str, Field(max_length=300)] = ""
    all_of: Annotated[list[Condition], Field(alias="all", max_length=MOST_CONDITIONS)] = []
    any_of: Annotated[list[Condition], Field(alias="any", max_length=MOST_CONDITIONS)] = []

    @model_validator(mode="after")
    def _says_something(self) -> "Conditions":
        if not (self.all_of or self.any_of):
            raise ValueError("a segment needs a condition")
        return self

    def has(self, features: Mapping[str, Value]) -> bool:
        return all(_holds(each, features) for each in self.all_of) and (
            not self.any_of or any(_holds(each, features) for each in self.any_of)
        )


class Segment(Conditions):
    """Conditions that were saved under a name."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")]


def _holds(condition: Condition, features: Mapping[str, Value]) -> bool:
    return holds(features[condition.feature], condition.is_, condition.value)
