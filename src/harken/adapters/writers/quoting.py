"""A question and passages -> the words of the passage that answers it best, and how well they speak of the question; or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harken.adapters.writers import live_prompt, relevance
from harken.adapters.writers.relevance import Weights
from harken.domain.decision import Context
from harken.domain.passage import Passage
from harken.kit import words

LEAST_SHARE: Final = 0.3
"""Of the question, that a quote must speak of; with less we ask instead of guessing."""

SURE_SHARE: Final = 0.7
"""From here on a quote is as sure as a quote can be: a customer's question has words that no answer repeats."""

QUOTE_CHARACTERS: Final = 600
"""More is no answer any more but a document."""

SCORE_COUNTS: Final = 5.0
"""The search's score counts so much where the share of the question counts 1: it knows what words mean, and was right more often
on each of three foreign libraries (benchmarks/fit_confidence.py)."""


@dataclass(frozen=True, slots=True)
class Quote:
    text: str
    place: int  #: in `Context.passages`
    passage: Passage
    confidence: float  #: 0 to 1: how much of the question the quote and its title speak of
    abroad: bool  #: the passage is in another language than the customer's


def best(context: Context, room: int) -> Quote | None:
    """None where no passage speaks of the question well enough."""
    passages = context.passages
    question = live_prompt.question(context.conversation)
    weights = relevance.weigh(question, [each.text for each in passages], live_prompt.language(context))
    found = [_quote(weights, passages, place, min(room, QUOTE_CHARACTERS)) for place in range(len(passages))]
    spoken = [each for each in found if each[1] and each[0] >= LEAST_SHARE]
    if not spoken:
        return None
    share, text, place = max(spoken, key=lambda each: each[0] + SCORE_COUNTS * passages[each[2]].score)
    return Quote(text, place, passages[place], confidence(share), _abroad(text, context))


def confidence(share: float) -> float:
    """Linear between the share at which we ask instead and the one at which a quote is sure, from one half to 1."""
    beyond = (share - LEAST_SHARE) / (SURE_SHARE - LEAST_SHARE)
    return round(min(1.0, 0.5 + 0.5 * max(0.0, beyond)), 4)


def _quote(weights: Weights, passages: Sequence[Passage], place: int, room: int) -> tuple[float, str, int]:
    """A quote alone is looked at: what the rest of its passage says, the customer does not read. A sentence that is longer
    than the room is cut where the reader sees it."""
    passage = passages[place]
    text = weights.run(passage.text, room) or relevance.cut("".join(weights.best(passage.text)), room)
    text = text.removeprefix(f"{passage.source}\n")  # which stands beside the quote
    if not text:
        return 0.0, "", place
    return weights.share(f"{passage.source}\n{text}"), text, place


def _abroad(text: str, context: Context) -> bool:
    from harken.intake import language  # noqa: PLC0415  its model takes a second to load, which only a live answer needs

    heard = language.detect(text, words.split(text)).language
    return heard not in (language.UNKNOWN, live_prompt.language(context))
