"""A passage -> the text that is embedded for it."""

import re

from harken.knowledge.chunk import BETWEEN

_TOKEN = re.compile(r"\[([A-Za-z][A-Za-z_]{0,30})_(?:\d{1,9}|[A-Za-z2-7]{16})\]")


def composed(title: str, heading: str, text: str) -> str:
    """What stands above a passage says what it is about; a token says only of what kind the value was."""
    above = title if not heading or heading == title else f"{title}{BETWEEN}{heading}"
    return _TOKEN.sub(lambda token: token[1].lower().replace("_", " "), f"{above}\n{text}")
