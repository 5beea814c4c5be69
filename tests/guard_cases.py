"""Advice in our own words, for the tests of the guard."""

from typing import Any

from writer_cases import context, decision

from harken.domain.decision import Action, Advice, Context, Draft, OutChannel
from harken.domain.passage import Passage
from harken.domain.verdict import Verdict
from harken.guard import rules_file
from harken.guard.judging import judge

FEES = Passage(
    id="p1",
    text=(
        "A transfer inside the country costs nothing. A transfer to another country costs 2.50 EUR and takes 2 business days. "
        "Transfers cannot be cancelled after 16:00. The limit is 5,000 EUR a day. Details are at https://larkbank.example/fees."
    ),
    source="Transfers and fees",
    score=0.82,
)
CARDS = Passage(
    id="p2",
    text="A lost card is blocked in the app under Cards, or by calling 0800 555 0199. A new card arrives in 5 working days.",
    source="Cards",
    score=0.31,
)
QUESTION = (("customer", "How much does a transfer to another country cost, and how many days does it take?"),)
RULES = rules_file.load()


def judged(  # noqa: PLR0913  one keyword for each thing a test changes
    message: str,
    dialogue: tuple[tuple[str, str], ...] = QUESTION,
    *,
    action: Action = Action.ANSWER,
    channel: OutChannel | None = OutChannel.CHAT,
    citations: tuple[int, ...] = (0,),
    confidence: float | None = 0.95,
    passages: tuple[Passage, ...] = (FEES, CARDS),
    rules: rules_file.GuardRules = RULES,
    mode: str = "anthropic:claude",
    **changed: Any,
) -> Verdict:
    """The verdict on a message; keywords beyond these change the context."""
    where = context(dialogue, passages=passages, **changed)
    return verdict(message, where, action, channel, citations=citations, confidence=confidence, rules=rules, mode=mode)


def verdict(
    message: str,
    where: Context,
    action: Action = Action.ANSWER,
    channel: OutChannel | None = OutChannel.CHAT,
    *,
    rules: rules_file.GuardRules = RULES,
    **draft: Any,
) -> Verdict:
    said = {"mode": "anthropic:claude", "confidence": 0.95, "citations": (0,)} | draft
    written = Draft(message=message, reasoning="It fits.", **said)
    return judge(Advice(decision=decision(action, channel=channel), draft=written), where, rules)
