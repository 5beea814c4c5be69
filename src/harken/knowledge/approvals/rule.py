"""A rule file -> which answers it makes public, and for each of the others the first condition that it does not fulfil."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from harken.domain.document import DocumentClass, Visibility
from harken.errors import UnsuitableError

Globs = Annotated[tuple[str, ...], Field(max_length=100)]
"""As file names are matched: `*` any signs, `?` one."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Conditions(_Table):
    """Each that is given must hold; a list holds where one of its entries does."""

    collections: Globs = ()
    """Where it was added from: `log`, or a folder."""

    sources: Globs = ()
    """The file, or the line of a file, that it came from."""

    languages: Globs = ()
    """ISO 639-1."""

    topics: Globs = ()
    """As conversations have them: see docs/reference.md, Topics."""

    without_personal_data: bool = False
    """Nothing in it had to be hidden."""

    older_than_days: Annotated[int, Field(ge=0, le=36_500)] | None = None
    """Since it was answered; where nobody knows, since it was taken in."""

    fewest_words: Annotated[int, Field(ge=1, le=10_000)] | None = None

    @model_validator(mode="after")
    def _something(self) -> "Conditions":
        if not self.model_fields_set:
            raise ValueError("a rule without any condition would make everything public")
        return self


class Rule(_Table):
    """What its owner answers for."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    owner: Annotated[str, Field(min_length=1, max_length=200)]
    when: Conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A document as rules see it."""

    document_class: DocumentClass
    visibility: Visibility
    collection: str
    source: str
    language: str
    topic: str
    redacted: int
    age_days: float
    words: int


_Test = Callable[[Answer], bool]

MAY_BE: tuple[tuple[str, _Test], ...] = (
    ("it is public already", lambda a: a.visibility is not Visibility.PUBLIC),
    ("it is restricted", lambda a: a.visibility is Visibility.INTERNAL),
    ("it is no answer that people gave", lambda a: a.document_class is DocumentClass.SUPPORT_LOG),
)
"""Why a document may not be made public at all, whoever asks: the first row that does not hold."""


def load(path: Path) -> Rule:
    """Raises UnsuitableError with the first thing that is wrong."""
    try:
        return Rule.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError) as wrong:
        raise UnsuitableError(f"The rule {path} cannot be read: {wrong}. Nothing was approved.") from None
    except tomllib.TOMLDecodeError as wrong:
        raise UnsuitableError(f"The rule {path} is not TOML: {wrong}. Nothing was approved.") from None
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UnsuitableError(f"The rule {path} does not fit: {place}: {first['msg']}. Nothing was approved.") from None


def obstacle(answer: Answer) -> str:
    """Why nobody may make it public; empty: somebody may."""
    return next((because for because, holds in MAY_BE if not holds(answer)), "")


def why_not(rule: Rule, answer: Answer) -> str:
    """The first thing that keeps the rule from making it public; empty: nothing does."""
    return obstacle(answer) or next((because for because, holds in _tests(rule.when) if not holds(answer)), "")


def _tests(when: Conditions) -> list[tuple[str, _Test]]:
    return [
        ("another collection", lambda a: _matches(a.collection, when.collections)),
        ("another source", lambda a: _matches(a.source, when.sources)),
        ("another language", lambda a: _matches(a.language, when.languages)),
        ("another topic", lambda a: _matches(a.topic, when.topics)),
        ("it had personal data in it", lambda a: not (when.without_personal_data and a.redacted)),
        ("not old enough", lambda a: when.older_than_days is None or a.age_days >= when.older_than_days),
        ("too few words", lambda a: when.fewest_words is None or a.words >= when.fewest_words),
    ]


def _matches(value: str, globs: tuple[str, ...]) -> bool:
    return not globs or any(fnmatchcase(value, glob) for glob in globs)
