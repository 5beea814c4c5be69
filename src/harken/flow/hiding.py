"""A draft -> the same draft with tokens where personal data stood, its headings moved along."""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harken.domain.document import Draft, Heading
from harken.privacy import vault
from harken.privacy.organisations import of_people
from harken.privacy.scanner import Known, PersonalData, scan
from harken.privacy.tokens import Secret, parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The personal data of a draft: the title is searched, shown and embedded like the text, so it is looked at as well."""

    title: Sequence[PersonalData]
    text: Sequence[PersonalData]


def look(draft: Draft, *, regions: Sequence[str], handles: bool, known: Sequence[Known] = ()) -> Found:
    """`known`: what is personal in it wherever it stands, said by somebody who knows."""
    text = of_people(scan(draft.text, regions=regions, handles=handles, known=known), regions)
    # A title that repeats a part of the text lacks the words beside it that gave it away there.
    told = [*known, *(Known(each.value, each.kind) for each in text)]
    title = of_people(scan(draft.title, regions=regions, handles=handles, known=told), regions)
    return Found(title=title, text=text)


def secrets(draft: Draft, found: Found) -> Collection[Secret]:
    """What needs a token, each once."""
    return {
        **dict.fromkeys(vault.secrets(draft.title, found.title)),
        **dict.fromkeys(vault.secrets(draft.text, found.text)),
    }


def one_way(draft: Draft, found: Found) -> Mapping[Secret, str]:
    """For what is made public: `[EMAIL]` in the place of each, and nobody keeps what stood there."""
    return {secret: f"[{secret.kind}]" for secret in secrets(draft, found)}


def hide(draft: Draft, found: Found, tokens: Mapping[Secret, str]) -> Draft:
    """KeyError where `tokens` lacks one of `secrets`."""
    if not tokens:
        return draft
    text, starts = _replaced(draft.text, found.text, tokens)
    headings = tuple(_moved(draft, text, starts))
    return replace(draft, title=str(vault.hide(draft.title, found.title, tokens)), text=text, headings=headings)


def _replaced(
    text: str, found: Sequence[PersonalData], tokens: Mapping[Secret, str]
) -> tuple[str, list[tuple[int, int, bool]]]:
    """The new text, and for each piece where it began, where it begins now, and whether it is a token."""
    pieces, starts, old, new = list[str](), list[tuple[int, int, bool]](), 0, 0
    for part in parts(text, found):
        secret = isinstance(part, Secret)
        written = tokens[part] if isinstance(part, Secret) else part
        starts.append((old, new, secret))
        pieces.append(written)
        old, new = old + len(part.value if isinstance(part, Secret) else part), new + len(written)
    return "".join(pieces), starts


def _moved(draft: Draft, text: str, starts: list[tuple[int, int, bool]]) -> Iterator[Heading]:
    for heading in draft.headings:
        old, new, secret = starts[bisect_right(starts, (heading.start, len(text), True)) - 1]
        place = new if secret else new + heading.start - old
        said = _line(text, place)
        # A heading whose line changed is called what the line says now.
        title = heading.title if said == _line(draft.text, heading.start) else said.strip("# \t")
        yield replace(heading, start=place, title=title)


def _line(text: str, start: int) -> str:
    return text[start:].split("\n", 1)[0]
