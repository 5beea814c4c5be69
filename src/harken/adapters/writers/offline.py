"""A decision -> words without a model: phrases by action, tone and topic, and passages quoted with their source.

The default, the fallback, the demo and the test double. No key, no network, the same words every time; the draft says
`offline`, so that nobody takes it for a model's.
"""

import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Final
from zlib import crc32

from harken.adapters.writers import handing_over
from harken.adapters.writers.relevance import cut as shortened
from harken.domain.conversation import Facts
from harken.domain.decision import Action, Context, Decision, Draft, OutChannel, Told
from harken.domain.event import Signal
from harken.domain.ids import CustomerId
from harken.domain.passage import Passage

MODE: Final = "offline"
FALLBACK_LANGUAGE: Final = "en"
FRAUD: Final = "fraud_and_security"
UNHAPPY_SENTIMENT: Final = -350
"""From here down a customer is unhappy, whatever the words of the signals."""

MESSAGE_CHARACTERS: Final = 280
"""Phrases and quotes fit the narrowest channel, so that no channel needs words of its own."""

NOTHING_FITS: Final = "no passage speaks of the question"

_SOURCE_CHARACTERS = 80
_FRAMES = {False: "quote", True: "quote_abroad"}

# Plain integers: the operators of an IntFlag cost a microsecond each.
_HAPPY = int(Signal.THANKS | Signal.PRAISE | Signal.CONFIRMS_FIX)
_BROKEN = int(Signal.STILL_BROKEN)
_ANGRY = int(Signal.ANGRY | Signal.REGULATORY)
_QUESTION = int(Signal.QUESTION)
_OPEN = int(Signal.QUESTION | Signal.WANTS_PERSON) | _BROKEN | _ANGRY
_ASKED = int(Signal.ASKS_DETAILS | Signal.MOVES_PRIVATE)
_PRIVATE = int(Signal.MOVES_PRIVATE | Signal.DID_IT)

Phrase = Mapping[str, tuple[str, ...]]  # topic -> variants; "" for every other topic


class OfflineWriter:
    """No key, no network, same words every time."""

    def __init__(self) -> None:
        self._phrases = _phrases()
        self._english = self._phrases[FALLBACK_LANGUAGE]

    async def write(self, decision: Decision, context: Context) -> Draft:
        return self.draft(decision, context)

    async def stream(self, decision: Decision, context: Context) -> AsyncIterator[str]:
        """All at once: there is nothing to wait for."""
        yield self.draft(decision, context).message

    async def translate(self, texts: Sequence[str], to: str, customer: CustomerId | None = None) -> Told:
        """As they are: without a model a passage is quoted in its own language, and the quote says so."""
        return Told(texts=tuple(texts))

    async def sort(self, text: str, categories: Sequence[str], customer: CustomerId | None = None) -> Told:
        """Nobody else is asked."""
        return Told()

    async def remember(self, decision: Decision, draft: Draft, context: Context) -> bool:
        """The same words come again without being kept."""
        return False

    async def budget_left(self, customer: CustomerId) -> bool:
        """It costs nothing."""
        return True

    def model_up(self) -> bool:
        """No model is configured, so none is down."""
        return True

    async def close(self) -> None:
        """Nothing is open."""

    def draft(self, decision: Decision, context: Context, notes: tuple[str, ...] = ()) -> Draft:
        """The same without waiting, with the reasons why no model wrote it."""
        action = decision.action
        if decision.channel is OutChannel.NONE:
            return Draft(message="", reasoning=decision.because, mode=MODE, notes=notes)
        facts = context.conversation.facts
        if context.live and context.passages and action is Action.ANSWER:
            return self._live(decision, context, notes)
        if context.passages and action is Action.ANSWER:
            message = self._quoting(decision, facts, max(context.passages, key=lambda passage: passage.score))
        else:
            message = self._phrase(_name(action, facts), decision, facts)
        reasoning = decision.because
        if action is Action.HAND_TO_PERSON:
            reasoning = f"{reasoning} {handover_note(facts)}"
            if context.live is not None:
                message += handing_over.said_beside(context.live, context.now.timestamp(), facts.language)
        return Draft(message=message, reasoning=reasoning, mode=MODE, notes=notes)

    def _live(self, decision: Decision, context: Context, notes: tuple[str, ...]) -> Draft:
        """The words of a passage that answer the question, as many as the channel has room for; where none does, a question."""
        from harken.adapters.writers import quoting  # noqa: PLC0415  a batch quotes nothing, and need not load its words
        from harken.guard.checks import MESSAGE_CHARACTERS  # noqa: PLC0415  as above

        facts = context.conversation.facts
        frames = {abroad: self._phrase(name, decision, facts) for abroad, name in _FRAMES.items()}
        frame_characters = max(len(frame) for frame in frames.values()) + _SOURCE_CHARACTERS
        quote = quoting.best(context, MESSAGE_CHARACTERS[decision.channel] - frame_characters)
        if quote is None:
            message = self._phrase(_name(decision.action, facts), decision, facts)
            return Draft(message=message, reasoning=decision.because, mode=MODE, notes=(*notes, NOTHING_FITS))
        return Draft(
            message=_framed(frames[quote.abroad], quote.text, quote.passage),
            reasoning=decision.because,
            mode=MODE,
            notes=notes,
            citations=(quote.place,),
            confidence=quote.confidence,
        )

    def _phrase(self, name: str, decision: Decision, facts: Facts) -> str:
        phrase = self._phrases.get(facts.language, self._english)[name]
        variants = phrase.get(facts.topic) or phrase[""]
        if len(variants) == 1:
            return variants[0]
        return variants[crc32(decision.conversation.encode()) % len(variants)]

    def _quoting(self, decision: Decision, facts: Facts, passage: Passage) -> str:
        """The best passage word for word, cut at a word, with where it stands."""
        frame = self._phrase("quote", decision, facts)
        source = _source(passage)
        room = MESSAGE_CHARACTERS - len(frame) + len("{quote}{source}") - len(source)
        return _framed(frame, shortened(" ".join(passage.text.split()), room), passage)


