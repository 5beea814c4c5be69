"""HTML -> the text that a reader of the page sees, its headings, and what its `harken:` tags say."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from harken.domain.document import Heading
from harken.knowledge.reading.hiding import hidden
from harken.knowledge.reading.limits import TEXT_CHARACTERS
from harken.knowledge.reading.page import CannotReadError, Page
from harken.knowledge.reading.plain import seen
from harken.knowledge.reading.said import key

BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "menu",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "title",
        "tr",
        "ul",
    ]
)
HEADINGS = {f"h{level}": level for level in range(1, 7)}
CELLS = ("td", "th")
SPACED = frozenset((*HEADINGS, "p", "ul", "ol", "table", "pre", "blockquote", "dl", "section", "article"))


def page(html: str) -> Page:
    """Lists and cells as lines, `pre` as it is. Raises CannotReadError where the text is too long."""
    tree = LexborHTMLParser(html)
    fields = _fields(tree)
    walk = _Walk()
    if tree.root is not None:
        walk.over(tree.root)
    text, headings = walk.finished()
    title = tree.css_first("title")
    return Page(text=text, headings=headings, fields=fields, title=seen(title.text()) if title else "")


def _fields(tree: LexborHTMLParser) -> dict[str, str]:
    fields: dict[str, str] = {}
    for tag in tree.css("meta[name]"):
        name = (tag.attributes.get("name") or "").strip().lower()
        if not name.startswith("harken:"):
            continue
        if key(name[7:]) in fields:
            raise CannotReadError("says the same `harken:` meta tag twice")
        fields[key(name[7:])] = seen(tag.attributes.get("content") or "")
    root = tree.root
    if (
        root is not None
        and "language" not in fields
        and re.match("[A-Za-z]{2}(-|$)", root.attributes.get("lang") or "")
    ):
        fields["language"] = (root.attributes.get("lang") or "")[:2]
    return fields


class _Walk:
    """The nodes in order, without recursion: a page may be as deep as it likes."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._breaks = 0  #: line breaks owed before the next word
        self._space = False
        self._glued = False
        self._pre = 0
        self._head: list[tuple[int, int]] = []  #: part and level of the heading that is open
        self._headings: list[Heading] = []

    def over(self, root: LexborNode) -> None:
        node, depth = root, 0  # counted, because two nodes are compared by writing both out as HTML
        while True:
            entered = self._enter(node)
            if entered and node.first_child is not None:
                node, depth = node.first_child, depth + 1
                continue
            if entered:
                self._leave(node)
            while depth and node.next is None and node.parent is not None:
                node, depth = node.parent, depth - 1
                self._leave(node)
            if not depth or node.next is None:
                return
            node = node.next

    def _enter(self, node: LexborNode) -> bool:
        """True where its children are to be seen."""
        tag = node.tag or "-"
        if tag == "-text":
            self._write(seen(node.text_content or ""))
        if tag.startswith("-") or hidden(node, tag):
            return False
        self._break(tag)
        if tag == "br":
            self._breaks = min(self._breaks + 1, 2)
        self._pre += tag == "pre"
        if tag in HEADINGS and not self._head:
            self._head.append((len(self._parts), HEADINGS[tag]))
        elif tag == "li":
            self._mark("-")
        elif tag in CELLS and _follows_a_cell(node):
            self._breaks, self._space = 0, True
            self._mark("|")
        return True

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        self._pre -= tag == "pre"
        if tag in HEADINGS and self._head:
            self._close_heading()
        self._break(tag)

    def _close_heading(self) -> None:
        first, level = self._head.pop()
        words = "".join(self._parts[first:])
        title = " ".join(words.split())
        if title:
            start = self._length - len(words.lstrip())
            self._headings.append(Heading(start=start, level=level, title=title))

    def _break(self, tag: str) -> None:
        if tag in SPACED:
            self._breaks = 2
        elif tag in BLOCKS:
            self._breaks = max(self._breaks, 1)

    def _write(self, words: str) -> None:
        if self._pre:
            self._emit(words)
            return
        kept = " ".join(words.split())
        self._space |= words[:1].isspace()
        if kept:
            self._emit(kept)
        self._space |= words[-1:].isspace()

    def _mark(self, mark: str) -> None:
        """What follows stays on its line, though it may be a block."""
        self._emit(mark)
        self._glued = True

    def _emit(self, words: str) -> None:
        gap = "\n" * self._breaks if self._breaks and not self._glued else " " * (self._space or self._glued)
        if self._parts:
            words = gap + words
        self._parts.append(words)
        self._length += len(words)
        self._breaks, self._space, self._glued = 0, False, False
        if self._length > TEXT_CHARACTERS:
            raise CannotReadError(f"has more than {TEXT_CHARACTERS:,} characters: split it")

    def finished(self) -> tuple[str, tuple[Heading, ...]]:
        return "".join(self._parts).rstrip(), tuple(self._headings)


def _follows_a_cell(node: LexborNode) -> bool:
    before = node.prev
    while before is not None and before.tag not in CELLS:
        before = before.prev
    return before is not None
