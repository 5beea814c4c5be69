"""A reply -> whether words stand in it that were planted to be recognised: those of our prompts, and an organisation's own."""

import re

from harken.guard.literals import plain
from harken.guard.seen import Seen

_PLANTED = re.compile(r"hkn[0-9a-f]{4}[a-z]{4,24}[0-9a-f]{4}")
"""The shape of the canaries in our prompts, `hkn-5d1e-quiet-otter-90c7`, whatever was put between its letters."""
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


def planted(seen: Seen) -> bool:
    said = squeezed(seen.message)
    own = [squeezed(each) for each in seen.rules.content.canaries]
    return any(_PLANTED.search(text) or any(each in text for each in own if each) for text in (said, said[::-1]))


def squeezed(text: str) -> str:
    """Letters and digits alone, in one case."""
    return _NOT_ALPHANUMERIC.sub("", plain(text).casefold())
