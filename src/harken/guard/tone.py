"""A reply -> whether it blames, shouts, mocks, or has no word of regret for a customer who is unhappy."""

import re
from functools import lru_cache

from harken.domain.event import Signal
from harken.guard.courtesy import courtesy
from harken.guard.literals import plain
from harken.guard.seen import UNKNOWN, Seen

_SHOUTED = re.compile(r"(?<![\w-])[^\W\d_a-zß-öø-ÿ]{4,}(?![\w-])")
_EXCLAIMED = re.compile(r"[!！]")
_UPSET = int(Signal.ANGRY | Signal.STILL_BROKEN)
_AT_EASE = int(Signal.THANKS | Signal.PRAISE | Signal.CONFIRMS_FIX)


def impolite(seen: Seen) -> bool:
    """Blame, sarcasm or contempt, in any language that has a list: a reply may mix them."""
    return bool(_expression(tuple(seen.rules.content.tone.impolite.values())).search(plain(seen.own_words)))


def shouts(seen: Seen) -> bool:
    tone, said = seen.rules.content.tone, plain(seen.own_words)
    known = plain(" ".join([*seen.said, *seen.ours, *(passage.text for passage in seen.grounds)]))
    shouted = [word for word in _SHOUTED.findall(said) if word.isupper() and word not in known]
    return len(shouted) >= tone.shouted_words or len(_EXCLAIMED.findall(said)) >= tone.exclamations


def lacks_regret(seen: Seen) -> bool:
    """Only where our language has a list, and only of a reply that speaks to somebody who is unhappy."""
    sorry = courtesy().sorry.get(seen.language if seen.language != UNKNOWN else "en")
    return sorry is not None and _unhappy(seen) and not sorry.search(seen.message)


def _unhappy(seen: Seen) -> bool:
    facts, live = seen.context.conversation.facts, seen.context.live
    signals = facts.unanswered_signals or facts.last_customer_signals
    if signals & _AT_EASE and not signals & _UPSET:
        return False
    sentiment = live.classification.sentiment if live else None
    if sentiment is None and facts.last_sentiment is not None:
        sentiment = facts.last_sentiment / 1000
    return bool(signals & int(Signal.ANGRY)) or (sentiment or 0.0) <= seen.rules.content.tone.unhappy_sentiment


@lru_cache(maxsize=8)
def _expression(lists: tuple[tuple[str, ...], ...]) -> re.Pattern[str]:
    written = [f"(?:{one})" for each in lists for one in each]
    return re.compile("|".join(written) or r"(?!)", re.IGNORECASE)
