"""JSON Schemas of events, shipped and an organisation's own -> what is wrong with one event, by place and rule."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import jsonschema_rs

from harken.errors import UnsuitableError
from harken.kit.nesting import MOST_DEPTH, deeper_than

Content: TypeAlias = Mapping[str, Any]

FIRST_VERSION = 1
"""What an event without a version is: who never heard of versions wrote the first."""

TRACK = "track"
ENVELOPE = "harken:envelope"
MOST_VIOLATIONS = 20

_FILE = re.compile(r"[1-9][0-9]{0,2}\.json")
_FIELD_NAME = re.compile(r"[A-Za-z_$][\w$.-]{0,40}", re.ASCII)


class _Folder(Protocol):
    """A folder on disk or inside the package."""

    @property
    def name(self) -> str: ...
    def iterdir(self) -> "Iterator[_Folder]": ...
    def is_dir(self) -> bool: ...
    def read_text(self, encoding: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Violation:
    """Where (a JSON pointer) and which rule of the schema; never the value."""

    path: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """One version of one type. The name of an event of an organisation's own is `track/<event name>`."""

    name: str
    version: int
    content: Content
    shipped: bool = True


class Registry:
    """Every known schema, compiled."""

    def __init__(self, schemas: Iterable[Schema]) -> None:
        """UnsuitableError for a schema that is none."""
        self._schemas = {(schema.name, schema.version): schema for schema in schemas}
        self._validators = {key: _compiled(schema) for key, schema in self._schemas.items()}
        self._names = frozenset(name for name, _ in self._schemas)
        self._declared = {key: _declared(schema.content) for key, schema in self._schemas.items()}

    @property
    def names(self) -> Sequence[str]:
        return sorted(self._names)

    def versions(self, name: str) -> Sequence[int]:
        """In order; empty for an unknown name."""
        return sorted(version for known, version in self._schemas if known == name)

    def schema(self, name: str, version: int) -> Schema:
        found = self._schemas.get((name, version))
        if found is None:
            known = ", ".join(map(str, self.versions(name)))
            raise UnsuitableError(f"{name} has no version {version}{f': it has {known}' if known else ''}.")
        return found

    def name_of(self, type_: str, body: Content) -> str:
        """What an event is checked as: a track with a schema of its own name as that, anything else as its type."""
        own = f"{TRACK}/{body.get('event')}" if type_ == TRACK else type_
        return own if own in self._names else type_

    def violations(self, type_: object, version: object, body: Content) -> tuple[Violation, ...]:
        """Empty: fits. The whole event is checked; `version` None is the first. At most `MOST_VIOLATIONS`.

        Type and version may be handed in as they came, whatever they are.
        """
        if not isinstance(type_, str):
            return (Violation("/type", "required" if type_ is None else "type"),)
        if version is not None and type(version) is not int:
            return (Violation("/version", "type"),)
        if deeper_than(body, MOST_DEPTH):
            return (Violation("", "depth"),)
        name = self.name_of(type_, body)
        validator = self._validators.get((name, FIRST_VERSION if version is None else version))
        if validator is None:
            return (Violation("/version", "unknown") if name in self._names else Violation("/type", "unknown"),)
        if validator.is_valid(body):
            return ()
        return tuple(_violation(error) for error in islice(validator.iter_errors(body), MOST_VIOLATIONS))

    def undeclared(self, type_: str, version: int | None, body: Content) -> tuple[str, ...]:
        """The properties and traits that the event's schema does not name, as JSON pointers, for a tracking plan."""
        key = (self.name_of(type_, body), FIRST_VERSION if version is None else version)
        declared = self._declared.get(key, {})
        return tuple(
            f"/{part}/{_pointer(name)}"
            for part in ("properties", "traits")
            for name in body.get(part) or ()
            if name not in declared.get(part, frozenset())
        )


def load(folder: Path | None = None) -> Registry:
    """The shipped schemas, and those of a folder: `<type>/<n>.json`, `track/<event name>/<n>.json`.

    A folder adds versions and events; it changes none that is shipped. UnsuitableError, one line, for anything else.
    """
    shipped = _shipped()
    return Registry([*shipped, *(_own(folder, shipped) if folder else ())])


