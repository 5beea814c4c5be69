"""The default desk file and the organisation's own over it -> the rules that tickets are worked by."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from harken.domain.ticket import Priority, StatusCategory
from harken.errors import UnsuitableError
from harken.kit.layers import laid_over
from harken.tickets.desk_file import Content
from harken.tickets.hours import ALWAYS, Week

VERSION_DIGITS = 12
CLOCKS = ("first_response", "next_response", "resolution")


class DeskError(UnsuitableError):
    """The desk file cannot be used: says the file, the key, and what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRules:
    """`version`: changes whenever any rule does."""

    content: Content
    week: Week  #: business hours
    version: str

    def jurisdiction_of(self, country: object) -> str:
        """Of a customer who lives there; empty where nobody told us."""
        return self.content.jurisdictions.get(country, country) if isinstance(country, str) else ""

    def week_of(self, priority: Priority) -> Week:
        """When people work on such tickets."""
        return ALWAYS if priority in self.content.sla.round_the_clock else self.week

    def status_of(self, label: str) -> StatusCategory | None:
        """The category that an organisation's word means."""
        return self.content.statuses.get(label)

    def label_of(self, status: StatusCategory, label: str) -> str:
        """The organisation's own word: the ticket's where it was said, else the first of its category."""
        if label != status.value or self.content.statuses.get(label) is status:
            return label
        return next((name for name, means in self.content.statuses.items() if means is status), label)


def load(path: Path | None = None) -> DeskRules:
    """Raises DeskError with one line: the file, the key, what is wrong."""
    own = _read(path) if path else {}
    try:
        content = Content.model_validate_json(json.dumps(laid_over(_default(), own), default=str))
        return _checked(content)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"] if part != "[key]")
        raise DeskError(f"{path}: {where}: {_complaint(first['type'], first['msg'])}") from None
    except DeskError as wrong:
        raise DeskError(f"{path}: {wrong}") from None


def _complaint(kind: str, message: str) -> str:
    return "there is no such key" if kind == "extra_forbidden" else f"{message[:1].lower()}{message[1:]}"


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else "it is not UTF-8 text"
        raise DeskError(f"{path}: {reason}") from wrong
    except tomllib.TOMLDecodeError as wrong:
        raise DeskError(f"{path}: not TOML: {wrong}") from wrong


@cache
def _default() -> Mapping[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("desk_default.toml").read_text("utf-8"))


def _checked(content: Content) -> DeskRules:
    _check_statuses(content)
    _check_promises(content)
    _check_names(content)
    try:
        zone = ZoneInfo(content.hours.zone)
    except (ValueError, OSError, KeyError):
        raise DeskError(f"hours.zone: there is no time zone {content.hours.zone!r}") from None
    week = Week.of(content.hours, zone)
    if not week.ever_open:
        raise DeskError("hours: these days leave no hour in which anybody works")
    text = json.dumps(content.model_dump(mode="json"), sort_keys=True)
    return DeskRules(content=content, week=week, version=hashlib.sha256(text.encode()).hexdigest()[:VERSION_DIGITS])


def _check_statuses(content: Content) -> None:
    missing = set(StatusCategory) - set(content.statuses.values())
    if missing:
        raise DeskError(f"statuses: no word means {min(missing)}")
    for label, means in content.statuses.items():
        if label in set(StatusCategory) and label != means:
            raise DeskError(f"statuses: {label} cannot mean {means}: it is the name of a category itself")


def _check_promises(content: Content) -> None:
    for clock in CLOCKS:
        if missing := set(Priority) - set(getattr(content.sla, clock)):
            raise DeskError(f"sla.{clock}: nothing is promised for {min(missing)}")


def _check_names(content: Content) -> None:
    """Teams and categories are closed sets: a name that nobody declared is a slip of the pen."""
    teams = {team.name for team in content.team}
    agents = [agent.name for agent in content.agent]
    if len(teams) != len(content.team) or len(set(agents)) != len(agents):
        raise DeskError("a team or an agent is there twice")
    named = [("routing.default", content.routing.default)]
    named += [(f"route {row.name}", row.team) for row in content.route]
    named += [(f"agent {agent.name}", team) for agent in content.agent for team in agent.teams]
    for where, team in named:
        if team not in teams:
            raise DeskError(f"{where}: there is no team {team!r}")
    sorted_into = [(f"route {row.name}", each) for row in content.route for each in row.categories]
    sorted_into += [(f"agent {agent.name}", each) for agent in content.agent for each in agent.skills]
    for where, category in sorted_into:
        if category not in content.categories:
            raise DeskError(f"{where}: there is no category {category!r}")
