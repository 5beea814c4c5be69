"""Text -> the terms that the lexical index counts; a question -> its terms with their weights.

Words are case-folded, stemmed (Snowball) and lose their accents last, because the stemmers read them. Writing without spaces between words
gives overlapping pairs of characters. An identifier (`ERR-1042`, `SKU-77/a`, `open_bank_account_4821`) gives one term of its own, whatever
joins its pieces, so that who names it exactly finds it first; its pieces are terms too. Both sides of the index come through here: change
nothing without building the index anew (`VERSION`).
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import Stemmer

from harken.kit.stopwords import STOP_WORDS

VERSION = 1
"""Stored with an index: terms of two versions are never compared."""
EXACT = "="
"""Marks a whole identifier; no other term begins with it."""
EXACT_WEIGHT = 2.0
"""What a whole identifier counts in a question, where a word counts 1. Rarity already finds it: 1, 2, 4 and 8 measured alike."""
LONGEST_TERM = 64
"""Characters: longer runs are noise (keys, encoded files) and are cut."""
REMEMBERED_WORDS = 200_000
"""How many distinct spellings a language's cache holds before it starts anew."""

_STEMMERS: Mapping[str, str] = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish",
    "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "nb": "norwegian", "ne": "nepali", "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip
_DOT_GROUPS_THOUSANDS = frozenset({"da", "de", "el", "es", "id", "it", "nl", "pt", "ro", "tr"})

