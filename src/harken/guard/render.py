"""A text -> whether any screen would do anything but show it, and the same text in a form that every screen only shows.

A chat page, a mail program, a terminal, a spreadsheet and a ticket system read different languages out of a text. This looks for
what any of them would fetch, run, hide or re-order, also behind one or two layers of encoding.
"""

import re
import unicodedata
from collections.abc import Iterator
from html import unescape
from typing import Final
from urllib.parse import unquote

from harken.guard.literals import plain

ROUNDS: Final = 8
LAYERS: Final = 2
"""Encodings inside encodings that are undone to look."""

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)?|\x1b[\[\]PX^_][0-?]{0,40}[ -/]{0,10}[@-~]?|\x1b.?|\x9b[0-?]{0,40}[ -/]{0,10}[@-~]?|\x9d[^\x07\x9c]{0,2000}[\x07\x9c]?",
    re.DOTALL,
)
_BLANKS = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u034f\u180e")
"""Letters and marks that show nothing."""
_JOINERS = frozenset("\u200c\u200d")
_MARKS_IN_A_ROW = 4
"""More accents on one letter than any language writes hide what is below."""

_MARKUP = re.compile(
    r"<\s*[a-z/!?%]|<(?:https?|mailto|ftp)\b|&#?\w{1,32};|&#x?[0-9a-f]{1,6}"  # HTML, XML, templates, entities
    r"|\]\s*\(|!\s*\[|\]\s*\[|\]\s*:\s|\[\[|\]\]|`|~~~"  # Markdown, wikis, Org
    r"|(?:java|vb|live)\s*script\s*:|\bdata\s*:\s*[\w.+-]{1,40}\s*[/;,]|\b(?:file|blob|filesystem|view-source|about|chrome|ms-\w{1,20}|smb|ldap|jndi)\s*:\s*(?:/|blank)"
    r"|\\(?:href|url|includegraphics|input|write18|immediate)\b|\\\\[\w.-]{2,}\\\w"  # LaTeX, network folders
    r"|\[/?\s*(?:img|url|iframe|script|video|audio|color|size|b|i|u|quote|code)\b[^\]\n]{0,200}\]"  # BBCode
    r"|\.\.\s+(?:image|figure|raw|include)::|\b(?:image|include|video|link|xref)::?[^\s\[]{1,200}\["  # reST, AsciiDoc
    r"|\{\{|\}\}|\{%|\$\{|#\{|<%|@import\b|\burl\s*\(|\bexpression\s*\(|\bsrcdoc\s*=|\bon(?:error|load|click|mouseover|focus|toggle)\s*="
    r"|\+ad(?:w|4)-|\bh\d?t?\s*:\s*//|^[ \t]*[=@][ \t]*[a-z]{2,}\(|^[=+@-][ \t]*(?:cmd|dde|hyperlink|webservice|import\w+|image)\b",
    re.IGNORECASE | re.MULTILINE,
)
_CODED = re.compile(r"\\(?:u\{?([0-9a-f]{4,6})\}?|x([0-9a-f]{2}))", re.IGNORECASE)


def is_safe(text: str) -> bool:
    """Plain text, and nothing but it, to every screen that we know of."""
    return not has_hidden(text) and not has_markup(text)


def has_hidden(text: str) -> bool:
    """Characters that nobody sees, that turn the reading direction round, or that steer a terminal."""
    return any(True for _ in _hidden(text))


def has_markup(text: str) -> bool:
    return any(_MARKUP.search(each) for each in _readings(text))


def safe(text: str) -> str:
    """The same words without what is hidden, and with what is markup broken by a space: `is_safe` holds of it."""
    shown = unicodedata.normalize("NFC", _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\t", " ")))
    for _ in range(ROUNDS):
        places = set(_hidden(shown))
        shown = "".join(sign for at, sign in enumerate(shown) if at not in places)
        if is_safe(shown):
            return shown
        shown = _broken(shown)
    return "".join(sign if sign.isalnum() or sign in " .,!?\n" else " " for sign in plain(shown) if sign.isascii())


def _broken(text: str) -> str:
    """NFKC, because what only looks like markup is markup to some reader."""
    flat = plain(text).replace("<", "‹").replace(">", "›").replace("`", "'")
    if not _MARKUP.search(flat):
        return flat if not has_markup(flat) else flat.replace("&", "+").replace("%", " % ").replace("\\", "/")
    return _MARKUP.sub(_apart, flat)


def _apart(match: re.Match[str]) -> str:
    """`](` becomes `] (`; where a space is no hindrance, the signs themselves go."""
    return re.sub(r"[^\w\s]|(?<=\w)(?=\()", " ", match[0])


def _hidden(text: str) -> Iterator[int]:
    marks = 0
    for at, sign in enumerate(text):
        if sign.isascii():
            marks = 0
            if (sign < " " and sign != "\n") or sign == "\x7f":
                yield at
            continue
        category = unicodedata.category(sign)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if (
            category in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
            or sign in _BLANKS
            or marks > _MARKS_IN_A_ROW
            or _selects(sign)
        ) and not (_joins(text, at) or _of_a_flag(text, at)):
            yield at


def _selects(sign: str) -> bool:
    """Variation selectors carry bytes that nobody sees; the one for emoji is kept where it follows one."""
    return "\ufe00" <= sign <= "\ufe0f" or "\U000e0100" <= sign <= "\U000e01ef"


def _joins(text: str, at: int) -> bool:
    """Inside an emoji, or in a script that needs joiners."""
    before = text[at - 1] if at else ""
    if text[at] == "\ufe0f":
        return bool(before) and (unicodedata.category(before) in ("So", "Sm", "Po") or before in "0123456789#*")
    if text[at] not in _JOINERS or not before:
        return False
    return "\u0600" <= before <= "\u0dff" or before == "\ufe0f" or unicodedata.category(before) in ("So", "Sk")


def _of_a_flag(text: str, at: int) -> bool:
    """England, Scotland and Wales are a black flag with tag letters behind it, six at the most."""
    if not "\U000e0061" <= text[at] <= "\U000e007f":
        return False
    begin = text.rfind("\U0001f3f4", max(at - 6, 0), at)
    return begin >= 0 and all("\U000e0061" <= sign <= "\U000e007f" for sign in text[begin + 1 : at])


def _readings(text: str) -> Iterator[str]:
    """The text as it stands, and as it would stand when a reader undoes an encoding."""
    shown = plain(text)
    yield shown
    for _ in range(LAYERS):
        undone = _CODED.sub(_letter, unescape(unquote(shown, errors="replace")))
        if undone == shown:
            return
        shown = plain(undone)
        yield shown


def _letter(match: re.Match[str]) -> str:
    code = int(match[1] or match[2], 16)
    return chr(code) if code < 0x110000 else ""