def _source(passage: Passage) -> str:
    return shortened(" ".join(passage.source.split()), _SOURCE_CHARACTERS)


def _framed(frame: str, quote: str, passage: Passage) -> str:
    """What is filled in may hold braces of its own."""
    before, _, after = frame.partition("{quote}")
    return before + quote + after.replace("{source}", _source(passage))


def handover_note(facts: Facts) -> str:
    """What the person who takes over should know first."""
    waiting = f"{facts.unanswered} unanswered" if facts.unanswered else "our turn was last"
    count = facts.customer_turns + facts.brand_turns
    topic = (facts.topic or "unknown").replace("_", " ")
    return (
        f"For the person taking over: topic {topic}, urgency {facts.urgency} of 3, "
        f"{count} {'message' if count == 1 else 'messages'} ({waiting}), language {facts.language}."
    )


def _name(action: Action, facts: Facts) -> str:
    """Which phrase fits: the action, what was said before, and how the customer feels about it."""
    signals = facts.unanswered_signals or facts.last_customer_signals
    happy = bool(signals & _HAPPY) and not signals & _OPEN
    sorry = not happy and (bool(signals & (_ANGRY | _BROKEN)) or (facts.last_sentiment or 0) <= UNHAPPY_SENTIMENT)
    if action is Action.ANSWER:
        return _answer(signals, facts, happy=happy, sorry=sorry)
    if action is Action.PROPOSE_CLOSE:
        return "propose_close_happy" if happy else "propose_close"
    if action is Action.FOLLOW_UP_EMAIL:
        return _follow_up(facts)
    if action is Action.ASK_DETAILS and facts.last_brand_signals & _ASKED:
        return "ask_details_reminder"
    if action is Action.HAND_TO_PERSON and signals & _PRIVATE:
        return "hand_to_person_private"
    return _SORRY[action] if sorry else _PLAIN[action]


def _follow_up(facts: Facts) -> str:
    """No apology for a silence of the customer's, and none for a silence that was not ours."""
    if facts.unanswered:
        return "follow_up_email_again" if facts.brand_turns else "follow_up_email"
    return "follow_up_email_reminder" if facts.last_brand_signals & _ASKED else "follow_up_email_check_in"


def _answer(signals: int, facts: Facts, *, happy: bool, sorry: bool) -> str:
    if happy:
        return "answer_happy"
    if facts.topic == FRAUD:
        return "answer_fraud"
    if signals & _BROKEN and facts.brand_turns:
        return "answer_broken"  # "still" only to somebody who has had an answer
    if sorry:
        return "answer_sorry"
    if facts.last_brand_signals & _ASKED and not signals & _QUESTION:
        return "answer_details"
    return "answer_question" if signals & _QUESTION else "answer"


_PLAIN = {
    Action.ASK_DETAILS: "ask_details",
    Action.CALL_BACK: "call_back",
    Action.HAND_TO_PERSON: "hand_to_person",
    Action.WAIT: "answer",
}
_SORRY = _PLAIN | {
    Action.ASK_DETAILS: "ask_details_sorry",
    Action.CALL_BACK: "call_back_sorry",
    Action.HAND_TO_PERSON: "hand_to_person_sorry",
}


@cache
def _phrases() -> dict[str, dict[str, Phrase]]:
    """Language -> name -> topic -> variants, every slot but the quote's filled in beforehand."""
    tables = tomllib.loads(resources.files(__package__).joinpath("phrases.toml").read_text("utf-8"))
    names = [name for name in tables[FALLBACK_LANGUAGE] if name != "topics"]
    return {
        language: {name: _filled(_said(name, table), table.get("topics", {})) for name in names}
        for language, table in tables.items()
    }


def _said(name: str, table: Mapping[str, list[str]]) -> list[str]:
    """`answer_sorry` is said as `answer` in a language that has no words of its own for it."""
    return table[name] if name in table or "_" not in name else _said(name.rpartition("_")[0], table)


def _filled(variants: list[str], topics: Mapping[str, str]) -> Phrase:
    return {
        topic: tuple(variant.replace("{about}", about) for variant in variants)
        for topic, about in [("", ""), *topics.items()]
    }
