"""Text that may begin with front matter -> its `key: value` lines, and the text after them."""

import re

from harken.knowledge.reading import said
from harken.knowledge.reading.limits import FRONT_MATTER_LINES
from harken.knowledge.reading.page import CannotReadError

_PAIR = re.compile(r"([A-Za-z][\w -]{0,60}?)[ \t]*:(?:[ \t]+(.*)|)$").match
_KNOWN = {"title", "id", *said.KEYS}


def split(text: str) -> tuple[dict[str, str], str]:
    """Lines between `---` and `---` at the very top. Lists and maps below a key of somebody else's are passed over.

    Raises CannotReadError where it is not closed, says a key twice, or is in a language that is not read here:
    what it wanted to forbid would be allowed otherwise.
    """
    body = text.lstrip("\n \t")
    if body.startswith("+++\n"):
        raise CannotReadError("begins with front matter in TOML: write `key: value` lines between two lines `---`")
    if not body.startswith("---") or body.partition("\n")[0].rstrip() != "---":
        return {}, text
    lines = body.split("\n", FRONT_MATTER_LINES)[1:]
    end = next((n for n, line in enumerate(lines) if line.rstrip() in ("---", "...")), None)
    pairs = [found for line in lines[:end] if (found := _PAIR(line.rstrip()))]
    if any(said.key(line.partition(":")[0]) in said.KEYS for line in lines[:end] if line[:1] in (" ", "\t", "-")):
        raise CannotReadError("has a key of ours below another one in its front matter: move it to the margin")
    if not any(said.key(name) in _KNOWN for name, _ in (pair.groups() for pair in pairs)):
        return _of_others(text, lines, end, bool(pairs))
    if end is None:
        raise CannotReadError("begins with front matter that no line `---` closes")
    return _fields([(pair[1], pair[2] or "") for pair in pairs]), "\n".join(lines[end + 1 :])


def _of_others(text: str, lines: list[str], end: int | None, any_pair: bool) -> tuple[dict[str, str], str]:
    """A rule drawn across the page is text, and front matter of another program is not."""
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    if end is None or not any_pair or not _PAIR(first.rstrip()):
        return {}, text
    named = {said.key(found[1]): "" for line in lines[:end] if (found := _PAIR(line.rstrip()))}
    return named, "\n".join(lines[end + 1 :])


def _fields(pairs: list[tuple[str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for written, value in pairs:
        name = said.key(written)
        if name in fields and name in _KNOWN:
            raise CannotReadError(f"says `{name}` twice in its front matter")
        fields[name] = _unquoted(value.strip())
    return fields


def _unquoted(value: str) -> str:
    """`"Fees: 2026"` -> `Fees: 2026`; what follows ` #` is a comment."""
    if len(value) > 1 and value[0] in "\"'" and value.find(value[0], 1) > 0:
        return value[1 : value.find(value[0], 1)]
    return value.partition(" #")[0].strip() if not value.startswith("#") else ""
