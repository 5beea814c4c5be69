"""A message and its reasoning -> problems. Pure; the words of a model pass here before anybody sees them.

The checks assume a hostile model: one that follows every instruction a customer wrote. They cannot tell good advice
from bad; they keep out what could do harm: other people's data, places to go, promises, and anything that contradicts
the decision. A refused draft costs nothing but words, because the offline writer takes over, so doubt refuses.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from harken.domain.decision import Action, Context, Decision, OutChannel
from harken.guard import render, wording
from harken.guard.literals import addresses, links, long_numbers, numbers, plain
from harken.kit.stopwords import STOP_WORDS
from harken.privacy.tokens import TOKEN

MESSAGE_CHARACTERS = {
    OutChannel.TWITTER_DM: 280,
    OutChannel.CHAT: 1000,
    OutChannel.EMAIL: 2000,
    OutChannel.PHONE: 600,
    OutChannel.PERSON: 1000,
    OutChannel.NONE: 0,
}
REASONING_CHARACTERS = 800

_CAPITALISED = re.compile(r"\b[A-ZÀ-Þ][\w'’-]+(?:[ \u00a0]+[A-ZÀ-Þ][\w'’-]+)+")
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """A check that refused, and why. Never holds the refused value: problems are logged."""

    check: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """What a check looks at. `message` and `reasoning` are in one spelling, tokens taken out."""

    raw_message: str
    raw_reasoning: str
    decision: Decision
    context: Context
    allowed: Set[str]
    secrets: Collection[str]

    @cached_property
    def message(self) -> str:
        return TOKEN.sub(" ", plain(self.raw_message))

    @cached_property
    def reasoning(self) -> str:
        return TOKEN.sub(" ", plain(self.raw_reasoning))

    @cached_property
    def both(self) -> str:
        return f"{self.message}\n{self.reasoning}"


def check(
    message: str,
    reasoning: str,
    decision: Decision,
    context: Context,
    allowed: Set[str],
    secrets: Collection[str] = (),
) -> list[Problem]:
    """Everything wrong with a draft; empty when it may go out.

    `allowed`: the literals of `literals.allowed_literals` and the privacy tokens that may appear.
    `secrets`: strings that must never appear, such as the canary of the prompt and its own sentences.
    """
    suspect = Suspect(
        raw_message=message,
        raw_reasoning=reasoning,
        decision=decision,
        context=context,
        allowed=allowed,
        secrets=secrets,
    )
    if too_long := fits_the_channel(suspect):  # nothing else is worth the time that a huge text takes
        return [Problem(fits_the_channel.__name__, too_long)]
    return [Problem(one.__name__, detail) for one in CHECKS if (detail := one(suspect))]


def says_something(suspect: Suspect) -> str | None:
    if suspect.decision.channel is OutChannel.NONE:
        return None
    return None if _WORD.search(suspect.message) else "The message is empty."


def fits_the_channel(suspect: Suspect) -> str | None:
    limit = MESSAGE_CHARACTERS[suspect.decision.channel]
    if len(suspect.raw_message) > limit:
        return f"The message is longer than {limit} characters."
    if len(suspect.raw_reasoning) > REASONING_CHARACTERS:
        return f"The reasoning is longer than {REASONING_CHARACTERS} characters."
    return None


def is_plain_text(suspect: Suspect) -> str | None:
    """No control, direction, invisible or private characters, no markup."""
    text = suspect.raw_message + suspect.raw_reasoning
    if render.has_hidden(text):
        return "It has characters that nobody sees."
    return "It has markup." if render.has_markup(suspect.both) else None


def knows_its_tokens(suspect: Suspect) -> str | None:
    text = plain(suspect.raw_message + suspect.raw_reasoning)
    if all(token in suspect.allowed for token in TOKEN.findall(text)):
        return None
    return "It has a token that stands for nothing here, or for something we do not repeat."


def links_are_ours(suspect: Suspect) -> str | None:
    return _ungrounded(links(suspect.both), suspect.allowed, "a link that is not ours")


def addresses_are_ours(suspect: Suspect) -> str | None:
    return _ungrounded(addresses(suspect.both), suspect.allowed, "an address or handle that is not ours")


def long_numbers_are_ours(suspect: Suspect) -> str | None:
    return _ungrounded(long_numbers(suspect.both), suspect.allowed, "a long number that is not ours")


def numbers_are_grounded(suspect: Suspect) -> str | None:
    return _ungrounded(numbers(suspect.both), suspect.allowed, "a number that stands nowhere in the conversation")


def _ungrounded(values: Iterator[str], allowed: Set[str], what: str) -> str | None:
    return f"It has {what}." if any(value not in allowed for value in values) else None


def names_are_known(suspect: Suspect) -> str | None:
    """A full name, or the name in a greeting, must stand in the conversation: it may be somebody else's."""
    no_names = wording.NOT_NAMES | _articles(suspect.context.conversation.facts.language)
    runs = [set(run.lower().split()) - no_names for run in _CAPITALISED.findall(suspect.both)]
    greeted = {match.group(1).lower() for match in wording.GREETING.finditer(suspect.message)} - no_names
    if not greeted and not any(len(run) > 1 for run in runs):
        return None
    known = _known_words(suspect)
    if greeted - known or any(len(run - known) > 1 for run in runs):
        return "It has a name that stands nowhere in the conversation."
    return None


