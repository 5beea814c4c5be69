"""A text -> its links, @mentions and #tags, and the text without them."""

import html
import re
from collections.abc import Iterable

Place = tuple[int, int, str]

# Every alternative begins with one of these characters, so that the rest of a text is skipped quickly.
_SPAN = re.compile(
    r"[@＠#＃hHwW](?:"
    r"(?P<mention>(?<=[@＠])(?<![\w@＠].)\w{1,50})"
    r"|(?P<tag>(?<=[#＃])(?<![\w&#＃].)(?=\d*[^\W\d])\w{1,100})"
    r"|(?P<url>(?:(?<=[hH])(?<![\w].)[tT][tT][pP][sS]?://|(?<=[wW])(?<![\w].)[wW][wW]\.(?=\w))[^\s<>\"]+)"
    r")"
)
_MENTION = re.compile(r"@\w{1,50}")
_TAIL = ".,;:!?'\"”’…»*"
_PAIRS = {")": "(", "]": "["}


def find_spans(text: str) -> tuple[Place, ...]:
    """(start, end, kind) of each `url`, `mention` and `tag`, in order; e-mail addresses are not mentions."""
    if "#" not in text and "://" not in text and "w." not in text and "W." not in text and text.isascii():
        at = text.find("@")
        if at < 0:
            return ()
        # A message to a brand nearly always begins with its name and has no other mark.
        leading = _MENTION.match(text) if at == 0 and text.find("@", 1) < 0 else None
        if leading:
            return ((0, leading.end(), "mention"),)
    return tuple(
        (match.start(), _end_of_url(match) if match.lastgroup == "url" else match.end(), match.lastgroup or "")
        for match in _SPAN.finditer(text)
    )


def _end_of_url(match: re.Match[str]) -> int:
    """Where a link ends: the full stop after it belongs to the sentence, a bracket to whoever opened it."""
    written = match[0]  # keeps at least its http:// or www
    while written[-1] in _TAIL or written.count(written[-1]) > written.count(_PAIRS.get(written[-1], written[-1])):
        written = written[:-1]
    return match.start() + len(written)


def clean(text: str, spans: Iterable[Place]) -> str:
    """The words alone: links and mentions cut out, tags without their #, HTML entities read, white space squeezed."""
    pieces, past = [], 0
    for start, end, kind in spans:
        pieces += [text[past:start], text[start + 1 : end] if kind == "tag" else " "]
        past = end
    rest = "".join([*pieces, text[past:]])
    return " ".join((html.unescape(rest) if "&" in rest else rest).split())
