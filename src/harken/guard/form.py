"""A reply -> what is wrong with its form: empty, refusing, too long, in another language, or not plain text."""

import re

from harken.domain.decision import OutChannel
from harken.guard import render
from harken.guard.literals import plain
from harken.guard.seen import UNKNOWN, Seen
from harken.kit.spoken import likeliest

SURE = 0.95
"""So sure must the language of a reply be: a wrong one shown to a person costs less than none."""
ENOUGH_LETTERS = 40
LANGUAGES = (
    "en",
    "es",
    "fr",
    "de",
    "pt",
    "it",
    "nl",
    "sv",
    "da",
    "no",
    "pl",
    "tr",
    "id",
    "ja",
    "zh",
    "ko",
    "ru",
    "ar",
    "uk",
    "cs",
)
_SAME = ({"da", "no", "sv"}, {"id", "ms"}, {"ru", "uk"}, {"cs", "sk"})
"""Told apart badly in few words: one of them is taken for the other."""

_WORD = re.compile(r"[^\W\d_]")
_REFUSES = re.compile(
    r"\bas an? (?:ai|artificial|language model|assistant)\b|\bi(?:['’]m| am) (?:just |only )?an? (?:ai|language model|bot)\b"
    r"|\bi (?:cannot|can['’]t|can not|am unable to|['’]m unable to|won['’]t) (?:help|assist|answer|comply|fulfil|do that|provide)\b"
    r"|\bals (?:ki|sprachmodell|künstliche)\b|\bich kann (?:ihnen )?(?:dabei |damit )?nicht helfen\b"
    r"|\ben tant qu['’](?:ia|intelligence|assistant)\b|\bje ne peux pas (?:vous )?aider\b"
    r"|\bcomo (?:ia|modelo de lenguaje|modelo de linguagem|inteligencia artificial)\b|\bno puedo ayudar\w*|\bnão posso ajudar\b"
    r"|\bcome (?:ia|modello linguistico|intelligenza artificiale)\b|\bnon posso aiutar\w*|\bals (?:ai|taalmodel)\b"
    r"|\bik kan u? ?niet helpen\b|\bjako (?:ai|model językowy)\b|\bnie mogę pomóc\b",
    re.IGNORECASE,
)


def says_nothing(seen: Seen) -> bool:
    return not _WORD.search(plain(seen.message))


def refuses(seen: Seen) -> bool:
    return bool(_REFUSES.search(plain(seen.own_words)))


def too_long(seen: Seen) -> bool:
    return len(seen.message) > most(seen)


def most(seen: Seen) -> int:
    return seen.rules.content.length.get(seen.advice.decision.channel, 0)


def not_plain(seen: Seen) -> bool:
    return not render.is_safe(seen.message)


def another_language(seen: Seen) -> bool:
    """Of the writer's own words: what is quoted may stand in the language of its source."""
    said = plain(seen.own_words)
    if seen.language == UNKNOWN or len(_WORD.findall(said)) < ENOUGH_LETTERS:
        return False
    if seen.advice.decision.channel is OutChannel.NONE:
        return False
    found, probability = likeliest(said, LANGUAGES)
    same = any({found, seen.language} <= group for group in _SAME)
    return found != seen.language and not same and probability >= SURE
