"""The default policy with an organisation's own file over it -> a Policy, checked and made ready to run."""

import hashlib
import json
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import ValidationError

from harken.decide import conditions
from harken.decide.arbitrate import Weights, weights_of
from harken.decide.errors import PolicyError, nearest
from harken.decide.hours import Calendar, Reach
from harken.decide.policy_file import Content, Limits, OwnRule, Timing
from harken.decide.rules import RULES
from harken.decide.stages import Rows, Rule, compile_rows
from harken.kit.layers import laid_over

VERSION_DIGITS = 12
WINTER_S, SUMMER_S = 1_705_276_800, 1_720_396_800  # two Mondays of 2024: clocks differ by the season
MOST_BYTES = 1_000_000
QUOTED = re.compile(r"'([^']+)'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an organisation decided about deciding. Two policies of one version decide alike."""

    version: str  #: 12 hexadecimal digits of the effective content
    limits: Limits
    timing: Timing
    experiment: str
    exploration: float
    rules: Sequence[Rule]
    text: str = field(repr=False, compare=False)  #: all that it was made of, defaults included, as JSON: see `of_text`
    rows: Rows = field(repr=False, compare=False)
    weights: Weights = field(repr=False, compare=False)
    calendar: Calendar = field(repr=False, compare=False)


def load(path: Path | None = None, *, features: Collection[str] = ()) -> Policy:
    """PolicyError for what cannot be read or used. `features`: the names own rules may use; empty accepts any."""
    own_text = "" if path is None else _text(path)
    try:
        return _policy(laid_over(_default(), _parsed(own_text)), features)
    except PolicyError as error:
        raise PolicyError(f"{path or 'the default policy'}: {_with_line(str(error), own_text)}") from error


def of_text(text: str) -> Policy:
    """A policy from another one's `text`: decides as that one did, whatever the defaults are now. Raises PolicyError."""
    return _policy(json.loads(text), ())


def _policy(content: Mapping[str, Any], features: Collection[str]) -> Policy:
    checked = _validated(content)
    own = tuple(_own_rule(rule, place, features) for place, rule in enumerate(checked.rule, start=1))
    rules = _active(checked, own)
    calendar = _calendar(checked)
    weights = {**checked.scores.weight, **{rule.name: rule.weight for rule in checked.rule if rule.weight is not None}}
    return Policy(
        version=_version(checked, rules),
        limits=checked.limits,
        timing=checked.timing,
        experiment=checked.experiment,
        exploration=checked.exploration,
        rules=rules,
        text=json.dumps(content, sort_keys=True, default=str),
        rows=compile_rows(rules, weights, checked.scores.weight_otherwise),
        weights=weights_of(checked.scores),
        calendar=calendar,
    )


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise PolicyError(f"{path}: too large for a policy")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise PolicyError(f"{path}: {reason}") from error


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"not TOML: {error}") from error


@cache
def _default() -> Mapping[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("policy_default.toml").read_text("utf-8"))


def _validated(content: Mapping[str, Any]) -> Content:
    try:
        return Content.model_validate_json(json.dumps(content, default=str), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"] if part != "[key]")
        raise PolicyError(f"{where}: {_complaint(first['type'], first['msg'], first)}") from error


def _complaint(kind: str, message: str, error: Mapping[str, Any]) -> str:
    loc, expected = error["loc"], error.get("ctx", {}).get("expected", "")
    if kind == "extra_forbidden":
        return f"there is no such key{nearest(str(loc[-1]), _siblings(loc))}"
    if expected:
        given = error["input"]
        return f"{given!r} is not known{nearest(str(given), QUOTED.findall(expected))}"
    return f"{message[:1].lower()}{message[1:]} (found {error['input']!r})"


def _siblings(loc: Sequence[object]) -> list[str]:
    """The keys that may stand where the unknown one stands."""
    noun: Any = Content
    for part in loc[:-1]:
        if isinstance(part, str):
            annotation = noun.model_fields[part].annotation
            noun = next((kind for kind in (annotation, *getattr(annotation, "__args__", ())) if _has_keys(kind)), noun)
    return [info.alias or name for name, info in noun.model_fields.items()]


def _has_keys(kind: object) -> bool:
    return hasattr(kind, "model_fields")


def _own_rule(own: OwnRule, place: int, features: Collection[str]) -> Rule:
    where = f"rule {own.name}"
    if own.name in {rule.name for rule in RULES}:
        raise PolicyError(f"{where}: a built-in rule has this name; switch that one off and choose another name")
    if not own.drops and own.prefers is None:
        raise PolicyError(f"{where}: it neither drops nor prefers an action")
    if not own.when and not own.any:
        raise PolicyError(f"{where}: it says not `when`")
    for condition in (*own.when, *own.any):
        conditions.check(condition, where, features)
    return Rule(
        name=own.name,
        stage=own.stage,
        drops=frozenset(own.drops),
        prefers=own.prefers,
        when=conditions.compiled(own.when, own.any),
        because=own.because,
        cites=tuple(dict.fromkeys(condition.field for condition in (*own.when, *own.any))),
    )


def _active(content: Content, own: Sequence[Rule]) -> tuple[Rule, ...]:
    """Own rules first within their stage: an organisation's word comes before ours."""
    names = [rule.name for rule in (*own, *RULES)]
    for name in names:
        if names.count(name) > 1:
            raise PolicyError(f"rule {name}: the name is used twice")
    for key, given in (("off", content.off), ("scores.weight", content.scores.weight)):
        for name in given:
            if name not in names:
                raise PolicyError(f"{key}: there is no rule {name!r}{nearest(name, names)}")
    return tuple(rule for rule in (*own, *RULES) if rule.name not in content.off)


def _calendar(content: Content) -> Calendar:
    for key, name in (
        ("business.zone", content.business.zone),
        *(("quiet.market_zones", zone) for zone in content.quiet.market_zones),
    ):
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError) as error:
            raise PolicyError(f"{key}: there is no time zone {name!r}{_nearest_zone(name)}") from error
    calendar = Calendar(content.business, content.quiet, content.timing)
    for reach, complaint in (
        (Reach.STAFF, "business: these days and hours leave no hour in which anybody works"),
        (Reach.MESSAGE, "quiet: no hour of the day is permitted in all market_zones at once"),
    ):
        if not all(calendar.slots(reach, None, season_s).offsets for season_s in (WINTER_S, SUMMER_S)):
            raise PolicyError(complaint)
    return calendar


def _nearest_zone(name: str) -> str:
    return nearest(name, available_timezones())


def _version(content: Content, rules: Sequence[Rule]) -> str:
    effective = content.model_dump(mode="json", by_alias=True)
    for name, value in content.limits:
        if isinstance(value, frozenset):  # in whatever order a process has it
            effective["limits"][name] = sorted(value)
    effective["off"] = sorted(effective["off"])
    named = [(rule.name, rule.stage, sorted(rule.drops), rule.prefers, rule.because) for rule in rules]
    text = json.dumps([effective, named], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_DIGITS]


def _with_line(complaint: str, text: str) -> str:
    """`line 12: ...` where the complaint's key stands in the file: TOML readers do not keep the places."""
    key = complaint.partition(":")[0].split(".")[-1].removeprefix("rule ").strip()
    pattern = re.compile(
        rf"^\s*{re.escape(key)}\s*=|^\s*\[+.*\b{re.escape(key)}\]|name\s*=\s*[\"']{re.escape(key)}[\"']"
    )
    lines = (number for number, line in enumerate(text.splitlines(), start=1) if pattern.search(line))
    number = next(lines, None)
    return complaint if number is None else f"line {number}: {complaint}"
