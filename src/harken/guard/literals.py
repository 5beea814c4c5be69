"""Text -> the literal values in it that a reader could act on: links, addresses, handles, numbers.

A literal in a message is grounded when it stands in `allowed_literals`. What a customer wrote grounds short numbers
(an amount, an order's last digits) and nothing that leads somewhere: a link, an address, a handle or a telephone
number must come from our own words, from a passage or from what the decision itself cites.
"""

import re
import unicodedata
from collections.abc import Iterator

from harken.domain.decision import Context, Decision
from harken.kit.places import local_time

LONG_NUMBER_DIGITS = 7
"""From here on a number is taken for a telephone, account or card number."""

# Every repeat is bounded: a text without spaces must not cost the square of its length.
_LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,15}://\S+|\bwww\.\S+|(?<![\w-])(?:[\w-]{1,63}\.){1,10}[^\W\d_]{2,24}(?:[/?#]\S*)?",
    re.IGNORECASE,
)
_SPELLED_LINK = re.compile(r"\[\.\]|\(\.\)|[\[( ]dot[\]) ]\s*(?:com|net|org|io|co|info|biz|app|xyz)\b", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@<>()\[\],;:]{1,64}@[^\s@<>()\[\],;:.]{1,63}(?:\.[^\s@<>()\[\],;:.]{1,63}){1,8}")
_HANDLE = re.compile(r"(?<![\w@.])@\w{2,}")
_LONG_NUMBER = re.compile(rf"\d(?:[\s().,/+\-–—_*·]{{0,3}}\d){{{LONG_NUMBER_DIGITS - 1},}}")
_NUMBER = re.compile(r"\d+(?:[.,:/\-]\d+)*")
_SPELLED_DIGIT = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple|hundred)"
_SPELLED_NUMBER = re.compile(rf"\b{_SPELLED_DIGIT}(?:[\s,.\-]+{_SPELLED_DIGIT}){{3,}}\b", re.IGNORECASE)
_NOT_DIGITS = re.compile(r"\D")
_SENTENCE_ENDS = re.compile(r"。(?=[\u3040-\u30ff\u4e00-\u9fff])")
"""Before kana and kanji an ideographic full stop ends a sentence; before Latin letters it may be the dot of a link."""

_DOTS = str.maketrans({"。": ".", "｡": ".", "．": ".", "․": "."})


def plain(text: str) -> str:
    """One spelling for what looks alike: full-width letters, circled digits, ideographic dots."""
    return _SENTENCE_ENDS.sub(". ", unicodedata.normalize("NFKC", text)).translate(_DOTS)


def links(text: str) -> Iterator[str]:
    """Everything that opens something when clicked, or is spelt so that a person would type it."""
    for match in _LINK.finditer(_EMAIL.sub(" ", text)):
        yield match.group().rstrip(".,;:!?)'\"»”").lower()
    for match in _SPELLED_LINK.finditer(text):
        yield match.group().lower()


def addresses(text: str) -> Iterator[str]:
    """E-mail addresses and handles."""
    for match in _EMAIL.finditer(text):
        yield match.group().rstrip(".!?'\"").lower()
    for match in _HANDLE.finditer(_EMAIL.sub(" ", text)):
        yield match.group().lower()


def long_numbers(text: str) -> Iterator[str]:
    """Telephone, account and card numbers, as digits alone; spelled-out ones as they stand."""
    for match in _LONG_NUMBER.finditer(text):
        yield _NOT_DIGITS.sub("", match.group())
    for match in _SPELLED_NUMBER.finditer(text):
        yield match.group().lower()


def numbers(text: str) -> Iterator[str]:
    """Amounts, times, dates and counts, as digits alone: 45.99 and 45,99 are the same number."""
    for match in _NUMBER.finditer(text):
        yield _NOT_DIGITS.sub("", match.group())


def allowed_literals(decision: Decision, context: Context) -> frozenset[str]:
    """Every literal a message for this decision may contain."""
    turns = context.conversation.turns
    ours = [turn.text for turn in turns if not turn.from_customer]
    ours += [passage.text for passage in context.passages]
    ours += [passage.source for passage in context.passages]
    ours += [decision.because, *(str(value) for value in decision.cited.values())]
    features = [str(value) for value in context.profile.features.values()]
    said = [turn.text for turn in turns if turn.from_customer]
    return frozenset(
        [
            *(value for text in map(plain, ours) for find in _LEADING for value in find(text)),
            *(value for text in map(plain, [*ours, *features, *said]) for value in numbers(text)),
            *_handles(context),
            *_when_back(context),
        ]
    )


def _handles(context: Context) -> Iterator[str]:
    """The brand's own names, which a message may address the customer to."""
    yield "@" + context.conversation.brand.lower()
    for turn in context.conversation.turns:
        if not turn.from_customer:
            yield "@" + turn.author.lower()


def _when_back(context: Context) -> Iterator[str]:
    """What the desk's own clock says of when people are there again."""
    if context.live is not None and context.live.back is not None:
        local = local_time(context.live.back.at, context.live.back.zone)
        yield from numbers(f"{local.date} {local.time} {local.zone}")


_LEADING = (links, addresses, long_numbers)
