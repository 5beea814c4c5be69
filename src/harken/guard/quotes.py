"""A message and what it cites -> which of it are the cited words themselves, and what is left in the writer's own."""

import re
from collections.abc import Sequence

from harken.domain.passage import Passage

MOST_QUOTES = 8
SHORTEST_QUOTE = 12
"""Characters: a shorter run of words stands everywhere."""

_OPENING, _CLOSING = '“„«「"»”', '”“»」"«'
_MARKS = _OPENING + _CLOSING + " "
_SPACE = re.compile(r"\s+")
_ELLIPSIS = re.compile(r"\s*(?:…|\.\.\.)\s*$")
_SENTENCE = re.compile(r"(?<=[.!?…])[\"”’)\]]*\s+|\n+|(?<=[。！？])")
_BULLET = re.compile(r"^(?:[-*•–]|\d{1,2}[.)])\s+")
_SOURCE_CHARACTERS = 80


def flat(text: str) -> str:
    return _SPACE.sub(" ", text).strip()


def sentences(text: str) -> list[str]:
    """A full stop inside a number, a name or an address ends nothing."""
    return [each for part in _SENTENCE.split(text) if part and (each := part.strip())]


class _Text:
    """A passage in one spelling, with where its sentences begin and end: half a sentence may say the opposite."""

    def __init__(self, text: str) -> None:
        self.starts, self.ends, pieces, at = {0}, set[int](), [], 0
        for sentence in map(flat, sentences(text.casefold())):
            self.starts.update({at, at + len((_BULLET.match(sentence) or [""])[0])})
            self.ends.update({at + len(sentence), at + len(sentence.rstrip(".!?…。！？"))})
            pieces.append(sentence)
            at += len(sentence) + 1
        self.text = " ".join(pieces)

    def says(self, said: str, *, cut: bool) -> bool:
        at = self.text.find(said)
        while at >= 0:
            end = at + len(said)
            if at in self.starts and (end in self.ends or (cut and not self.text[end : end + 1].isalnum())):
                return True
            at = self.text.find(said, at + 1)
        return False


class Cited:
    """What the cited passages say."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._texts = tuple(_Text(passage.text) for passage in passages)
        sources = {flat(passage.source) for passage in passages} - {""}
        self._sources = tuple(sorted((source[:_SOURCE_CHARACTERS] for source in sources), key=len, reverse=True))

    def say(self, text: str) -> bool:
        """Whole sentences word for word, the last of them perhaps cut short where the reader sees it."""
        written = flat(text).strip(_MARKS)
        said = " ".join(flat(each) for each in sentences(_ELLIPSIS.sub("", text))).strip(_MARKS).casefold()
        cut = _ELLIPSIS.search(written) is not None
        return len(said) >= SHORTEST_QUOTE and any(each.says(said, cut=cut) for each in self._texts)

    def own(self, message: str) -> tuple[str, list[str]]:
        """The message in the writer's own words, and the sentences that it takes from what it cites: a "No." with the one after it."""
        left, taken = self._without_quote(message)
        for source in self._sources:
            left = left.replace(source, " ")
        kept: list[str] = []
        said = sentences(left)
        for place, sentence in enumerate(said):
            after = said[place + 1 : place + 2]
            whole = self.say(sentence) or (len(sentence) < SHORTEST_QUOTE and self.say(" ".join([sentence, *after])))
            (taken if whole else kept).append(sentence)
        return "\n".join(kept), taken

    def _without_quote(self, message: str) -> tuple[str, list[str]]:
        opens = [at for at, sign in enumerate(message) if sign in _OPENING][:MOST_QUOTES]
        closes = [at for at, sign in enumerate(message) if sign in _CLOSING][-MOST_QUOTES:]
        for begin in opens:
            for end in reversed(closes):
                if end > begin and self.say(message[begin + 1 : end]):
                    return f"{message[:begin]} {message[end + 1 :]}", sentences(flat(message[begin + 1 : end]))
        return message, []
