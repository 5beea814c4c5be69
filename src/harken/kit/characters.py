"""A text with halves of characters -> one that every encoder takes."""

import re

_HALF = re.compile(r"[\ud800-\udfff]")


def whole(text: str) -> str:
    """Two halves side by side become their character; a lone one (half a surrogate pair) becomes U+FFFD."""
    if not _HALF.search(text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
