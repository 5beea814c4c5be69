"""An answer -> an event of the log, in the ticket's conversation. The log takes a key once, so it is said once."""

from collections.abc import Callable

from harken.act.ports import Message, NotSentError, Receipt, RejectedError
from harken.errors import RefusedError, TryAgainError


class Conversation:
    """`say` takes the message and the key, and returns a reference to what the log has."""

    def __init__(self, say: Callable[[Message, str], str]) -> None:
        self._say = say

    def send(self, message: Message, key: str) -> Receipt:
        try:
            return Receipt(self._say(message, key))
        except TryAgainError as busy:
            raise NotSentError("the log could not take it", after_s=busy.after_s) from busy
        except RefusedError as refused:
            raise RejectedError(type(refused).__name__) from refused
