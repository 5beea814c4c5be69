"""A file of messages -> what the live path reads in each of them, one by one, and nothing kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import orjson

from harken.classify.classifier import Classifier
from harken.classify.intents import MEANT
from harken.flow.classifying import classified
from harken.guard import injection
from harken.intake import encoding
from harken.intake.reading_events import MAX_LINE_BYTES
from harken.intake.source import opened
from harken.privacy.scanner import scan


@dataclass(frozen=True, slots=True)
class Personal:
    """Where personal data stands, in characters of the text."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class Injection:
    suspected: bool
    score: float  #: 0 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was read in one message."""

    id: str | int
    language: str  #: ISO 639-1, `und` when unsure
    sentiment: float | None  #: -1 to 1; None where the language has no lexicon
    urgency: int
    category: str  #: of the closed set, or `out_of_scope`
    probability: float  #: of the category
    wants_person: bool
    regulatory: bool
    pii: tuple[Personal, ...]
    injection: Injection


@dataclass(frozen=True, slots=True)
class Broken:
    """A line in which there is no message."""

    line: int
    error: str  #: never repeats the line


def inspect(path: Path, classifier: Classifier) -> Iterator[Inspection | Broken]:
    """Line by line, in bounded memory. Raises UnsuitableError when the file cannot be read at all."""
    with opened(path) as stream:
        for number, line in enumerate(_lines(stream), start=1):
            if line.strip():
                yield _inspected(number, line, classifier)


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Of a line that is too long only its beginning, which is long enough to be told."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        rest = line
        while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE_BYTES + 1)
        yield line


def _inspected(number: int, line: bytes, classifier: Classifier) -> Inspection | Broken:
    if len(line) > MAX_LINE_BYTES:
        return Broken(number, f"It is longer than {MAX_LINE_BYTES >> 20} MB.")
    try:
        given = orjson.loads(encoding.decode(line))
    except orjson.JSONDecodeError:
        return Broken(number, "It is not JSON.")
    if not isinstance(given, dict):
        return Broken(number, "It is not a JSON object.")
    match given:
        case {"id": str() | int() as id_, "text": str() as text} if not isinstance(id_, bool):
            return of_message(id_, text, classifier)
        case {"text": str()}:
            return Broken(number, "It has no `id` that is a text or a whole number.")
        case _:
            return Broken(number, "It has no `text`.")


def of_message(id_: str | int, text: str, classifier: Classifier) -> Inspection:
    """A customer's message."""
    found = classified(text, classifier)
    suspicion = injection.suspect(text)
    return Inspection(
        id=id_,
        language=found.language,
        sentiment=found.sentiment,
        urgency=found.urgency,
        category=found.category,
        probability=found.probability,
        wants_person=found.wants_person >= MEANT,
        regulatory=found.regulatory >= MEANT,
        pii=tuple(Personal(find.start, find.end, find.kind.value) for find in scan(text)),
        injection=Injection(suspicion.suspected, suspicion.score),
    )
