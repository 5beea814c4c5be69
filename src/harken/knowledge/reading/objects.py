"""JSON (one object, a list of them, or one a line) -> pages, one object at a time."""

import json
import re
from collections.abc import Iterator
from typing import Any

from harken.knowledge.reading import markdown, said
from harken.knowledge.reading.limits import JSON_DEPTH
from harken.knowledge.reading.page import CannotReadError, Page, Row
from harken.knowledge.reading.plain import seen

_BLANK = re.compile(r"[ \t\n\r]*")


class _TwiceError(ValueError):
    """An object says a key twice, so that nobody can know which one holds."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) != len(pairs):
        raise _TwiceError
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def lines(text: str) -> Iterator[Row]:
    """JSON Lines: a broken line does not spoil the next."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, _attempt(line.strip())


def document(text: str) -> Page | None:
    """The one object of a file; None: it is a list. Raises CannotReadError."""
    start = _after_blank(text, 0)
    if text.startswith("[", start):
        return None
    value, end = _value(text, start)
    if _after_blank(text, end) < len(text):
        raise CannotReadError(f"is broken JSON in line {_line(text, end)}: something follows the object")
    return _page(value)


def items(text: str) -> Iterator[Row]:
    """The objects of a list as they come. Raises CannotReadError where the list itself is broken."""
    at, line, counted = _after_blank(text, _after_blank(text, 0) + 1), 1, 0
    while not text.startswith("]", at):
        line, counted = line + text.count("\n", counted, at), at
        value, at = _value(text, at)
        try:
            yield line, _page(value)
        except CannotReadError as why:
            yield line, why
        at = _after_blank(text, at)
        if text.startswith(",", at):
            at = _after_blank(text, at + 1)
        elif not text.startswith("]", at):
            raise CannotReadError(f"is broken JSON in line {_line(text, at)}")
    if _after_blank(text, at + 1) < len(text):
        raise CannotReadError(f"is broken JSON in line {_line(text, at)}: something follows the list")


def _attempt(line: str) -> Page | CannotReadError:
    try:
        found = document(line)
    except CannotReadError as why:
        return CannotReadError(str(why).replace(" in line 1", ""))
    return found or CannotReadError("is not an object with `id`, `title` and `content`")


def _after_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as broken:
        raise CannotReadError(f"is broken JSON in line {broken.lineno}") from None
    except _TwiceError:
        raise CannotReadError(f"says a key twice, in the object in line {_line(text, at)}") from None
    except RecursionError:
        raise CannotReadError(f"is nested deeper than {JSON_DEPTH} levels") from None
    except ValueError:
        raise CannotReadError(f"has a number that is too long, in the object in line {_line(text, at)}") from None


def _page(value: Any) -> Page:
    if not isinstance(value, dict) or not isinstance(value.get("content"), str):
        raise CannotReadError("is not an object with `id`, `title` and `content`")
    if _too_deep(value):
        raise CannotReadError(f"is nested deeper than {JSON_DEPTH} levels")
    text, headings = markdown.plain(seen(value["content"]))
    fields = {said.key(name): _word(name, word) for name, word in value.items() if name != "content"}
    return Page(text=text, headings=headings, fields=fields)


def _word(name: str, word: object) -> str:
    if isinstance(word, str):
        return seen(word).strip()
    if isinstance(word, int) and not isinstance(word, bool) and said.key(name) == "id":
        return str(word)
    if word is not None and said.key(name) in ("id", "title", *said.KEYS):
        raise CannotReadError(f"has a `{said.key(name)}` that is not a word")
    return ""


def _too_deep(value: object) -> bool:
    level = [value]
    for _ in range(JSON_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True
