"""A document's text and its headings -> passages: sections packed to a size, long ones cut where their meaning allows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from semchunk.semchunk import chunk as split

from harken.domain.document import Heading
from harken.errors import UnsuitableError
from harken.kit.tokens import estimated_tokens

SIZE_TOKENS, OVERLAP_TOKENS = 512, 64
SMALLEST_TOKENS, LARGEST_TOKENS = 32, 8192
BETWEEN = " › "


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How a document is cut, in tokens as `kit.tokens` estimates them."""

    size: int = SIZE_TOKENS
    overlap: int = OVERLAP_TOKENS

    def __post_init__(self) -> None:
        if not SMALLEST_TOKENS <= self.size <= LARGEST_TOKENS:
            raise UnsuitableError(
                f"A passage may have {SMALLEST_TOKENS} to {LARGEST_TOKENS:,} tokens, not {self.size}."
            )
        if not 0 <= self.overlap < self.size:
            raise UnsuitableError(f"Passages of {self.size} tokens cannot overlap by {self.overlap}.")


class Chunk(NamedTuple):
    """`text[start:end]`, and the headings above it, outermost first."""

    start: int
    end: int
    heading: str
    tokens: int


class _Section(NamedTuple):
    start: int
    end: int
    heading: str


def chunks(text: str, headings: Sequence[Heading], cut: Cut) -> list[Chunk]:
    """In order of the text; every word of it is in one at least. `headings` in order of their places."""
    made = []
    for section in _packed(text, _sections(text, headings), cut.size):
        if estimated_tokens(text[section.start : section.end]) <= cut.size:
            places = [(section.start, section.end)]
        else:
            places = list(_split(text, section, cut))
        made += [_chunk(text, start, end, section.heading) for start, end in places]
    return [chunk for chunk in made if chunk.end > chunk.start]


def _sections(text: str, headings: Sequence[Heading]) -> Iterator[_Section]:
    """What stands before the first heading, then what stands below each."""
    starts = [heading.start for heading in headings]
    if not starts or starts[0] > 0:
        yield _Section(0, starts[0] if starts else len(text), "")
    above: list[Heading] = []
    for heading, end in zip(headings, [*starts, len(text)][1:], strict=True):
        above = [*(each for each in above if each.level < heading.level), heading]
        yield _Section(heading.start, end, BETWEEN.join(each.title for each in above))


def _packed(text: str, sections: Iterator[_Section], size: int) -> Iterator[_Section]:
    """Short neighbours share a passage: half a page says more of what a line means than the line."""
    held: _Section | None = None
    for section in sections:
        if held and estimated_tokens(text[held.start : section.end]) <= size:
            held = _Section(held.start, section.end, held.heading or section.heading)
            continue
        if held:
            yield held
        held = section
    if held:
        yield held


def _split(text: str, section: _Section, cut: Cut) -> Iterator[tuple[int, int]]:
    _, places = split(
        text[section.start : section.end],
        cut.size,
        estimated_tokens,
        memoize=False,  # its memory would keep every text of the process
        offsets=True,
        overlap=cut.overlap or None,
    )
    for start, end in cast(list[tuple[int, int]], places):
        yield section.start + start, section.start + end


def _chunk(text: str, start: int, end: int, heading: str) -> Chunk:
    while end > start and text[end - 1].isspace():
        end -= 1
    while start < end and text[start].isspace():
        start += 1
    return Chunk(start, end, heading, estimated_tokens(text[start:end]))