# Chinese, Japanese, Korean, Thai, Lao and Khmer are written without spaces, or with too few of them.
_UNSPACED = "\u0e00-\u0eff\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003134f"
# Vowel signs are part of the word in these scripts, and no letters to `\w`.
_SIGNS = "\u0300-\u036f\u0591-\u05c7\u064b-\u0652\u0670\u0900-\u0963\u0966-\u0dff"
_PERSONAL = re.compile(r"\[[A-Za-z][A-Za-z_]{0,30}\]|\[[A-Za-z][A-Za-z_]{0,30}_[0-9a-z]{1,32}\]")
_PLAIN = re.compile(r"[A-Za-z0-9_]+(?:[-./'+#&:,][A-Za-z0-9_]+)*")
_CHUNK = re.compile(rf"[{_UNSPACED}]+|\w[\w{_SIGNS}]*(?:[-./'+#&:,]\w[\w{_SIGNS}]*)*")
_TYPED = {0x2010: "-", 0x2019: "'", 0x00AD: None}  # signs of typesetting, as a keyboard has them
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")
_PIECE = re.compile(r"[^\W\d_]+|\d+")
_JOINTS = re.compile(r"[-./'+#&:,_]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_QUANTITY = re.compile(r"\d+(?:[.,]\d+)*(?:st|nd|rd|th|am|pm|h|hrs?|k|m|bn|x|s|d|min|kg|km|cm|mm|gb|mb|px|usd|eur)")
_NAMED_BY_SIGNS = re.compile(r"[^\W_]+(?:_[^\W_]+)+")
_CODE = re.compile(r"(?=.*\d)(?=.*[^\W\d_])[\w\-./#&:+]+")
_DIGIT_CODE = re.compile(r"\d{5,}|\d+(?:[-./]\d+){2,}|\d{2,}-\d{2,}")

_Reader = Callable[[str], tuple[str, ...]]


def terms(text: str, language: str) -> list[str]:
    """What the index counts of `text`, in the order of the text, repeated as often as said.

    `language` is ISO 639-1; one without a stemmer (or an empty string) keeps whole words. Tokens that stand for personal data give nothing.
    """
    if "[" in text:
        text = _PERSONAL.sub(" ", text)
    read = _reader(language)
    if text.isascii():
        return [term for chunk in _PLAIN.findall(text) for term in read(chunk)]
    text = unicodedata.normalize("NFKC", text).translate(_TYPED)
    text = _UNSPACED_RUN.sub(lambda run: f" {run[0]} ", text)
    return [term for chunk in _CHUNK.findall(text) for term in read(chunk)]


def query_terms(text: str, languages: Sequence[str]) -> dict[str, float]:
    """Each term of a question with its weight: said twice counts twice, stop words count nothing, a whole identifier more.

    With several languages, the stems of each are there: a stem that no document has costs nothing. A question of nothing
    but stop words keeps them, so that "how do I" still finds what is titled so.
    """
    asked = languages or ("",)
    spoken = _without(text, frozenset().union(*(STOP_WORDS.get(language, frozenset()) for language in asked)))
    weights: dict[str, float] = {}
    for language in asked:
        counted: dict[str, float] = {}
        for term in terms(spoken, language):
            counted[term] = counted.get(term, 0.0) + (EXACT_WEIGHT if term.startswith(EXACT) else 1.0)
        weights |= {term: max(weight, weights.get(term, 0.0)) for term, weight in counted.items()}
    return weights


def bare(word: str) -> str:
    """Without accents: what people type. Marks that carry the meaning in other scripts stay."""
    if word.isascii():
        return word
    kept = [sign for sign in unicodedata.normalize("NFD", word) if not "\u0300" <= sign <= "\u036f"]
    return unicodedata.normalize("NFC", "".join(kept))


def _without(text: str, stop_words: frozenset[str]) -> str:
    words = text.split()
    kept = [word for word in words if bare(word.strip(".,;:!?¿¡()\"'’").casefold().replace("’", "'")) not in stop_words]
    return " ".join(kept or words)


@lru_cache(maxsize=64)
def _reader(language: str) -> _Reader:
    """Remembers what each spelling became: a text is mostly words that were there before."""
    name = _STEMMERS.get(language)
    stem: Callable[[str], str] = Stemmer.Stemmer(name, 0).stemWord if name else str
    seen: dict[str, tuple[str, ...]] = {}

    def read(chunk: str) -> tuple[str, ...]:
        found = seen.get(chunk)
        if found is not None:
            return found
        if _UNSPACED_RUN.match(chunk):
            return _pairs(chunk)
        if len(seen) >= REMEMBERED_WORDS:
            seen.clear()
        found = seen[chunk] = _chunk_terms(chunk, language, stem)
        return found

    return read


def _pairs(run: str) -> tuple[str, ...]:
    return tuple(a + b for a, b in pairwise(run)) or (run,)


def _chunk_terms(chunk: str, language: str, stem: Callable[[str], str]) -> tuple[str, ...]:
    folded = chunk.casefold()
    if _NUMBER.fullmatch(folded):
        return _number_terms(folded, language)
    if _is_identifier(folded):
        pieces = [piece for piece in _PIECE.findall(folded) if piece.isdigit() or len(piece) > 1]
        return (EXACT + _whole(folded), *(term for piece in pieces for term in _word_terms(piece, stem)))
    words = [word for part in re.split(r"[-./+#&:,_]+", folded) for word in _apostrophes(part, language) if word]
    found = [term for word in words for term in _word_terms(word, stem)]
    if len(words) == 2 and "-" in folded:
        found += _word_terms("".join(words), stem)  # "e-mail" is written "email" as often
    return tuple(found)


def _is_identifier(folded: str) -> bool:
    if _QUANTITY.fullmatch(folded):
        return False
    return any(form.fullmatch(folded) for form in (_NAMED_BY_SIGNS, _CODE, _DIGIT_CODE))


def _whole(folded: str) -> str:
    return bare(_JOINTS.sub("", folded))[:LONGEST_TERM]


def _number_terms(folded: str, language: str) -> tuple[str, ...]:
    """One value, however it is grouped and however many zeros follow; long ones are the numbers of orders and accounts."""
    if _DIGIT_CODE.fullmatch(folded):
        return (EXACT + folded[:LONGEST_TERM], folded[:LONGEST_TERM])
    group, point = (r"\.", ",") if language in _DOT_GROUPS_THOUSANDS and "." in folded else (",", r"\.")
    if re.fullmatch(rf"\d{{1,3}}(?:{group}\d{{3}})+(?:{point}\d+)?", folded):
        folded = re.sub(group, "", folded)
    value = re.sub(r"[.,]0+$", "", folded).replace(",", ".")
    return (value[:LONGEST_TERM],)


def _apostrophes(part: str, language: str) -> list[str]:
    """`l'eau` is two words, `don't` one, and `bank's` is `bank`."""
    if "'" not in part:
        return [part]
    if language == "en":
        return [part.removesuffix("'s").replace("'", "")]
    return part.split("'")


def _word_terms(word: str, stem: Callable[[str], str]) -> tuple[str, ...]:
    """The stem; where accents decided it, also what the stem would be without them, because many type none."""
    word = word[:LONGEST_TERM]
    plain = bare(word)
    stemmed = bare(stem(word)) or plain
    if plain == word:
        return (stemmed,)
    typed = bare(stem(plain)) or plain
    return (stemmed,) if typed == stemmed else (stemmed, typed)
