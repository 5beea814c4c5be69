"""A decision and its context -> what a language model is shown: instructions that never change, and one JSON object.

Everything a customer wrote stands inside JSON strings, so it cannot end a slot or pose as another one. The moment of
sending is not in the prompt: what a model does not know it cannot give away or contradict.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from harken.adapters.writers import templates
from harken.conversations.summary import summarise
from harken.domain.conversation import Turn
from harken.domain.decision import Action, Context, Decision
from harken.guard.checks import MESSAGE_CHARACTERS
from harken.kit.characters import whole
from harken.kit.tokens import estimated_tokens

MOST_PASSAGES: Final = 3
PASSAGE_CHARACTERS: Final = 800
SUMMARY_CHARACTERS: Final = 1200

TASKS: Final = {
    Action.ANSWER: "Answer the customer's last message as far as the passages and our own turns allow; otherwise ask for what is missing.",
    Action.ASK_DETAILS: "Ask for the one or two details that are missing to help.",
    Action.CALL_BACK: "Offer a telephone call and ask which number and which time suit the customer.",
    Action.FOLLOW_UP_EMAIL: "Ask by e-mail whether the matter is still open and how we can continue.",
    Action.HAND_TO_PERSON: "Say that a colleague takes over and has the whole conversation.",
    Action.PROPOSE_CLOSE: "Say that we would consider the matter settled unless the customer writes again.",
    Action.WAIT: "",
}


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent. `tokens` is an estimate on the safe side."""

    system: str
    user: str
    tokens: int
    template: str = templates.MESSAGE  #: which instructions, and with them the shape of the answer
    shown: tuple[int, ...] = ()  #: for each passage as numbered for the model, its place in `Context.passages`
    saved: int = 0  #: tokens that leaving out what does not matter has saved

    @property
    def sha256(self) -> str:
        """Of all that decides what a model is asked: which instructions, their words, and the data."""
        told = json.dumps([templates.template(self.template).label, self.system, self.user], ensure_ascii=False)
        return hashlib.sha256(told.encode()).hexdigest()


def prompt(template: str, slots: object, more: str = "") -> Prompt:
    """Instructions, which never change and stand first so that a provider may keep them, and the data as JSON.

    Sources do send half a character, which no provider takes: the door of the prompt is where it is mended.
    """
    system = whole(templates.template(template).text + more)
    user = whole(json.dumps(slots, ensure_ascii=False, indent=1, default=str))
    return Prompt(system, user, estimated_tokens(system) + estimated_tokens(user), template)


def compose(decision: Decision, context: Context, history_tokens: int) -> Prompt:
    """Decision and context come with personal data hidden: nothing is hidden here."""
    facts = context.conversation.facts
    shown = {
        "decided": {
            "action": decision.action.value,
            "task": TASKS[decision.action],
            "channel": decision.channel.value,
            "issue_status_after": decision.issue_status.value,
            "because": decision.because,
            "facts": dict(decision.cited),
        },
        "max_characters": MESSAGE_CHARACTERS[decision.channel],
        "language": facts.language if facts.language != "und" else "en",
        "topic": facts.topic,
        "summary": summarise(context.conversation, context.standing, context.now)[:SUMMARY_CHARACTERS],
        "history": [
            {"from": "customer" if turn.from_customer else "us", "text": text}
            for turn, text in newest(context.conversation.turns, history_tokens)
        ],
        "passages": [
            {"source": passage.source, "text": passage.text[:PASSAGE_CHARACTERS]}
            for passage in sorted(context.passages, key=lambda passage: -passage.score)[:MOST_PASSAGES]
        ],
    }
    return prompt(templates.MESSAGE, shown)


def newest(turns: Iterable[Turn], budget: int) -> list[tuple[Turn, str]]:
    """The newest turns that fit, whole and in time order. One that alone is too long is cut, not lost."""
    kept: list[tuple[Turn, str]] = []
    left = budget
    for turn in reversed([turn for turn in turns if turn.text]):
        text = turn.text
        if not kept and estimated_tokens(text) > left:
            text = text[: left - 1] + "…"  # a character is at most a token, so this fits
        left -= estimated_tokens(text)
        if left < 0:
            break
        kept.append((turn, text))
    return kept[::-1]
