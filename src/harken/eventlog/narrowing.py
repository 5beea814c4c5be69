"""Two JSON Schemas -> the places where the second refuses something that the first took."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

Place: TypeAlias = tuple[str, str]
"""A JSON pointer into the event, and what happened there."""

Seen: TypeAlias = frozenset[tuple[str | int, str | int]]
"""What is being compared further up, by reference or place in memory: a schema may contain itself."""

MOST_HOPS = 10

VERSION = "/version"
"""What tells versions apart is no break between them."""

_EVERY_TYPE = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_LOWER = {"minimum": "number", "exclusiveMinimum": "number", "minLength": "string"} | {
    "minItems": "array",
    "minProperties": "object",
    "minContains": "array",
}
_UPPER = {"maximum": "number", "exclusiveMaximum": "number", "maxLength": "string"} | {
    "maxItems": "array",
    "maxProperties": "object",
    "maxContains": "array",
}
_OPAQUE = {"pattern": "string", "format": "string", "multipleOf": "number"} | {
    "uniqueItems": "array",
    "prefixItems": "array",
    "contains": "array",
    "unevaluatedItems": "array",
    "patternProperties": "object",
    "propertyNames": "object",
    "dependentRequired": "object",
    "dependentSchemas": "object",
    "unevaluatedProperties": "object",
}
_OPAQUE_OF_ANY = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")
"""No general way to compare these: whoever changes them shows that nothing breaks by a version of its own."""


def between(before: Any, after: Any) -> Sequence[Place]:
    """In the order of the schema, each once."""
    roots = (before, after)
    return tuple(dict.fromkeys(_narrowed(before, after, "", roots, frozenset())))


def _narrowed(before: Any, after: Any, at: str, roots: tuple[Any, Any], seen: Seen) -> Iterator[Place]:
    pair = (_reference(before) or id(before), _reference(after) or id(after))
    one, two = _resolved(before, roots[0]), _resolved(after, roots[1])
    if one is False or two is True or at == VERSION or pair in seen:
        return
    seen |= {pair}
    if two is False:
        yield at or "/", "is no longer taken"
        return
    one = {} if one is True else one
    if two.get("$ref") not in (None, one.get("$ref")):
        yield at or "/", f"refers to {two['$ref']} now"
    types = _types(one)
    for rule in (_lost_types, _lost_values, _bounds, _changed):
        yield from ((at or "/", what) for what in rule(one, two, types))
    yield from _of_objects(one, two, at, roots, seen)
    yield from _of_arrays(one, two, at, roots, seen)


def _reference(schema: Any) -> str:
    """The reference inside the document; empty where there is none."""
    ref = schema.get("$ref") if isinstance(schema, Mapping) else None
    return ref if isinstance(ref, str) and ref.startswith("#") else ""


def _resolved(schema: Any, root: Any) -> Any:
    """Follows references inside the document; one to another document stays, and is compared by name."""
    for _ in range(MOST_HOPS):
        ref = _reference(schema)
        if not ref:
            break
        target: Any = root
        for step in ref.removeprefix("#").split("/")[1:]:
            target = target.get(step.replace("~1", "/").replace("~0", "~"), True)
        schema = target if len(schema) == 1 else {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
    return schema


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    said = schema.get("type")
    if said is not None:
        named = frozenset([said] if isinstance(said, str) else said)
        return named | {"integer"} if "number" in named else named
    values = _values(schema)
    return _EVERY_TYPE if values is None else frozenset(_type_of(value) for value in values)


def _type_of(value: Any) -> str:
    names = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array"), (dict, "object"))
    return next((name for kind, name in names if isinstance(value, kind)), "null")


def _values(schema: Mapping[str, Any]) -> Sequence[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: Sequence[Any] | None = schema.get("enum")
    return values


def _applies(keyword_type: str, types: frozenset[str]) -> bool:
    return keyword_type in types or (keyword_type == "number" and "integer" in types)


def _lost_types(one: Mapping[str, Any], two: Mapping[str, Any], types: frozenset[str]) -> Iterator[str]:
    if "type" not in two:
        return
    lost = types - _types(two)
    if lost == _EVERY_TYPE - _types(two):
        yield f"takes only {_listed(_types(two))} now"
    elif lost:
        yield f"no longer takes {_listed(lost)}"


def _lost_values(one: Mapping[str, Any], two: Mapping[str, Any], _: frozenset[str]) -> Iterator[str]:
    before, after = _values(one), _values(two)
    if after is None:
        return
    if before is None:
        yield f"takes only {_listed(map(repr, after))} now"
        return
    lost = [value for value in before if not any(_same(value, kept) for kept in after)]
    if lost:
        yield f"no longer takes {_listed(map(repr, lost))}"


def _same(one: Any, two: Any) -> bool:
    """In JSON, yes is not 1."""
    return isinstance(one, bool) == isinstance(two, bool) and bool(one == two)


def _bounds(one: Mapping[str, Any], two: Mapping[str, Any], types: frozenset[str]) -> Iterator[str]:
    yield from _tighter(one, two, types, _LOWER, lambda before, after: after > before)
    yield from _tighter(one, two, types, _UPPER, lambda before, after: after < before)


def _tighter(
    one: Mapping[str, Any],
    two: Mapping[str, Any],
    types: frozenset[str],
    keywords: Mapping[str, str],
    stricter: Callable[[Any, Any], bool],
) -> Iterator[str]:
    for name, of_type in keywords.items():
        if name not in two or not _applies(of_type, types):
            continue
        if name not in one:
            yield f"has a {name} of {two[name]} now"
        elif stricter(one[name], two[name]):
            yield f"has a {name} of {two[name]} instead of {one[name]}"


def _changed(one: Mapping[str, Any], two: Mapping[str, Any], types: frozenset[str]) -> Iterator[str]:
    ours = (name for name, of_type in _OPAQUE.items() if _applies(of_type, types))
    for name in (*ours, *_OPAQUE_OF_ANY):
        if name in two and one.get(name) != two[name]:
            yield f"has another {name}" if name in one else f"has a {name} now"


def _of_objects(
    one: Mapping[str, Any], two: Mapping[str, Any], at: str, roots: tuple[Any, Any], seen: Seen
) -> Iterator[Place]:
    if "object" not in _types(one):
        return
    for name in sorted({*two.get("required", ())} - {*one.get("required", ())}):
        if f"{at}/{name}" != VERSION:
            yield f"{at}/{name}", "is required now"
    before, after = one.get("properties", {}), two.get("properties", {})
    rest = (one.get("additionalProperties", True), two.get("additionalProperties", True))
    unused = _is_open(rest[0], roots[0])
    for name in sorted({*before, *after}):
        undeclared = name not in before or (name not in after and rest[0] == rest[1])
        if not (unused and undeclared):
            yield from _narrowed(before.get(name, rest[0]), after.get(name, rest[1]), f"{at}/{name}", roots, seen)
    if rest[0] is not False and rest[1] is False:
        yield at or "/", "no longer takes other names"
    else:
        yield from _narrowed(*rest, f"{at}/*", roots, seen)


def _is_open(rest: Any, root: Any) -> bool:
    """Does a name that is not declared take any type? Then it counts as unused: to declare it breaks nothing."""
    resolved = _resolved(rest, root)
    return resolved is True or (resolved is not False and _types(resolved) == _EVERY_TYPE)


def _of_arrays(
    one: Mapping[str, Any], two: Mapping[str, Any], at: str, roots: tuple[Any, Any], seen: Seen
) -> Iterator[Place]:
    if "array" in _types(one) and "items" in two:
        yield from _narrowed(one.get("items", True), two["items"], f"{at}/0", roots, seen)


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))
