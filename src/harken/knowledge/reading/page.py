"""What a format's parser hands over -> the draft of a document."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import PurePosixPath
from typing import TypeAlias

from harken.domain.document import Draft, Heading, Said
from harken.errors import HarkenError
from harken.knowledge.reading import said
from harken.knowledge.reading.limits import ID_CHARACTERS, TEXT_CHARACTERS, TITLE_CHARACTERS


class CannotReadError(HarkenError):
    """This cannot become a document. The message is the reason of its Unreadable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A document's text with what its format knows of it, before anybody else has a word."""

    text: str
    headings: tuple[Heading, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)  #: its own words of itself, `said.KEYS` and others
    title: str = ""  #: what the format calls it; a heading is trusted more, a file's name less


Row: TypeAlias = tuple[int, Page | CannotReadError]
"""The line of the file that it begins in (0: it is the whole file), and what was read of it or why not."""


def stable_hash(*words: str) -> str:
    """16 hexadecimal digits, the same for the same words however they are spaced and capitalised."""
    return sha256(" ".join(" ".join(words).casefold().split()).encode()).hexdigest()[:16]


def drafted(page: Page, *, path: str, source: str, given: Said) -> Draft:
    """The draft, under its own id or else its path.

    Raises CannotReadError where it is empty or too long, and where what it says of itself cannot be right.
    """
    if not page.text.strip():
        raise CannotReadError("has no text")
    if len(page.text) > TEXT_CHARACTERS:
        raise CannotReadError(f"has more than {TEXT_CHARACTERS:,} characters: split it")
    try:
        own = said.parse(page.fields)
    except said.WrongWordError as wrong:
        raise CannotReadError(str(wrong)) from None
    return Draft(
        document_id=_id(page.fields.get("id", "")) or path,
        title=_title(page, path),
        text=page.text,
        source=source,
        headings=page.headings,
        said=said.agreed(own, given),
    )


def _id(own: str) -> str:
    if len(own) > ID_CHARACTERS or not own.isprintable():
        raise CannotReadError(f"has an id that is longer than {ID_CHARACTERS} characters or cannot be printed")
    return own.strip()


def _title(page: Page, path: str) -> str:
    name = PurePosixPath(path).stem.replace("_", " ").replace("-", " ")
    known = (page.fields.get("title", ""), *(h.title for h in page.headings[:1]), page.title, name)
    title = next(filter(None, (" ".join(each.split()) for each in known)), path)
    return title if len(title) <= TITLE_CHARACTERS else title[: TITLE_CHARACTERS - 1] + "…"
