"""One TOML file -> the tracking plan: which sources there are, what proves a source, and what each may send."""

import hashlib
import hmac
import json
import tomllib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harken.errors import UnsuitableError

KEY_PREFIX = "hk_"
KEY_BYTES = 32
MOST_BYTES = 1_000_000

UnknownTypes: TypeAlias = Literal["refuse", "quarantine"]
Additional: TypeAlias = Literal["keep", "drop", "refuse"]


class Source(BaseModel):
    """One table `[source.NAME]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    key_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    types: Literal["all"] | Annotated[frozenset[str], Field(min_length=1)] = "all"
    events_per_second: Annotated[float, Field(gt=0, le=1_000_000)] = 100
    unknown_types: UnknownTypes = "refuse"  #: what becomes of an event whose type nobody knows, or not from here
    vouches: bool = False  #: what it says of a customer's tier and country is believed: not what a browser sends
    additional: Additional = "keep"  #: what becomes of properties and traits that the event's schema does not name

    def allows(self, type_: str) -> bool:
        """`type_`: a type, or `track/<event name>`; whoever may send all tracks may send each."""
        return self.types == "all" or type_ in self.types or type_.partition("/")[0] in self.types


class Plan(NamedTuple):
    sources: Mapping[str, Source]

    def source_of(self, key: str) -> Source | None:
        """Whose write key this is. Every hash is compared, each in constant time, so that nothing can be timed."""
        given = sha256_of(key)
        found = None
        for source in self.sources.values():
            if hmac.compare_digest(given, source.key_sha256):
                found = source
        return found


class WriteKey(NamedTuple):
    """Shown once to who sets the source up; the plan keeps the hash alone."""

    key: str
    sha256: str


def write_key(chance: Callable[[int], bytes]) -> WriteKey:
    """A new key of 256 bits out of `chance`, for example `secrets.token_bytes`."""
    key = f"{KEY_PREFIX}{chance(KEY_BYTES).hex()}"
    return WriteKey(key, sha256_of(key))


def sha256_of(key: str) -> str:
    """A key is 256 bits of chance, so a plain hash of it cannot be guessed back."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def load(path: Path, types: Collection[str]) -> Plan:
    """`types`: every name that a source may list. UnsuitableError, one line, for what cannot be used."""
    try:
        tables = _tables(path)
        plan = Plan({name: _source(name, table, types) for name, table in tables.items()})
        _each_its_own_key(plan)
    except UnsuitableError as wrong:
        raise UnsuitableError(f"The tracking plan {path}: {wrong}") from wrong
    return plan


def _tables(path: Path) -> Mapping[str, object]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UnsuitableError("it is too large.")
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as wrong:
        reason = wrong.strerror if isinstance(wrong, OSError) else "it is not UTF-8 text"
        raise UnsuitableError(f"{reason}.") from wrong
    except tomllib.TOMLDecodeError as wrong:
        raise UnsuitableError(f"not TOML: {wrong}.") from wrong
    others = sorted(content.keys() - {"source"})
    if others:
        raise UnsuitableError(f"there is no such table as {others[0]}: write [source.NAME].")
    tables = content.get("source")
    if not isinstance(tables, dict) or not tables:
        raise UnsuitableError("it names no source: write [source.NAME].")
    return tables


def _source(name: str, table: object, types: Collection[str]) -> Source:
    if not isinstance(table, dict):
        raise UnsuitableError(f"source.{name} is no table.")
    try:
        source = Source.model_validate_json(json.dumps({**table, "name": name}, default=str), strict=True)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        raise UnsuitableError(f"source.{name}.{first['loc'][0]}: {first['msg']}.") from wrong
    for type_ in () if isinstance(source.types, str) else sorted(source.types):
        if type_ not in types:
            raise UnsuitableError(f"source.{name}.types: there is no type {type_}.")
    return source


def _each_its_own_key(plan: Plan) -> None:
    seen: dict[str, str] = {}
    for name, source in plan.sources.items():
        other = seen.setdefault(source.key_sha256, name)
        if other != name:
            raise UnsuitableError(f"source.{name} has the key of source.{other}: give it one of its own.")
