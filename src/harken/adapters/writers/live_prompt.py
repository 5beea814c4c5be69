"""A decision and its context -> what a language model is shown of a ticket that waits for its answer, and what that saved.

Passages are numbered; nothing says where they are kept. What does not bear on the question is left out: of a passage all but
the sentences that matter, of turns that do not fit all but one sentence each, of the profile all but what the decision cites.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from harken.adapters.writers import relevance, templates
from harken.adapters.writers.prompt import TASKS, Prompt, newest, prompt
from harken.adapters.writers.relevance import Weights
from harken.conversations.summary import summarise
from harken.domain.conversation import Conversation, Turn
from harken.domain.decision import Context, Decision
from harken.domain.passage import Passage
from harken.domain.proposal import Offered
from harken.guard.checks import MESSAGE_CHARACTERS
from harken.kit.tokens import estimated_tokens

EXCERPT_CHARACTERS: Final = (1900, 1100, 600, 300, 300, 300)
"""Of each passage that is shown, the best first: the answer mostly stands in the first two. Measured: benchmarks/q_prompts.py."""

MOST_PASSAGES: Final = len(EXCERPT_CHARACTERS)
EARLIER_TURNS: Final = 12
EARLIER_CHARACTERS: Final = 140

_NO_ACTIONS = "\n\nNo action may be proposed."
_ACTIONS = "\n\nActions that may be proposed, each with the JSON Schema of its arguments:\n"


def compose(decision: Decision, context: Context, history_tokens: int, *, to_person: bool = False) -> Prompt:
    """Decision and context come with personal data hidden: nothing is hidden here.

    `to_person`: words that a person reads before anybody else does, as plain text; nothing is proposed then.
    """
    places = best_passages(context.passages)
    passages = [context.passages[place] for place in places]
    weights = relevance.weigh(question(context.conversation), [each.text for each in passages], language(context))
    kept = newest(context.conversation.turns, history_tokens)
    shown = _told(decision, context) | {
        "earlier": _earlier(context, kept, weights),
        "history": _said(kept),
        "passages": [
            {"number": number, "title": passage.source, "text": weights.excerpt(passage.text, room)}
            for number, (passage, room) in enumerate(zip(passages, EXCERPT_CHARACTERS, strict=False), start=1)
        ],
    }
    template = templates.SUGGESTION if to_person else templates.ANSWER
    made = prompt(template, shown, "" if to_person else _actions(context.offered))
    whole = estimated_tokens(json.dumps(_whole(decision, context, passages), ensure_ascii=False, indent=1, default=str))
    return replace(made, shown=tuple(places), saved=max(0, whole - estimated_tokens(made.user)))


def best_passages(passages: Sequence[Passage]) -> list[int]:
    """Places, the best first."""
    return sorted(range(len(passages)), key=lambda place: -passages[place].score)[:MOST_PASSAGES]


def question(conversation: Conversation) -> str:
    """What the customer wrote since our last word; where we had the last word, what they wrote last."""
    said = [turn for turn in conversation.turns if turn.text]
    open_turns = said[_after_ours(said) :] or [turn for turn in said if turn.from_customer][-1:]
    return "\n".join(turn.text for turn in open_turns)


def language(context: Context) -> str:
    """The customer's; English where nobody could tell."""
    spoken = context.conversation.facts.language
    return spoken if spoken != "und" else "en"


def _after_ours(turns: Sequence[Turn]) -> int:
    return max((place + 1 for place, turn in enumerate(turns) if not turn.from_customer), default=0)


def _told(decision: Decision, context: Context) -> dict[str, Any]:
    return {
        "decided": {
            "action": decision.action.value,
            "task": TASKS[decision.action],
            "because": decision.because,
            "facts": dict(decision.cited),
        },
        "max_characters": MESSAGE_CHARACTERS[decision.channel],
        "language": language(context),
        "topic": context.conversation.facts.topic,
    } | _paying(context)


def _paying(context: Context) -> dict[str, str]:
    """Only of who is put before others for it: of anybody else a model need not know what they pay for."""
    return {"tier": context.live.tier} if context.live and context.live.ahead else {}


def _said(turns: Iterable[tuple[Turn, str]]) -> list[Mapping[str, str]]:
    return [{"from": "customer" if turn.from_customer else "us", "text": text} for turn, text in turns]


def _earlier(context: Context, kept: Sequence[tuple[Turn, str]], weights: Weights) -> list[Mapping[str, str]]:
    """Of turns that are not shown: the sentence that bears most on what is asked, else how the turn began."""
    shown = {turn.id for turn, _ in kept}
    left_out = [turn for turn in context.conversation.turns if turn.text and turn.id not in shown]
    return _said((turn, _sentence(turn.text, weights)) for turn in left_out[-EARLIER_TURNS:])


def _sentence(text: str, weights: Weights) -> str:
    best = weights.best(text) or relevance.sentences(text)[:1]
    return relevance.cut(" ".join(" ".join(best).split()), EARLIER_CHARACTERS)


def _actions(offered: Sequence[Offered]) -> str:
    if not offered:
        return _NO_ACTIONS
    rows = [{"action": each.name, "title": each.title, "arguments": each.arguments} for each in offered]
    return _ACTIONS + "\n".join(json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows)


def _whole(decision: Decision, context: Context, passages: Sequence[Passage]) -> dict[str, Any]:
    """The same without leaving anything out: what the saving is measured against."""
    turns = [(turn, turn.text) for turn in context.conversation.turns if turn.text]
    return _told(decision, context) | {
        "summary": summarise(context.conversation, context.standing, context.now),
        "profile": dict(context.profile.features),
        "history": _said(turns),
        "passages": [
            {"number": number, "title": passage.source, "text": passage.text}
            for number, passage in enumerate(passages, start=1)
        ],
    }
