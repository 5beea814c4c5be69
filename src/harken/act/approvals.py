"""A proposal that waits, and a person's word on it -> the proposal as it stands then. Pure: the clock is an argument.

A word binds the exact arguments by their hash, so an edit makes every word before it void. It holds until the proposal
expires, is used once, and nobody gives two: not even who has two roles.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from harken.errors import RefusedError


class State(StrEnum):
    PENDING = "pending"  #: waits for people
    APPROVED = "approved"  #: on its way
    DENIED = "denied"
    EXPIRED = "expired"  #: nobody said anything in time
    EXECUTED = "executed"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"  #: nobody knows whether it happened: a person looks


class ChangedError(RefusedError):
    """The arguments are not those that you were shown: look again, then decide."""


class DecidedError(RefusedError):
    """This has been decided already, and a decision is used once."""


class ExpiredError(RefusedError):
    """Nobody approved this in time: it has to be proposed anew."""

    status = 410


class NotYoursError(RefusedError):
    """Somebody else has to decide this."""

    status = 403


class UnknownActionError(RefusedError):
    """There is no such proposal."""

    status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a person said, of exactly these arguments."""

    who: str
    role: str
    approved: bool
    arguments_hash: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A proposal as far as deciding goes."""

    arguments_hash: str
    people: int
    proposer: str
    approvers: tuple[str, ...]  #: roles that may
    state: State
    expires_at: datetime
    words: tuple[Word, ...] = ()  #: all of them, also those on other arguments

    @property
    def yes(self) -> frozenset[str]:
        """Who approved the arguments as they are now."""
        return frozenset(
            each.who for each in self.words if each.approved and each.arguments_hash == self.arguments_hash
        )


def said(waiting: Waiting, word: Word) -> Waiting:
    """Raises one of the errors above; nothing changes then."""
    open_at(waiting, word.at)
    if word.arguments_hash != waiting.arguments_hash:
        raise ChangedError
    if word.role not in waiting.approvers:
        raise NotYoursError(f"The role {word.role} may not decide this; {', '.join(waiting.approvers)} may.")
    if word.approved and word.who == waiting.proposer:
        raise NotYoursError("Who proposed this cannot approve it: somebody else has to.")
    if any(each.who == word.who and each.arguments_hash == word.arguments_hash for each in waiting.words):
        raise DecidedError("You have decided this already: a second person has to.")
    after = replace(waiting, words=(*waiting.words, word))
    if not word.approved:
        return replace(after, state=State.DENIED)
    return replace(after, state=State.APPROVED) if len(after.yes) >= after.people else after


def open_at(waiting: Waiting, now: datetime) -> None:
    """Raises ExpiredError or DecidedError where nothing can be said or changed any more."""
    if waiting.state is State.EXPIRED or (waiting.state is State.PENDING and now >= waiting.expires_at):
        raise ExpiredError
    if waiting.state is not State.PENDING:
        raise DecidedError
