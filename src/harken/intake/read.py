"""A message's cleaned text -> its reading: language, feeling, urgency and signals, each with the words that say so.

Pure and the same in a batch as live. Feeling, urgency and signals are read in English only: for other languages they
are unknown or absent, never guessed.
"""

from collections.abc import Sequence

from harken.domain.event import Reading
from harken.intake import language, sentiment, signals, urgency
from harken.intake.language import LANGUAGES

_READABLE = ("en", language.UNKNOWN)


def read(
    text: str,
    words: Sequence[str],
    *,
    from_customer: bool,
    with_mood: bool = True,
    languages: tuple[str, ...] = LANGUAGES,
) -> Reading:
    """Read one message. `text` without mentions and links, `words` its words by `kit.words.split`; `languages` are the
    ISO 639-1 codes to tell apart.

    Language and sentiment are read of customers only, and without `with_mood` not of them either: what remains is what
    the words signal.
    """
    if not from_customer:
        return _signalling(signals.of_brand(words), 0, {})
    if not with_mood:
        level, why = urgency.read(words)
        return _signalling(signals.of_customer(text, words, None), level, {"urgency": why} if why else {})
    return _with_mood(text, words, languages)


def _with_mood(text: str, words: Sequence[str], languages: tuple[str, ...]) -> Reading:
    heard = language.detect(text, words, languages)
    evidence: dict[str, tuple[str, ...]] = {}
    if heard.words:
        evidence["language"] = heard.words
    if not any(word[0].isalnum() for word in words):
        evidence["wordless"] = ()
    if heard.language not in _READABLE:
        return Reading(language=heard.language, language_p=heard.thousandths, evidence=evidence)
    feeling = sentiment.score(text, words) if heard.language == "en" else None
    level, why = urgency.read(words)
    thousandths = feeling.thousandths if feeling else None
    found = signals.of_customer(text, words, thousandths)
    if feeling and feeling.words:
        evidence["sentiment"] = feeling.words
    if why:
        evidence["urgency"] = why
    evidence |= found
    return Reading(
        language=heard.language,
        language_p=heard.thousandths,
        sentiment=thousandths,
        urgency=level,
        signals=signals.flags(found),
        evidence=evidence,
    )


def _signalling(found: signals.Evidence, level: int, evidence: dict[str, tuple[str, ...]]) -> Reading:
    return Reading(urgency=level, signals=signals.flags(found), evidence=evidence | found)
