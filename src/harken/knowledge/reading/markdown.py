"""Markdown -> plain text and its headings, by the rules of CommonMark for headings, fences and comments."""

import re

from harken.domain.document import Heading

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*)$").match
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+|$)").match
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$").match
_NO_PARAGRAPH = re.compile(r"\s*([-*+>|]|\d+[.)]\s|$)|    ").match
_REFERENCE_COMMENT = re.compile(r" {0,3}\[(?://|comment)\]:").match

_INLINE = re.compile(
    r"(?P<ticks>`{1,2})(?P<code>[^`\n]{1,300})(?P=ticks)"
    r"|!?\[(?P<words>[^\[\]\n]{0,300})\]\((?P<url>[^()\s]{0,500})(?:\s\"[^\"\n]{0,200}\")?\)"
    r"|(?P<stars>\*{1,3}|__)(?=[^\s*_])(?P<strong>[^*\n]{1,300}?)(?<=[^\s*_])(?P=stars)(?![\w*])"
)
"""Bounded, so that a line of a million brackets is read in a bounded time."""


def plain(text: str) -> tuple[str, tuple[Heading, ...]]:
    """Headings, tables and lists stay as lines and code as it is; marks and comments go."""
    page = _Lines()
    fence = ""
    for line in without_comments(text).split("\n"):
        mark = _FENCE(line)
        if fence:
            closes = mark and mark[1].startswith(fence) and not mark[2].strip()
            fence = "" if closes else fence
            if not closes:
                page.add(line)
        elif mark:
            fence = mark[1]
        else:
            page.read(line)
    return page.finished()


def without_comments(text: str) -> str:
    """Without `<!-- … -->` outside of code: no reader sees it. One that is not closed goes to the end, as in HTML."""
    if "<!--" not in text:
        return text
    kept, at, fence = [], 0, ""
    for found in re.finditer(r"^ {0,3}(`{3,}|~{3,})|<!--", text, re.MULTILINE):
        if found.start() < at:
            continue
        if found[1]:
            fence = "" if fence and found[1].startswith(fence) else fence or found[1]
        elif not fence:
            kept.append(text[at : found.start()])
            end = text.find("-->", found.end())
            at = len(text) if end < 0 else end + 3
    return "".join([*kept, text[at:]])


class _Lines:
    """Lines as they are kept, each with its place in the text."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._at = 0
        self._headings: list[Heading] = []
        self._paragraph = False

    def add(self, line: str) -> None:
        self._paragraph = False
        if line.strip() or (self._lines and self._lines[-1]):
            self._lines.append(line.rstrip())
            self._at += len(self._lines[-1]) + 1

    def read(self, line: str) -> None:
        atx, under = _ATX(line), _UNDERLINE(line)
        if atx:
            self._head(len(atx[1]), _INLINE.sub(_words, line[atx.end() :].strip().rstrip("#").rstrip()))
        elif under and self._paragraph:
            title = self._lines.pop()
            self._at -= len(title) + 1
            self._head(1 if under[1][0] == "=" else 2, title.strip())
        elif not _REFERENCE_COMMENT(line):
            indented = line.startswith(("    ", "\t"))
            self.add(line if indented else _INLINE.sub(_words, line))
            self._paragraph = not _NO_PARAGRAPH(line)

    def _head(self, level: int, title: str) -> None:
        if title:
            self._headings.append(Heading(start=self._at, level=level, title=title))
            self.add(title)

    def finished(self) -> tuple[str, tuple[Heading, ...]]:
        return "\n".join(self._lines).rstrip(), tuple(self._headings)


def _words(found: re.Match[str]) -> str:
    if found["ticks"]:
        return found["code"]
    if found["stars"]:
        return found["strong"]
    shows_url = found["url"] and not found[0].startswith("!") and found["url"] != found["words"]
    return f"{found['words']} ({found['url']})" if shows_url else found["words"]
