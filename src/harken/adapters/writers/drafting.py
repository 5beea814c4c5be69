"""A model's reply -> a draft: checked while personal data still are tokens, citations and proposals held against what was shown.

Also what makes two questions the same one, and which answers may serve more than one customer.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from harken.adapters.writers import live_prompt, templates
from harken.adapters.writers.asking import Reply
from harken.adapters.writers.prompt import Prompt
from harken.adapters.writers.templates import secrets
from harken.adapters.writers.veil import Veil
from harken.domain.decision import Action, Context, Decision, Draft
from harken.domain.profile import Value
from harken.domain.proposal import Proposal
from harken.guard import checks
from harken.guard.literals import allowed_literals, numbers, plain
from harken.privacy.scanner import scan
from harken.privacy.tokens import TOKEN

MOST_PROPOSALS: Final = 5
LONGEST_TOKEN: Final = 64
TELLING_CHARACTERS: Final = 3
"""From here on a word of the profile in an answer says whose answer it is."""

_WORDS = re.compile(r"\w+|[^\w\s.,;:!?¿¡\"'“”„«»()…]")


def refused(reply: Reply, decision: Decision, context: Context, veil: Veil) -> list[str]:
    """The names of the checks that a reply fails, while its personal data still are tokens, and once more for length."""
    allowed = allowed_literals(decision, context) | veil.may_be_repeated
    found = checks.check(reply.message, reply.reasoning, decision, context, allowed, secrets())
    names = [problem.check for problem in found]
    if not names and len(veil.reveal(reply.message)) > checks.MESSAGE_CHARACTERS[decision.channel]:
        names = ["fits_the_channel"]
    return names


def draft(reply: Reply, decision: Decision, veil: Veil, prompt: Prompt) -> Draft:
    """`mode` is whoever called's to say. What the model made up is left out, with a note."""
    notes: list[str] = []
    return Draft(
        message=veil.reveal(reply.message).strip(),
        reasoning=f"{decision.because} {veil.reveal(reply.reasoning).strip()}".strip(),
        mode="",
        citations=tuple(_cited(reply.cited, prompt.shown, notes)),
        confidence=None if reply.confidence is None else clamped(reply.confidence),
        proposals=tuple(_proposals(reply.proposals, {each.name for each in veil.context.offered}, veil, notes)),
        notes=tuple(notes),
    )


def clamped(confidence: float) -> float:
    """0 for what is no number."""
    return 1.0 if confidence > 1 else confidence if confidence >= 0 else 0.0


def _cited(given: Sequence[int], shown: Sequence[int], notes: list[str]) -> Iterator[int]:
    """Numbers as shown, from 1 -> places in the context, each once."""
    known = dict.fromkeys(number for number in given if 1 <= number <= len(shown))
    if any(not 1 <= number <= len(shown) for number in given):
        notes.append("cited a passage that it was not shown")
    return (shown[number - 1] for number in known)


def _proposals(given: Sequence[Proposal], offered: set[str], veil: Veil, notes: list[str]) -> Iterator[Proposal]:
    """Data, with its personal data back; what may become of it others decide."""
    known = [each for at, each in enumerate(given) if each.action in offered and each not in given[:at]]
    if any(each.action not in offered for each in given):
        notes.append("proposed an action that it was not offered")
    if len(known) > MOST_PROPOSALS:
        notes.append(f"proposed more than {MOST_PROPOSALS} actions")
    for proposal in known[:MOST_PROPOSALS]:
        yield replace(proposal, arguments={name: _open(value, veil) for name, value in proposal.arguments.items()})


def _open(value: Value, veil: Veil) -> Value:
    return veil.reveal(value) if isinstance(value, str) else value


async def revealed(pieces: AsyncIterator[str], veil: Veil) -> AsyncIterator[str]:
    """A stream with its personal data back: what may be the beginning of a token waits for its end."""
    held = ""
    async for piece in pieces:
        held += piece
        start = held.rfind("[")
        whole = start < 0 or "]" in held[start:] or len(held) - start > LONGEST_TOKEN
        ready, held = (held, "") if whole else (held[:start], held[start:])
        if ready:
            yield veil.reveal(ready)
    if held:
        yield veil.reveal(held)


def key(decision: Decision, context: Context, models: Iterable[str]) -> bytes | None:
    """What makes two questions one: who may read what, the rules, the instructions, the models, what was found, and the words.

    The context comes with personal data hidden. None where an answer is of one conversation only: it goes on, or nobody said
    whose eyes the passages were found with.
    """
    ours = any(not turn.from_customer for turn in context.conversation.turns)
    if context.live is None or not context.readable or ours or decision.action is not Action.ANSWER:
        return None
    parts = [
        context.readable,
        decision.policy,
        decision.channel.value,
        templates.template(templates.ANSWER).label,
        list(models),
        live_prompt.language(context),
        context.conversation.brand,
        context.live.tier,
        [each.name for each in context.offered],
        normalised(live_prompt.question(context.conversation)),
        [[passage.id, passage.text, passage.source] for passage in context.passages],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).digest()


def translation_key(asked: str, to: str, models: Iterable[str]) -> bytes:
    """Who can say this has the texts already: a translation of them tells nobody anything new."""
    parts = [templates.template(templates.TRANSLATION).label, list(models), to, asked]
    return hashlib.sha256(json.dumps(parts).encode()).digest()


def normalised(question: str) -> str:
    """Without case, spacing and punctuation."""
    return " ".join(_WORDS.findall(unicodedata.normalize("NFKC", question).casefold()))


def may_be_shared(answer: Draft, decision: Decision, context: Context) -> bool:
    """Whether the words say nothing of this customer: nothing personal, no number and no word that only their profile has."""
    if not answer.exchanges or not answer.exchanges[-1].answered or answer.mode != answer.exchanges[-1].model:
        return False
    raw, common = answer.exchanges[-1].answered, _common(context)
    if json.loads(raw).get("proposals") or TOKEN.search(raw):
        return False
    said = f"{answer.message}\n{raw}"
    personal = any(find.value not in common for find in scan(answer.message))
    known = set(numbers(plain(common)))
    numbered = any(number not in known for number in numbers(plain(answer.message)))
    return not personal and not numbered and not _tells(said, decision, context, common)


def _common(context: Context) -> str:
    """What everybody who asks this has before them."""
    passages = [f"{passage.source}\n{passage.text}" for passage in context.passages]
    return "\n".join([live_prompt.question(context.conversation), *passages])


def _tells(said: str, decision: Decision, context: Context, common: str) -> bool:
    values = [*decision.cited.values(), *context.profile.features.values()]
    own = {value.casefold() for value in values if isinstance(value, str) and len(value) >= TELLING_CHARACTERS}
    return any(value in said.casefold() and value not in common.casefold() for value in own)
