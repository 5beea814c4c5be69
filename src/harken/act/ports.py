"""What carries a message to where it goes, and the ways in which that may end."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from harken.domain.profile import Value
from harken.errors import HarkenError


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What leaves. All but `arguments` was filled in by code."""

    action: str
    channel: str  #: the executor that carries it
    ticket: str
    customer: str  #: identity
    arguments: Mapping[str, Value]
    at: datetime  #: when it was decided
    brand: str = ""
    spoken_on: str = ""  #: the channel of the conversation
    epoch: int = 0  #: whose turn it was when it was decided
    answers: str = ""  #: the event of the customer's that was the newest then; empty: none was
    author: str = ""  #: who says it: the brand, or a person's name
    to: str = ""  #: an address, where the channel needs one
    url: str = ""  #: from the catalogue, where the channel needs one


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the other side gave for it: a short reference, never its words."""

    reference: str = ""


class Sender(Protocol):
    def send(self, message: Message, key: str) -> Receipt:
        """`key`: the same for every try. Raises one of the errors below, and no other."""


@runtime_checkable
class Finder(Protocol):
    """A sender that can be asked what became of a key."""

    def find(self, message: Message, key: str) -> Receipt | None:
        """None: it certainly never happened. Raises UnknownOutcomeError where it cannot say."""


class NotSentError(HarkenError):
    """It certainly did not happen; a later try may do it."""

    def __init__(self, message: str = "", *, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


class RejectedError(HarkenError):
    """It did not happen, and the same will not happen later either."""


class UnknownOutcomeError(HarkenError):
    """It may have happened, or not."""


class UnconfiguredError(HarkenError):
    """Nobody has said yet how this channel is reached."""
