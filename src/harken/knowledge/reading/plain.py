"""Bytes -> the characters a reader sees."""

import codecs
import re

from harken.knowledge.reading.limits import EXTRA_CONTROL_SHARE
from harken.knowledge.reading.page import CannotReadError

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
"""Characters without a glyph, which hide words from people and show them to machines (Unicode: Default_Ignorable)."""

_LONE_JOINER = re.compile(
    r"(?<![^\x00-\u024f\u2000-\u206f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\u024f\u2000-\u206f])"
)
"""Joiners belong between letters of Persian or Hindi and between emoji, and nowhere else."""

_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def encoding_of(raw: bytes) -> str:
    """UTF-8, UTF-16 with a byte order mark, else Windows-1252. Raises CannotReadError for what is no text."""
    if not raw:
        raise CannotReadError("is empty")
    marked = next((codec for bom, codec in _BOMS if raw.startswith(bom)), None)
    for codec in (marked,) if marked else ("utf-8", "cp1252"):
        try:
            text = raw.decode(codec)
        except UnicodeDecodeError:
            continue
        controls = len(_CONTROL.findall(text))
        if "\0" not in text and controls <= EXTRA_CONTROL_SHARE * len(text):
            return codec
        break
    raise CannotReadError("is not text in UTF-8, UTF-16 or Windows-1252")


def decoded(raw: bytes) -> str:
    """The text without what no reader sees. Raises CannotReadError for what is no text."""
    return seen(raw.decode(encoding_of(raw)))


def seen(text: str) -> str:
    """Without zero-width, control and other unseen characters; every line ends in `\\n`."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n").replace("\v", "\n")
    return _LONE_JOINER.sub("", _UNSEEN.sub("", _CONTROL.sub("", lines)))