def _articles(language: str) -> frozenset[str]:
    """Where nouns are written with a capital, so is what stands before one at the start of a sentence."""
    return STOP_WORDS.get(language, frozenset()) if language == "de" else frozenset()


def _known_words(suspect: Suspect) -> set[str]:
    conversation = suspect.context.conversation
    texts = [turn.text for turn in conversation.turns] + [passage.text for passage in suspect.context.passages]
    texts += [conversation.brand, suspect.decision.because]
    texts += [str(value) for value in suspect.context.profile.features.values() if isinstance(value, str)]
    return {word.lower() for text in texts for word in _WORD.findall(plain(text))}


def promises_nothing(suspect: Suspect) -> str | None:
    """Money back, compensation, guarantees and legal advice, unless a passage speaks of it."""
    said = {match.group().lower() for match in wording.PROMISE.finditer(suspect.message)}
    if not said:
        return None
    known = " ".join(passage.text.lower() for passage in suspect.context.passages)
    return "It promises something." if any(stem not in known for stem in said) else None


def claims_no_act(suspect: Suspect) -> str | None:
    """Nothing has been done but deciding to write, so nothing may be reported as done."""
    return "It claims that something was done." if wording.DONE.search(suspect.message) else None


def asks_for_no_secret(suspect: Suspect) -> str | None:
    return "It asks for a secret or for money." if wording.SECRET_OR_MONEY.search(suspect.message) else None


def keeps_the_channel(suspect: Suspect) -> str | None:
    channel = suspect.decision.channel
    if channel is not OutChannel.PHONE and wording.WILL_CALL.search(suspect.message):
        return "It speaks of a call, which was not decided."
    if channel is not OutChannel.EMAIL and wording.WILL_MAIL.search(suspect.message):
        return "It speaks of an e-mail, which was not decided."
    return None


def keeps_the_time(suspect: Suspect) -> str | None:
    """Our own future with a time in it: when we act was decided elsewhere."""
    for sentence in _SENTENCE.findall(suspect.message):
        if wording.OUR_FUTURE.search(sentence) and wording.TIME.search(sentence):
            return "It says when we will do something."
    return None


def keeps_the_status(suspect: Suspect) -> str | None:
    action = suspect.decision.action
    if action is not Action.PROPOSE_CLOSE and wording.CLOSED.search(suspect.message):
        return "It calls the issue closed."
    if action is not Action.HAND_TO_PERSON and wording.ESCALATED.search(suspect.message):
        return "It says that somebody else takes over."
    return None


def keeps_the_prompt_to_itself(suspect: Suspect) -> str | None:
    said = _squeezed(suspect.both)
    secrets = [_squeezed(secret) for secret in suspect.secrets]
    if any(secret in said or secret in said[::-1] for secret in secrets if secret):
        return "It repeats its instructions."
    return None


def _squeezed(text: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", plain(text).casefold())


CHECKS: Sequence[Callable[[Suspect], str | None]] = (
    says_something,
    is_plain_text,
    knows_its_tokens,
    links_are_ours,
    addresses_are_ours,
    long_numbers_are_ours,
    numbers_are_grounded,
    names_are_known,
    promises_nothing,
    claims_no_act,
    asks_for_no_secret,
    keeps_the_channel,
    keeps_the_time,
    keeps_the_status,
    keeps_the_prompt_to_itself,
)
