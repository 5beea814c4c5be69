"""A context with personal data -> the same context with tokens, and a model's words -> words with the data back.

One veil serves one prompt: the same value has the same token in every turn, so a model can still tell that two
turns speak of one address. What is cut short later was hidden whole before, so no half of an address slips through.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from harken.domain.decision import Context, Decision
from harken.privacy import tokens
from harken.privacy.scanner import REGIONS, Known, PersonalData, PersonalKind, scan
from harken.privacy.tokens import Pseudonyms

_PLAIN_NAME = re.compile(r"[^\W\d_][^\W\d_ '’-]{0,30}(?:[ '’-][^\W\d_ '’-]{1,30}){0,3}")


class Veil:
    """Personal data of one context, and the tokens that stand for it."""

    def __init__(self, context: Context, regions: Sequence[str] = REGIONS) -> None:
        self._regions = tuple(regions)
        self._public = frozenset(_own_handles(context))
        self._book = Pseudonyms()
        # A name given in one turn is a name in every other, so all are searched before any is hidden.
        found = [find for text in _texts(context) for find in self._scan(text)]
        self._known = tuple({Known(find.value, find.kind): None for find in found})
        self.context = self._hidden(context)
        self.may_be_repeated = frozenset(self._repeatable(context))

    def decision(self, decision: Decision) -> Decision:
        cited = {name: self.hide(value) if isinstance(value, str) else value for name, value in decision.cited.items()}
        return replace(decision, because=self.hide(decision.because), cited=cited)

    def hide(self, text: str) -> str:
        return tokens.hide(text, self._scan(text, self._known), self._book)

    def reveal(self, text: str) -> str:
        return tokens.reveal(text, self._book)

    def _scan(self, text: str, known: Sequence[Known] = ()) -> list[PersonalData]:
        return scan(text, known=known, regions=self._regions, public=self._public)

    def _hidden(self, context: Context) -> Context:
        turns = tuple(replace(turn, text=self.hide(turn.text)) for turn in context.conversation.turns)
        passages = (
            replace(passage, text=self.hide(passage.text), source=self.hide(passage.source))
            for passage in context.passages
        )
        return replace(
            context,
            conversation=replace(context.conversation, turns=turns),
            standing=replace(context.standing, because=self.hide(context.standing.because)),
            passages=tuple(passages),
        )

    def _repeatable(self, context: Context) -> Iterator[str]:
        """Tokens that a message may hold: a customer's name, and what we or a passage have said already.

        An address or a number that only the customer wrote is not repeated: a message that carries it may have
        been asked for by the one who wrote it.
        """
        ours = " ".join(_our_texts(context))
        for token, value in self._book.values.items():
            is_name = token.startswith(f"[{PersonalKind.NAME}_") and _PLAIN_NAME.fullmatch(value)
            if is_name or (value in ours and not token.startswith("[LITERAL_")):
                yield token


def _texts(context: Context) -> Iterable[str]:
    yield from (turn.text for turn in context.conversation.turns)
    yield from (passage.text for passage in context.passages)


def _our_texts(context: Context) -> Iterable[str]:
    yield from (turn.text for turn in context.conversation.turns if not turn.from_customer)
    yield from (passage.text for passage in context.passages)


def _own_handles(context: Context) -> Iterator[str]:
    yield context.conversation.brand.lower()
    for turn in context.conversation.turns:
        if not turn.from_customer:
            yield turn.author.lower()
