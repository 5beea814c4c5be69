"""A text -> its words, as every word list and every reader of words counts them."""

import re

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[.?!,;:]+|[^\w\s]")
_SHORT = {
    word.replace("'", ""): word
    for word in [
        "aren't",
        "can't",
        "couldn't",
        "didn't",
        "doesn't",
        "don't",
        "hadn't",
        "hasn't",
        "haven't",
        "i'm",
        "i've",
        "isn't",
        "shouldn't",
        "that's",
        "they're",
        "wasn't",
        "weren't",
        "what's",
        "won't",
        "wouldn't",
        "you're",
        "you've",
    ]
}
"""How people in a hurry write them."""

_SHORTENED = frozenset(_SHORT)


def split(text: str) -> list[str]:
    """Words in lower case with their apostrophes, and every other sign or run of punctuation."""
    words = _TOKEN.findall(text.lower().replace("’", "'"))
    return words if _SHORTENED.isdisjoint(words) else [_SHORT.get(word, word) for word in words]
