"""`key: value` as a document says it of itself -> Said; and who wins where it and the command disagree."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from difflib import get_close_matches
from enum import IntEnum
from typing import TypeVar

from harken.domain.document import DocumentClass, Risk, Said, Visibility
from harken.errors import HarkenError

KEYS = (
    "visibility",
    "jurisdiction",
    "class",
    "risk",
    "owner",
    "language",
    "effective_from",
    "effective_to",
)
NARROWING = ("visibility", "risk")
"""Keys whose silence would open a document: an empty or a misspelt one is refused."""

_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?").fullmatch
_LANGUAGE = re.compile(r"([a-z]{2})([-_][a-z0-9_-]{1,20})?").fullmatch
_Level = TypeVar("_Level", bound=IntEnum)


class WrongWordError(HarkenError):
    """What a document says of itself cannot be right, so nobody may read it on the strength of it."""


def key(written: str) -> str:
    """`Effective-From` -> `effective_from`."""
    return written.strip().lower().replace("-", "_").replace(" ", "_")


def parse(fields: Mapping[str, str]) -> Said:
    """Keys that are none of `KEYS` are other people's. Times without a zone are UTC; a last day counts in full.

    Raises WrongWordError, which names the key and never the value.
    """
    _refuse_near_misses(fields)
    words = {name: fields.get(name, "").strip() for name in KEYS}
    begins = _moment("effective_from", words["effective_from"], time.min)
    ends = _moment("effective_to", words["effective_to"], time.max)
    if begins and ends and ends <= begins:
        raise WrongWordError("its `effective_to` is not after its `effective_from`")
    return Said(
        visibility=_level(Visibility, "visibility", words["visibility"]),
        jurisdiction=_jurisdiction(words["jurisdiction"]),
        document_class=_class(words["class"]),
        risk=_level(Risk, "risk", words["risk"]),
        owner=words["owner"] or None,
        language=_language(words["language"]),
        effective_from=begins,
        effective_to=ends,
    )


def agreed(own: Said, given: Said) -> Said:
    """The document's word before the command's, but never more open than either of them says."""
    mine = {name: getattr(own, name) for name in Said.__dataclass_fields__ if getattr(own, name) is not None}
    return replace(
        given,
        **mine | {"visibility": _narrower(own.visibility, given.visibility), "risk": _narrower(own.risk, given.risk)},
    )


def _narrower(first: _Level | None, second: _Level | None) -> _Level | None:
    return max((level for level in (first, second) if level is not None), default=None)


def _refuse_near_misses(fields: Mapping[str, str]) -> None:
    for name in NARROWING:
        if name in fields and not fields[name].strip():
            raise WrongWordError(f"its `{name}` is empty")
    for written in fields.keys() - set(KEYS):
        if near := get_close_matches(written, NARROWING, n=1, cutoff=0.8):
            raise WrongWordError(f"has a key that is almost `{near[0]}`: correct its spelling")


def _level(levels: type[_Level], name: str, word: str) -> _Level | None:
    if not word:
        return None
    if word.upper() not in levels.__members__:
        raise WrongWordError(f"its `{name}` is not one of: {', '.join(levels.__members__).lower()}")
    return levels[word.upper()]


def _class(word: str) -> DocumentClass | None:
    if not word:
        return None
    if key(word) not in list(DocumentClass):
        raise WrongWordError(f"its `class` is not one of: {', '.join(DocumentClass)}")
    return DocumentClass(key(word))


def _jurisdiction(word: str) -> str | None:
    if word and not _JURISDICTION(word.upper()):
        raise WrongWordError("its `jurisdiction` is not a code of ISO 3166, such as DE or US-CA")
    return word.upper() or None


def _language(word: str) -> str | None:
    found = _LANGUAGE(word.lower())
    if word and not found:
        raise WrongWordError("its `language` is not a code of ISO 639-1, such as de")
    return found[1] if found else None


def _moment(name: str, word: str, at: time) -> datetime | None:
    if not word:
        return None
    try:
        if len(word) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(word), at, UTC)
        moment = datetime.fromisoformat(word)
    except ValueError:
        raise WrongWordError(f"its `{name}` is not a day or a time of ISO 8601, such as 2026-01-31") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
