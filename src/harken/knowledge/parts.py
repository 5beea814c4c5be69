"""A long question -> its parts: people write several sentences, and several documents answer them."""

import re

from harken.kit.stopwords import STOP_WORDS
from harken.kit.terms import terms

LONGEST_LIST = 8
"""Parts beyond these stay in the whole alone: each costs an embedding and a look into the index."""
FEWEST_WORDS = 2
"""A sentence with fewer words that say something ("Hello!", "Is this possible?") belongs to its neighbour."""

_END = re.compile(r"(?<=[.!?…;])[\"'”’)\]]*\s+|(?<=[。！？；।؟۔])\s*|\s*\n\s*(?:[-*•·]\s+|\d{1,2}[.)]\s+)?")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[^\W\d_]|e\.g|i\.e|z\.b|d\.h|bzw|ca|etc|approx|mr|mrs|ms|dr|prof|hr|fr|sr|sra|st|nr|no|nos|vs|inc|ltd|co|tel|abs|art|p\.ej|p\.ex|np|m\.in|\d{1,2})\.$",
    re.IGNORECASE,
)
_TURN = re.compile(
    r"""(?:,\s*|\s+)(?:and|und|y|et|e|en|oraz)\s+
    (?=(?:what|how|when|where|which|who|why|can|could|do|does|is|are|will|would|should|may
      |was|wie|wann|wo|welche\w*|wer|warum|kann|ist|muss|qué|cómo|cuándo|cuánto|dónde|cuál|puedo|quoi|comment|quand|où
      |combien|quel\w*|puis-je|come|quando|dove|quanto|posso|wat|hoe|wanneer|waar|welk\w*|jak|kiedy|gdzie|ile|czy|co
      |como|onde|qual|quais)\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_STOP_WORDS = frozenset().union(*STOP_WORDS.values())


def parts(question: str) -> tuple[str, ...]:
    """The whole first, then its sentences and the questions joined by "and"; only the whole where there is one."""
    whole = " ".join(question.split())
    found: list[str] = []
    held = ""
    for piece in _pieces(question):
        joined = f"{held} {piece}".strip()
        if _says_little(joined):
            held = joined
        else:
            found.append(joined)
            held = ""
    if held and found:
        found[-1] = f"{found[-1]} {held}"
    return (whole, *found[:LONGEST_LIST]) if len(found) > 1 else (whole,)


def _pieces(question: str) -> list[str]:
    sentences: list[str] = []
    for piece in _END.split(question.strip()):
        if sentences and _ABBREVIATION.search(sentences[-1]):
            sentences[-1] += f" {piece}"
        elif piece.strip():
            sentences.append(piece.strip())
    return [turn for sentence in sentences for turn in _TURN.split(sentence)]


def _says_little(piece: str) -> bool:
    return len(set(terms(piece, "")) - _STOP_WORDS) < FEWEST_WORDS
