"""A context as it was gathered -> as it is weighed: what it is about where the classifier was unsure, and passages in the
customer's language, both by a language model where one may be asked.

What a model said of either is kept in the context, so that a replay works the same out of it again.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from harken.classify import asking
from harken.domain.conversation import Conversation
from harken.domain.decision import Context, Exchange
from harken.domain.passage import Passage
from harken.flow.drafter import Preparer
from harken.guard.before import Allowed, Refused, may_ask
from harken.guard.rules_file import GuardRules
from harken.kit import observe

MOST_CHARACTERS = 4_000
"""Of what they asked since our last word, from its end: more is not one question."""

FEW_WORDS = 4
"""So short a message means something only after the one before it."""

UNKNOWN = "und"


async def ready(context: Context, rules: GuardRules, preparer: Preparer, unsure_below: float) -> Context:
    """As it was where policy keeps it from models. `unsure_below`: probability under which a model is asked what it is about."""
    live = context.live
    if live is None or not isinstance(may_ask(context, rules), Allowed):
        return context
    if live.classification.probability < unsure_below:
        context = await _classified(context, preparer)
        if isinstance(refused := may_ask(context, rules), Refused):
            return withheld(context, refused)
    return await _translated(context, preparer)


async def differs(context: Context, answers_again: Callable[[Sequence[Exchange]], Preparer]) -> bool:
    """Whether what models said then gives something else now than was weighed. Raises what a model of the record raises."""
    live, before = context.live, _as_gathered(context)
    if live is not None and context.classified_with:
        again = await _classified(before, answers_again(context.classified_with))
        if again.live is None or again.live.classification != live.classification:
            return True
    if not context.translated_with:
        return False
    return (await _translated(before, answers_again(context.translated_with))).passages != context.passages


def withheld(context: Context, refused: Refused) -> Context:
    """What policy keeps from models is not even searched for, and every rule behind knows."""
    live = context.live
    assert live is not None
    return replace(
        context, passages=(), readable="", live=replace(live, restricted=live.restricted or refused.reason.value)
    )


def asked(conversation: Conversation) -> str:
    """What they said since our last word; with the question before it where that says next to nothing."""
    burst: list[str] = []
    for turn in reversed(conversation.turns):
        long_enough = sum(len(text.split()) for text in burst) >= FEW_WORDS
        if not turn.from_customer and (long_enough or not burst):
            break
        if turn.from_customer:
            burst.append(turn.text)
    return "\n".join(reversed(burst))[-MOST_CHARACTERS:]


async def _classified(context: Context, preparer: Preparer) -> Context:
    live = context.live
    assert live is not None
    found = live.classification
    told = await preparer.sort(asked(context.conversation), asking.categories(found), context.customer)
    if not told.exchanges:
        return context
    observe.add(observe.CLASSIFIER_ASKED, outcome=asking.outcome(found, told.texts))
    classified = replace(live, classification=asking.taken(found, told.texts))
    return replace(context, live=classified, classified_with=told.exchanges)


async def _translated(context: Context, preparer: Preparer) -> Context:
    """Only what stands in another language than the customer's; what could not be translated faithfully stays as it was."""
    to = context.conversation.facts.language
    foreign = [each for each in context.passages if _is_foreign(each, to)]
    if to == UNKNOWN or not foreign:
        return context
    told = await preparer.translate([each.text for each in foreign], to, context.customer)
    if not told.exchanges:
        return context
    texts = {each.id: text for each, text in zip(foreign, told.texts, strict=True)}
    passages = tuple(_in_their_words(each, texts.get(each.id, each.text)) for each in context.passages)
    return replace(context, passages=passages, translated_with=told.exchanges)


def _is_foreign(passage: Passage, to: str) -> bool:
    return passage.language not in ("", UNKNOWN, to)


def _in_their_words(passage: Passage, text: str) -> Passage:
    return passage if text == passage.text else replace(passage, text=text, original=passage.text)


def _as_gathered(context: Context) -> Context:
    passages = tuple(replace(each, text=each.original or each.text, original="") for each in context.passages)
    live = context.live and replace(context.live, classification=asking.before(context.live.classification))
    return replace(context, passages=passages, live=live, classified_with=(), translated_with=())