@cache
def _shipped() -> tuple[Schema, ...]:
    root = resources.files(__package__).joinpath("schemas")
    return tuple(_read(root, shipped=True))


def envelope() -> Content:
    """What every shipped schema refers to: the fields of an event of any type."""
    content: Content = json.loads(resources.files(__package__).joinpath("schemas", "envelope.json").read_text("utf-8"))
    return content


def _own(folder: Path, shipped: Sequence[Schema]) -> Iterator[Schema]:
    if not folder.is_dir():
        raise UnsuitableError(f"{folder} is no folder of schemas.")
    published = {(schema.name, schema.version): schema for schema in shipped}
    for schema in _read(folder, shipped=False):
        same = published.get((schema.name, schema.version))
        if same is None and not schema.name.startswith(f"{TRACK}/") and (schema.name, FIRST_VERSION) not in published:
            raise UnsuitableError(
                f"{folder}/{schema.name}: there is no such type; an event of your own is {TRACK}/NAME."
            )
        if same is not None and same.content != schema.content:
            raise UnsuitableError(
                f"{folder}/{schema.name}/{schema.version}.json differs from the shipped one: give it a new version."
            )
        if same is None:
            yield schema


def _read(root: Any, *, shipped: bool) -> Iterator[Schema]:
    for type_ in _folders(root):
        for schema_file in _files(type_):
            yield _schema(type_.name, schema_file, shipped)
        if type_.name == TRACK:
            for event in _folders(type_):
                for schema_file in _files(event):
                    yield _schema(f"{TRACK}/{event.name}", schema_file, shipped)


def _folders(root: _Folder) -> Sequence[_Folder]:
    return sorted((entry for entry in root.iterdir() if entry.is_dir()), key=lambda entry: entry.name)


def _files(folder: _Folder) -> Sequence[_Folder]:
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".json")]
    for entry in found:
        if not _FILE.fullmatch(entry.name):
            raise UnsuitableError(f"{entry}: a schema is called by its version: 1.json, 2.json, …")
    return sorted(found, key=lambda entry: int(entry.name.removesuffix(".json")))


def _schema(name: str, file: _Folder, shipped: bool) -> Schema:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as wrong:
        raise UnsuitableError(f"{file} is not JSON: {wrong}.") from wrong
    if not isinstance(content, dict):
        raise UnsuitableError(f"{file} is no object.")
    return Schema(name=name, version=int(file.name.removesuffix(".json")), content=content, shipped=shipped)


def _compiled(schema: Schema) -> jsonschema_rs.Draft202012Validator:
    """Nothing is fetched, and patterns take linear time: a schema may come from somebody else."""
    try:
        return jsonschema_rs.Draft202012Validator(
            dict(schema.content),
            registry=_resources(),
            validate_formats=True,
            offline=True,
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except (ValueError, jsonschema_rs.ReferencingError) as wrong:
        line = str(wrong).splitlines()[0]
        raise UnsuitableError(f"The schema {schema.name}/{schema.version} cannot be used: {line}.") from wrong


@cache
def _resources() -> jsonschema_rs.Registry:
    return jsonschema_rs.Registry([(ENVELOPE, dict(envelope()))])


def _declared(content: Content) -> Mapping[str, frozenset[str]]:
    """The names that the schema or the envelope gives to properties and traits."""
    parts = ("properties", "traits")
    both = (content.get("properties", {}), envelope()["properties"])
    return {part: frozenset(name for one in both for name in one.get(part, {}).get("properties", {})) for part in parts}


def _violation(error: jsonschema_rs.ValidationError) -> Violation:
    steps = [*error.instance_path]
    kind = error.kind.as_dict()
    if "property" in kind:
        steps.append(kind["property"])
    elif len(kind.get("unexpected", ())) == 1:
        steps.append(kind["unexpected"][0])
    return Violation("".join(f"/{_pointer(step)}" for step in steps), error.kind.name)


def _pointer(step: str | int) -> str:
    """A name that is no field's may be somebody's address."""
    return str(step) if isinstance(step, int) or _FIELD_NAME.fullmatch(step) else "*"
