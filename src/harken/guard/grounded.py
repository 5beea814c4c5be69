"""Sentences of a reply and what they rest on -> how well each is supported, and what none of it supports.

A measure of words, not of meaning: the share of a sentence's telling stems that stand together in one place of a source, whether
both deny or neither does, and whether numbers count the same. It cannot see that a claim follows from two sources, and lets a
person look then; a sentence that turns a source's words round without a word of denial may pass it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from harken.guard.courtesy import courtesy, telling
from harken.guard.literals import plain
from harken.guard.quotes import sentences
from harken.guard.seen import UNKNOWN, Seen
from harken.guard.units import Quantity, quantities

WINDOW = 2
"""Neighbouring sentences of a source that are read together."""
MOST_SENTENCES = 400
MOST_QUESTION = 200
"""Characters of what only asks: what is longer tells as well, and ends with a question so as not to be looked at."""

_DENIES = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|cannot|\w+n['’]t|unable|except|unless|"
    r"nicht|kein\w*|nie|niemals|ohne|weder|pas|jamais|aucun\w*|sans|ni|nunca|ningun\w*|ningún|sin|jamás|"
    r"non|mai|nessun\w*|senza|não|nenhum\w*|sem|niet|geen|nooit|zonder|inte|aldrig|ingen|inga|utan|ikke|uden|"
    r"nie|bez|nigdy|değil|yok|asla|tidak|bukan|tanpa)\b|ません|ない|不|没",
    re.IGNORECASE,
)
_TELLS = re.compile(
    r"\b(?:know\w*|aware|true|heard|remember|realise|wussten|wissen|stimmt|saviez|savez|vrai|sab[ei]\w*|verdad|sapeva|vero|verdade|weet|wist|wiesz|wie pan)\b"
    r"[^?]*\b(?:that|dass|que|qu['’]\w+|che|dat|że)\b|,\s*(?:right|correct|nicht wahr|n['’]est-ce pas|verdad|vero|né|toch)\s*\?",
    re.IGNORECASE,
)
"""Questions that tell: "did you know that"."""
_OPPOSITES = tuple(
    (re.compile(rf"\b(?:{one})\b", re.IGNORECASE), re.compile(rf"\b(?:{other})\b", re.IGNORECASE))
    for one, other in (
        ("free|free of charge|kostenlos|gratuit\\w*|gratis|gratuito", "charged?|charges|fees?|gebühr\\w*|frais|comisión|kosten"),
        ("always|immer|toujours|siempre|sempre|altijd", "never|nie|jamais|nunca|mai|nooit"),
        ("before|vor|avant|antes|prima|voor", "after|nach|après|después|dopo|depois|na"),
        ("increase\\w*|raise\\w*|higher|more|above|maximum|at most", "decrease\\w*|reduce\\w*|lower|less|below|minimum|at least"),
        ("allowed|permitted|possible|can|may|erlaubt|möglich", "forbidden|prohibited|impossible|verboten|unmöglich"),
        ("open|active|enabled?|on", "closed|inactive|disabled?|off"),
        ("same|included|including", "different|excluded|excluding"),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claim:
    text: str
    support: float  #: 0 to 1
    denied: bool = False  #: its best source says the opposite


@dataclass(frozen=True, slots=True)
class _Source:
    terms: frozenset[str]
    text: str


class Grounding:
    """The claims of one reply, with what supports them."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._language = seen.language if seen.language != UNKNOWN else "en"

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        quoted = [Claim(text, 1.0) for text in self._seen.quotes[1]]
        own = [
            self._weighed(text)
            for text in sentences(plain(self._seen.own_words))[:MOST_SENTENCES]
            if self.claims_something(text)
        ]
        return (*quoted, *own)

    @cached_property
    def support(self) -> float:
        """The mean over the claims; 1 where there is none, for then nothing can be wrong."""
        return sum(claim.support for claim in self.claims) / len(self.claims) if self.claims else 1.0

    @cached_property
    def weakest(self) -> float:
        return min((claim.support for claim in self.claims), default=1.0)

    def claims_something(self, sentence: str) -> bool:
        """No question, no courtesy: a sentence that is true or false."""
        known = courtesy()
        bare = known.warns.sub(" ", known.mentions.sub(" ", sentence))
        if _only_asks(sentence):
            return False
        left = [term for term in telling(bare, self._language) if term not in self._courteous]
        if not left:
            return bool(known.answers.match(bare)) and len(bare.split()) <= 3
        opens = known.opens.get(self._language)
        repeats = opens is not None and opens.search(bare) and not re.search(r"[,;:]\s", bare)
        return not (repeats and set(left) <= self._said)

    @cached_property
    def _courteous(self) -> frozenset[str]:
        names = set(telling(self._seen.context.conversation.brand, self._language))
        return courtesy().words.get(self._language, courtesy().words["en"]) | names | self._names

    @cached_property
    def _names(self) -> set[str]:
        """Of those who speak: "Hello Jane"."""
        return {term for turn in self._seen.context.conversation.turns for term in telling(turn.author, self._language)}

    @cached_property
    def _said(self) -> set[str]:
        return {term for text in self._seen.said for term in telling(text, self._language)}

    @cached_property
    def _sources(self) -> Sequence[_Source]:
        texts = [passage.text for passage in self._seen.grounds]
        return [
            *(each for text in texts for each in self._windows(text)),
            *(each for text in self._seen.ours for each in self._windows(text)),
        ]

    def _windows(self, text: str) -> Iterator[_Source]:
        parts = sentences(text)[:MOST_SENTENCES]
        said = [frozenset(telling(part, self._language)) for part in parts]
        for at in range(len(parts)):
            upto = min(at + WINDOW, len(parts))
            yield _Source(frozenset().union(*said[at:upto]), " ".join(parts[at:upto]))

    @property
    def miscounts(self) -> bool:
        """A number that no source has with this unit. What only the customer said counts where nothing is claimed with it."""
        sources = [*(passage.text for passage in self._seen.grounds), *self._seen.ours]
        known = {each for text in sources for each in quantities(text)}
        said = known | {each for text in self._seen.said for each in quantities(text)}
        return any(
            not _stands(each, known if self.claims_something(text) else said)
            for text in sentences(plain(self._seen.own_words))[:MOST_SENTENCES]
            for each in quantities(text)
        )

    def _weighed(self, text: str) -> Claim:
        said = {term for term in telling(text, self._language) if term not in self._courteous}
        if not said or not self._sources:
            return Claim(text, 0.0)
        best = max(self._sources, key=lambda source: len(said & source.terms))
        share = len(said & best.terms) / len(said)
        denied = share >= self._seen.rules.content.grounded.contradiction_from and self._turned(text, best.text)
        return Claim(text, 0.0 if denied else share, denied)

    def _turned(self, claim: str, source: str) -> bool:
        """One denies what the other says, in the sentence of the source that shares most with it, the denying word aside."""
        wanted = {*telling(claim, self._language)} - {*telling(" ".join(_DENIES.findall(claim)), self._language)}
        nearest = max(sentences(source), key=lambda part: len(wanted & set(telling(part, self._language))), default="")
        if len(_DENIES.findall(claim)) % 2 != len(_DENIES.findall(nearest)) % 2:
            return True
        return any(
            (one.search(claim) and not other.search(claim) and other.search(nearest) and not one.search(nearest))
            or (other.search(claim) and not one.search(claim) and one.search(nearest) and not other.search(nearest))
            for one, other in _OPPOSITES
        )


def _only_asks(sentence: str) -> bool:
    asks = sentence.rstrip(" \"'”’»)").endswith(("?", "？"))
    return asks and len(sentence) <= MOST_QUESTION and not _TELLS.search(sentence)


def _stands(quantity: Quantity, known: set[Quantity]) -> bool:
    return quantity in known or (not quantity.unit and any(quantity.value == each.value for each in known))
