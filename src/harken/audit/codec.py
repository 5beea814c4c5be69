"""Our nouns -> canonical JSON, and back to equal ones."""

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from harken.audit import canonical
from harken.audit.canonical import EXACT, NotCanonicalError

T = TypeVar("T")

_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}

_LARGE = "$int"
"""`{"$int": "9007199254740993"}` stands for an integer that JSON readers elsewhere would round; a name that begins with `$`
itself gets one more: whatever somebody calls an argument, an answer can be recorded."""


def encode(value: object) -> str:
    """Of a frozen dataclass. Raises NotCanonicalError for what JSON cannot hold, such as an infinite number."""
    return canonical.text(_tagged(_adapter(type(value)).dump_python(value, mode="json")))


def decode(kind: type[T], text: str) -> T:
    """Raises NotCanonicalError where the text is not canonical, or none of this kind."""
    try:
        made: T = _adapter(kind).validate_python(_untagged(canonical.read(text)))
    except ValidationError:
        raise NotCanonicalError(f"This is no {kind.__name__}.") from None
    return made


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Made once a kind: it takes milliseconds."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _tagged(value: Any) -> Any:
    if isinstance(value, dict):
        return {f"${key}" if key.startswith("$") else key: _tagged(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_tagged(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= EXACT:
        return {_LARGE: str(value)}
    return value


def _untagged(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {_LARGE}:
            return int(value[_LARGE])
        return {key[1:] if key.startswith("$") else key: _untagged(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_untagged(inner) for inner in value]
    return value
