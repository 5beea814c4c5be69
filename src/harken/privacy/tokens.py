"""Text with personal data -> the same text with tokens such as [EMAIL_1], and back; or one way, for logs."""

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple

from harken.privacy.scanner import PersonalData, scan

TOKEN = re.compile(r"\[[A-Za-z][A-Za-z_]{0,30}_(?:\d{1,9}|[A-Za-z2-7]{16})\]")
"""What stands for a personal value: [EMAIL_1] in one prompt, [EMAIL_7kq3…] wherever the vault keeps it."""

_LITERAL = "LITERAL"
_OURS = ("trace_id", "span_id")
_TRACE = re.compile(r"[0-9a-f]{16}|[0-9a-f]{32}")
_DEPTH = 8  # levels of a log value that are looked at


class Hidden(str):
    """A text whose personal data is tokens. Hiding it again changes nothing."""

    __slots__ = ()


class Secret(NamedTuple):
    """What a token stands for: a piece of personal data, or words of a text that only looked like a token."""

    kind: str
    value: str


class Pseudonyms:
    """The book of one bundle of texts (one prompt), token -> value: in it a value has the same token everywhere."""

    __slots__ = ("_tokens", "_values")

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        """An empty book, or one that was kept (`dict(book.values)`)."""
        self._values = dict(values or {})
        self._tokens = {(_kind(token), value): token for token, value in self._values.items()}

    @property
    def values(self) -> Mapping[str, str]:
        return self._values

    def token_for(self, kind: str, value: str) -> str:
        token = self._tokens.get((kind, value))
        if token is None:
            count = sum(_kind(known) == kind for known in self._values)
            token = self._tokens[kind, value] = f"[{kind}_{count + 1}]"
            self._values[token] = value
        return token

    def __repr__(self) -> str:
        return f"Pseudonyms({len(self._values)} values)"


def _kind(token: str) -> str:
    return token[1:].rpartition("_")[0]


def hide(text: str, found: Iterable[PersonalData], book: Pseudonyms) -> Hidden:
    """Put a token in the place of each find (sorted, as `scan` gives them).

    What looks like a token in the text already gets a token of its own, so that a customer who writes "[EMAIL_1]"
    is neither given somebody's address nor mistaken for us. Hide each text before joining several: a joined text
    is a plain `str` again, and its tokens would be taken for the customer's words.
    """
    if isinstance(text, Hidden):
        return text
    return Hidden("".join(book.token_for(*part) if isinstance(part, Secret) else part for part in parts(text, found)))


def parts(text: str, found: Iterable[PersonalData]) -> Iterator[str | Secret]:
    """The text piece by piece: what stays as it is, and what a token must stand for."""
    past = 0
    for start, end, kind, value in found:
        yield from _escaped(text[past:start])
        yield Secret(kind, value)
        past = end
    yield from _escaped(text[past:])


def _escaped(text: str) -> Iterator[str | Secret]:
    past = 0
    for match in TOKEN.finditer(text) if "[" in text else ():
        yield text[past : match.start()]
        yield Secret(_LITERAL, match[0])
        past = match.end()
    yield text[past:]


def reveal(text: str, book: Pseudonyms) -> str:
    """Put the values back. One pass: a value that looks like a token is not looked up again."""
    return TOKEN.sub(lambda match: book.values.get(match[0], match[0]), text)


def unknown_tokens(text: str, book: Pseudonyms) -> tuple[str, ...]:
    """Tokens in a model's answer that the book never gave out, in order, each once."""
    return tuple(dict.fromkeys(token for token in TOKEN.findall(text) if token not in book.values))


def strip(text: str) -> str:
    """One way: [EMAIL] in the place of each token, for what is made public."""
    return TOKEN.sub(lambda match: f"[{_kind(match[0])}]", text)


def redact(text: str, found: Iterable[PersonalData]) -> str:
    """One way: [EMAIL] in the place of each find."""
    pieces, past = [], 0
    for start, end, kind, _ in found:
        pieces += [text[past:start], f"[{kind}]"]
        past = end
    return "".join([*pieces, text[past:]])


def redact_for_log(value: Any, depth: int = _DEPTH) -> Any:
    """A value as a log may hold it: every text redacted, containers walked, unknown objects as redacted text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact(value, scan(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(value)} bytes"
    if depth and isinstance(value, Mapping):
        return {redact_for_log(key, depth - 1): redact_for_log(item, depth - 1) for key, item in value.items()}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return [redact_for_log(item, depth - 1) for item in value]
    return redact_for_log(str(value))


def log_processor(_logger: Any, _name: str, event_dict: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that lets nothing personal into a log line.

    Belongs after `format_exc_info` and before the renderer, so that tracebacks are texts by then. The number of a
    trace is a number of ours, though one in some thousands looks like a card's.
    """
    for key, value in event_dict.items():
        if not (key in _OURS and _TRACE.fullmatch(str(value))):
            event_dict[key] = redact_for_log(value)
    return event_dict
