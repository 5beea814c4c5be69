"""Two versions of a schema -> what the change breaks, each as a sentence with its place.

Backward: the new version takes every event of the old one. Forward: who knows only the old version can read the new
events. Full: both. A name that a version does not declare counts as unused, so adding an optional one breaks nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, TypeAlias, get_args

from harken.errors import UnsuitableError
from harken.eventlog import narrowing
from harken.eventlog.registry import ENVELOPE, Registry, Schema, envelope
from harken.eventlog.upcasting import UPCASTERS

Mode: TypeAlias = Literal["backward", "forward", "full", "none"]
MODES: tuple[Mode, ...] = get_args(Mode)
MODE_KEYWORD = "x-compatibility"
"""In a schema: what it promises to the version before it. Unsaid: backward."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """One promise that a version does not keep."""

    name: str
    old: int
    new: int
    sentence: str


def breaks(old: Mapping[str, Any], new: Mapping[str, Any], mode: Mode = "backward") -> tuple[str, ...]:
    """Sentences; empty: compatible."""
    old, new = _whole(old), _whole(new)
    found: list[str] = []
    if mode in ("backward", "full"):
        found += (f"{place}: {what}." for place, what in narrowing.between(old, new))
    if mode in ("forward", "full"):
        found += (f"{place}: for who reads the old version, it {what}." for place, what in narrowing.between(new, old))
    return tuple(found)


def _whole(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the envelope that it refers to, so that a field of every event is compared as well."""
    if content.get("$ref") != ENVELOPE:
        return content
    return _over(envelope(), {name: value for name, value in content.items() if name != "$ref"})


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            merged[name] = _over(under, value)
        elif name == "required" and under:
            merged[name] = [*under, *value]
        else:
            merged[name] = value
    return merged


def mode_of(schema: Schema) -> Mode:
    """UnsuitableError for a mode that is none."""
    said = schema.content.get(MODE_KEYWORD, "backward")
    for mode in MODES:
        if said == mode:
            return mode
    raise UnsuitableError(f"{schema.name}/{schema.version}: {MODE_KEYWORD} is one of {', '.join(MODES)}.")


def checked(registry: Registry) -> Sequence[Break]:
    """Every version against the one before it. An upcaster bridges what breaks backward."""
    return [found for name in registry.names for found in _of(registry, name)]


def _of(registry: Registry, name: str) -> Iterator[Break]:
    versions = registry.versions(name)
    for older, newer in pairwise(versions):
        old, new = registry.schema(name, older), registry.schema(name, newer)
        for sentence in breaks(old.content, new.content, _left(mode_of(new), bridged=(name, older) in UPCASTERS)):
            yield Break(name=name, old=older, new=newer, sentence=sentence)


def _left(mode: Mode, *, bridged: bool) -> Mode:
    if not bridged:
        return mode
    return "forward" if mode in ("forward", "full") else "none"
