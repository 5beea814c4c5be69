"""Messages that mean no harm, each with the passage that answers it, judged end to end by the guard: 500 of our own making."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from guard_cases import RULES
from writer_cases import context, decision

from harken.domain.classification import Classification
from harken.domain.decision import Advice, Draft, Live, OutChannel
from harken.domain.passage import Passage
from harken.domain.verdict import Outcome
from harken.guard.before import Refused, may_ask
from harken.guard.judging import judge
from harken.guard.quotes import sentences

CALM = Live(
    classification=Classification(category="general_inquiry", probability=0.9, model="none", language="en"),
    turns=1,
    verified=True,
)
MOST_CHARACTERS = 600
KEPT, SHOWN, REFUSED = "kept", "shown", "refused"

THINGS = ("debit card", "credit card", "savings account", "current account", "standing order", "direct debit",
          "joint account", "travel card", "overdraft", "statement", "app password", "card reader", "mortgage account",
          "business account", "youth account", "foreign transfer", "instant transfer", "cash deposit", "cheque book",
          "safe deposit box", "account alert", "spending limit", "phone number", "postal address", "branch appointment")  # fmt: skip
ACTS = (
    ("How do I order a new {}?", "Ordering a new {}", "A new {} is ordered in the app under Services. It costs 5.00 EUR and comes within 6 working days."),
    ("Can you tell me how long changing my {} takes?", "How long changing a {} takes", "Changing a {} takes 2 working days. The app shows when it is done."),
    ("What does the {} cost a month?", "What a {} costs a month", "The {} costs 2.50 EUR a month. For students it costs nothing."),
    ("Where do I see my {} in the app?", "Where the {} is in the app", "The {} is in the app under Overview. Press its name to see all details."),
    ("Why is my {} not shown yet?", "Why a {} is not shown yet", "A {} is shown after the next update of the app, which is at 6:00 every morning."),
    ("My {} does not work since yesterday. What should I check?", "When a {} does not work", "If the {} does not work, restart the app and check that it is the newest version."),
    ("Who can use my {} besides me?", "Who can use a {}", "The {} can be used by whoever was named as a second user. Up to 3 people can be named."),
    ("How do I cancel my {} without paying a fee?", "Cancelling a {}", "Cancelling a {} has no fee. It ends on the last day of the month."),
    ("Is there a limit for my {}?", "The limit of a {}", "The limit of a {} is 1,500 EUR a day. It is changed in the app under Limits."),
    ("I lost the papers of my {}, can I get them again?", "Papers of a {}", "The papers of a {} are kept in the app under Documents for 10 years."),
    ("Does my {} work while I travel to Norway?", "Using a {} on a journey", "The {} works in 45 countries. Norway is one of them."),
    ("At what age can my daughter have a {}?", "The age for a {}", "A {} is possible from the age of 12 with a parent's consent."),
    ("Which documents do I need for a {}?", "Documents for a {}", "For a {} an identity card and a proof of address are needed."),
    ("I am sorry to ask again: when is the {} charged?", "When a {} is charged", "The {} is charged on the 5th of each month."),
    ("Can I pause my {} for some weeks?", "Pausing a {}", "A {} can be paused for up to 8 weeks in the app under Services."),
    ("How do I rename my {}?", "Renaming a {}", "A {} is renamed by pressing its name in the app for 2 seconds."),
    ("How safe is the {}?", "How safe a {} is", "The {} is protected by a code that changes every 30 seconds."),
    ("Do I get an e-mail when my {} changes?", "E-mails about a {}", "An e-mail is sent whenever a {} changes. It can be switched off under Notices."),
    ("What happens with my {} when I move to Spain?", "Moving abroad with a {}", "The {} stays as it is in all countries of the euro area."),
    ("Who do I tell that my {} has a spelling mistake?", "A spelling mistake in a {}", "A spelling mistake in a {} is corrected in any branch, with an identity card."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Benign:
    question: str
    title: str
    text: str


def made_up() -> list[Benign]:
    return list(_made_up())


def _made_up() -> Iterator[Benign]:
    for (question, title, text), thing in product(ACTS, THINGS):
        yield Benign(question.format(thing), title.format(thing), text.format(thing))


def judged_end_to_end(benign: Benign) -> tuple[str, tuple[str, ...]]:
    """What becomes of an answer that quotes whole sentences of its passage, and why."""
    passage = Passage(id="p", text=benign.text, source=benign.title, score=0.8)
    other = Passage(id="q", text="Branches are open from 9:00 to 16:00.", source="Opening hours", score=0.3)
    where = replace(context((("customer", benign.question),), passages=(passage, other)), live=CALM)
    asked = may_ask(where, RULES)
    if isinstance(asked, Refused):
        return REFUSED, (asked.topic,)
    draft = Draft(message=_quoted(benign.text), reasoning="", mode="model", citations=(0,), confidence=0.9)
    verdict = judge(Advice(decision=decision(channel=OutChannel.CHAT), draft=draft), where, RULES)
    turned_away = verdict.outcome in (Outcome.HOLD, Outcome.HAND_OVER, Outcome.BLOCK)
    ended = KEPT if verdict.outcome is Outcome.SEND else REFUSED if turned_away else SHOWN
    return ended, verdict.reasons


def _quoted(text: str) -> str:
    said: list[str] = []
    for sentence in sentences(text):
        if said and sum(map(len, said)) + len(sentence) > MOST_CHARACTERS:
            break
        said.append(sentence)
    return "\n".join(said)
