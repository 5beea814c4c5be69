"""The guard's rules that ship with Harken with an organisation's own file over them -> GuardRules, checked and ready.

Tables are laid over each other and lists replace what stood there; `forbid` and `require` are lists, so an organisation
that wants ours and its own names ours that it does not want in `off` and adds to `forbid_also` and `require_also`.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harken.errors import UnsuitableError
from harken.guard.rules_tables import Content, Forbidden, Required, any_of
from harken.kit.layers import laid_over

VERSION_DIGITS = 12
MOST_BYTES = 1_000_000
_ALSO = ("forbid", "require")


class GuardRulesError(UnsuitableError):
    """The guard's rules file cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRules:
    """What an organisation decided about what may be said. Two of one version judge alike."""

    version: str  #: 12 hexadecimal digits of the effective content
    text: str  #: the organisation's TOML as it was read; empty where there is none. `from_text` makes the same rules of it
    content: Content
    forbidden: tuple[tuple[Forbidden, re.Pattern[str]], ...] = field(repr=False)
    required: tuple[tuple[Required, re.Pattern[str]], ...] = field(repr=False)
    impolite: re.Pattern[str] = field(repr=False)
    orders: re.Pattern[str] = field(repr=False)
    before: Mapping[str, re.Pattern[str]] = field(repr=False)


def load(path: Path | None = None) -> GuardRules:
    """Raises GuardRulesError for what cannot be read or used, with one line that says where."""
    text = "" if path is None else _read(path)
    try:
        return from_text(text)
    except GuardRulesError as error:
        raise GuardRulesError(f"{path or 'the default rules'}: {error}") from error


def from_text(text: str) -> GuardRules:
    """The rules of a file's text, or of a record's."""
    content = _checked(_merged(_default(), _parsed(text)))
    return GuardRules(
        version=_version(content),
        text=text,
        content=content,
        forbidden=tuple((rule, rule.expression) for rule in content.forbid if rule.name not in content.off),
        required=tuple((rule, rule.expression) for rule in content.require if rule.name not in content.off),
        impolite=any_of(content.tone.impolite),
        orders=any_of(content.grounded.orders),
        before={refusal: any_of(lists) for refusal, lists in content.before.words.items()},
    )


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise GuardRulesError(f"{path}: too large for a file of rules")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise GuardRulesError(f"{path}: {reason}") from error


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise GuardRulesError(f"not TOML: {error}") from error


@cache
def _default() -> Mapping[str, Any]:
    return _parsed(resources.files(__package__).joinpath("guard_default.toml").read_text("utf-8"))


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are laid over each other; anything else replaces what stood there; `forbid_also` adds to `forbid`."""
    merged = laid_over(below, above)
    for name in _ALSO:
        more = merged.pop(f"{name}_also", [])
        if not isinstance(more, list):
            raise GuardRulesError(f"{name}_also: write [[{name}_also]]")
        if more:
            merged[name] = [*merged.get(name, []), *more]
    return merged


def _checked(content: Mapping[str, Any]) -> Content:
    try:
        return Content.model_validate_json(json.dumps(content, default=str), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"] if part != "[key]")
        said = (
            "there is no such key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        )
        raise GuardRulesError(f"{where}: {said}" if where else said) from error


def _version(content: Content) -> str:
    effective = content.model_dump(mode="json")
    return hashlib.sha256(json.dumps(_ordered(effective), sort_keys=True).encode()).hexdigest()[:VERSION_DIGITS]


def _ordered(value: Any) -> Any:
    """Sets come out as lists in no order: lists of words are sorted, those of tables stay."""
    if isinstance(value, dict):
        return {key: _ordered(each) for key, each in value.items()}
    if isinstance(value, list):
        whole = [_ordered(each) for each in value]
        return sorted(whole) if all(isinstance(each, str) for each in whole) else whole
    return value
