"""A role and a jurisdiction -> what a reader may see: the settings that the database's own policy looks at."""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from harken.domain.document import DocumentClass, Risk, Visibility
from harken.errors import RefusedError, UnsuitableError

CUSTOMER = "customer"
"""Whoever may see more writes to customers, what an answer to one is made of is what this role may read."""

ALL = "*"
_JURISDICTION = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")


class NotClearedError(RefusedError):
    """This role reads nothing: it has no entry in the readers' file."""

    status = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What may be read. Two readers that are equal see the same, and share caches."""

    role: str
    visibility: Visibility
    classes: tuple[DocumentClass, ...]
    risk: Risk
    jurisdictions: tuple[str, ...] = ()  #: beside what holds everywhere; `*` alone: all of them

    def narrowed(self, *, classes: Sequence[DocumentClass] = (), risk: Risk | None = None) -> "Reader":
        """The same reader with less; never with more."""
        kept = tuple(each for each in self.classes if not classes or each in classes)
        return replace(self, classes=kept, risk=self.risk if risk is None else min(self.risk, risk))


def _level(kind: type[Visibility] | type[Risk]) -> BeforeValidator:
    def read(name: object) -> object:
        known = {each.name.lower(): each for each in kind}
        if name not in known:
            raise ValueError(f"{name} is none of {', '.join(known)}")
        return known[str(name)]

    return BeforeValidator(read)


class Clearance(BaseModel):
    """One role of the readers' file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    visibility: Annotated[Visibility, _level(Visibility)]
    classes: tuple[DocumentClass, ...]
    risk: Annotated[Risk, _level(Risk)]
    every_jurisdiction: bool = False


class Clearances:
    """Every role that may read."""

    def __init__(self, roles: Mapping[str, Clearance]) -> None:
        self._roles = dict(roles)

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(self._roles)

    @cached_property
    def version(self) -> str:
        """12 hexadecimal digits of what every role may read."""
        told = repr(sorted((name, role.model_dump_json()) for name, role in self._roles.items()))
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    def reader(self, role: str, jurisdiction: str | None = None) -> Reader:
        """Raises NotClearedError for a role that is not in the file, UnsuitableError for no ISO 3166 code."""
        found = self._roles.get(role)
        if found is None:
            raise NotClearedError(f"No role {role!r} may read anything; known are {', '.join(self._roles)}.")
        jurisdictions = (ALL,) if jurisdiction is None and found.every_jurisdiction else within(jurisdiction or "")
        return Reader(
            role=role,
            visibility=found.visibility,
            classes=tuple(sorted(found.classes)),
            risk=found.risk,
            jurisdictions=jurisdictions,
        )


def within(jurisdiction: str) -> tuple[str, ...]:
    """`us-ca` -> `("US", "US-CA")`: what holds in a country holds in its parts."""
    if not jurisdiction:
        return ()
    written = checked(jurisdiction)
    country = written.partition("-")[0]
    return (country,) if written == country else (country, written)


def checked(jurisdiction: str) -> str:
    written = jurisdiction.strip().upper()
    if not _JURISDICTION.fullmatch(written):
        raise UnsuitableError(f"A jurisdiction is an ISO 3166 code such as DE or US-CA; {written[:12]!r} is none.")
    return written


@cache
def load(path: Path | None = None) -> Clearances:
    """The roles that ship with Harken, and those of `path` in their place. Raises UnsuitableError for a file that is wrong."""
    shipped = resources.files(__package__).joinpath("readers_default.toml").read_text("utf-8")
    roles = {name: Clearance.model_validate(entry) for name, entry in tomllib.loads(shipped).items()}
    if path is None:
        return Clearances(roles)
    try:
        own = tomllib.loads(path.read_text("utf-8"))
        return Clearances(roles | {name: Clearance.model_validate(entry) for name, entry in own.items()})
    except OSError as wrong:
        raise UnsuitableError(f"The readers' file {path} cannot be read: {wrong.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise UnsuitableError(f"The readers' file {path} is not TOML: {wrong}.") from None
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UnsuitableError(f"The readers' file {path} does not fit at {where}: {first['msg']}.") from None
