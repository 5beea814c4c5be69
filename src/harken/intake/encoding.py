"""Bytes and text that were decoded wrongly -> text, saying what was mended."""

import re

from harken.intake.quality import Reason, Repair

UNREADABLE_SHARE = 0.2
"""A text with more lost characters than this share of its letters says nothing any more."""

_SUSPECT = re.compile("[ÃÂâðï�\x80-\x9f\x00-\x08\x0e-\x1f]").search
"""How UTF-8 looks when read as Windows-1252 begins with one of these. Innocent words may too: ftfy decides."""

_LOST = re.compile("[�\x00-\x08\x0e-\x1f\x80-\x9f]")


def decode(raw: bytes) -> str:
    """UTF-8, else Windows-1252 as most exports mean it, else Latin-1, which reads any byte."""
    for codec in ("utf-8", "cp1252"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def repair(text: str) -> tuple[str, Repair | Reason | None]:
    """`â€™` -> `’`. The second value says what was done, or that too much is lost to read the text."""
    if not _SUSPECT(text):
        return text, None
    import ftfy  # noqa: PLC0415  few texts look suspect, and its tables take a while to import

    mended = ftfy.fix_encoding(text)
    lost = len(_LOST.findall(mended))
    if lost and lost > UNREADABLE_SHARE * sum(map(str.isalpha, mended)):
        return text, Reason.MOJIBAKE_UNREPAIRABLE
    return mended, Repair.MOJIBAKE if mended != text else None
