"""A text -> about how many tokens a language model counts in it, without any model's vocabulary."""

import math
from typing import Final

CHARACTERS_PER_TOKEN: Final = 3.5


def estimated_tokens(text: str) -> int:
    """Characters / 3.5, and one each outside ASCII: tokenizers spend more on other scripts and on emoji."""
    if text.isascii():
        return math.ceil(len(text) / CHARACTERS_PER_TOKEN)
    ascii_only = sum(map(str.isascii, text))
    return math.ceil(ascii_only / CHARACTERS_PER_TOKEN) + len(text) - ascii_only
