"""A draft, its context and the rules -> what every check looks at, each worked out once and only where it is asked for."""

from dataclasses import dataclass, replace
from functools import cached_property

from harken.domain.conversation import Turn
from harken.domain.decision import Advice, Context
from harken.domain.passage import Passage
from harken.guard import injection
from harken.guard.checks import Suspect
from harken.guard.courtesy import courtesy
from harken.guard.literals import allowed_literals, plain
from harken.guard.quotes import Cited
from harken.guard.rules_file import GuardRules
from harken.privacy.tokens import TOKEN

UNKNOWN = "und"


@dataclass(frozen=True, kw_only=True)
class Seen:
    advice: Advice
    context: Context
    rules: GuardRules

    @property
    def message(self) -> str:
        """As the customer would get it."""
        return self.advice.draft.message

    @cached_property
    def language(self) -> str:
        """The customer's; `und` where nobody knows."""
        live = self.context.live
        if live is not None and live.classification.language != UNKNOWN:
            return live.classification.language
        return self.context.conversation.facts.language

    @cached_property
    def jurisdiction(self) -> str:
        """The customer's; empty where nobody knows."""
        if self.context.live is not None and self.context.live.jurisdiction:
            return self.context.live.jurisdiction
        known = self.context.profile.features.get(self.rules.content.jurisdiction.feature)
        return known.upper() if isinstance(known, str) and known else self.rules.content.jurisdiction.default

    def holds_in(self, jurisdictions: tuple[str, ...], *, unknown: bool) -> bool:
        """`US-CA` is in `US`. `unknown`: what is answered where nobody knows the customer's."""
        if not jurisdictions:
            return True
        if not self.jurisdiction:
            return unknown
        return any(self.jurisdiction == each or self.jurisdiction.startswith(f"{each}-") for each in jurisdictions)

    @cached_property
    def cited(self) -> tuple[Passage, ...]:
        passages = self.context.passages
        return tuple(passages[place] for place in self._places)

    @cached_property
    def _places(self) -> tuple[int, ...]:
        count = len(self.context.passages)
        return tuple(dict.fromkeys(place for place in self.advice.draft.citations if 0 <= place < count))

    @cached_property
    def uncited(self) -> tuple[Passage, ...]:
        return tuple(each for place, each in enumerate(self.context.passages) if place not in self._places)

    @cached_property
    def grounds(self) -> tuple[Passage, ...]:
        """What was cited and gives no orders to a machine: only this grounds a claim, a link or a number."""
        return tuple(each for each in self.cited if not self._gives_orders(each.text))

    def _gives_orders(self, text: str) -> bool:
        limit = self.rules.content.grounded.injection
        return self.rules.orders.search(text) is not None or injection.suspect(text).score >= limit

    @cached_property
    def quotes(self) -> tuple[str, list[str]]:
        return Cited(self.grounds).own(self.message)

    @property
    def own_words(self) -> str:
        """The message without what it takes word for word from what it cites: that, the company has published."""
        return self.quotes[0]

    @cached_property
    def spoken(self) -> str:
        """The own words without the name of the subject and without warnings, for the lists of what is not to be said."""
        said = courtesy()
        return said.warns.sub(" ", said.mentions.sub(" ", plain(self.own_words)))

    @cached_property
    def asked(self) -> tuple[Turn, ...]:
        """What the customer said since our last word; their last message where we spoke last."""
        turns = [turn for turn in self.context.conversation.turns if turn.text]
        since: list[Turn] = []
        for turn in reversed(turns):
            if not turn.from_customer and since:
                break
            if turn.from_customer:
                since.append(turn)
        return tuple(reversed(since))

    @cached_property
    def question(self) -> str:
        return "\n".join(turn.text for turn in self.asked)

    @cached_property
    def ours(self) -> tuple[str, ...]:
        """What we said before and what we know of them: it grounds as a passage does."""
        turns = [turn.text for turn in self.context.conversation.turns if not turn.from_customer and turn.text]
        facts = [f"{name.replace('_', ' ')} {value}" for name, value in self.context.profile.features.items()]
        return (*turns, *facts)

    @cached_property
    def said(self) -> tuple[str, ...]:
        """The customer's own words."""
        return tuple(turn.text for turn in self.context.conversation.turns if turn.from_customer and turn.text)

    @cached_property
    def suspect(self) -> Suspect:
        """For the checks that a model's words pass, with what is cited instead of all that was found."""
        grounded = replace(self.context, passages=self.grounds)
        return Suspect(
            raw_message=self.message,
            raw_reasoning="",
            decision=self.advice.decision,
            context=grounded,
            allowed=allowed_literals(self.advice.decision, grounded) | frozenset(TOKEN.findall(self.message)),
            secrets=(),
        )

    @cached_property
    def suspect_words(self) -> Suspect:
        """The same for the checks that look for phrases: of what is left when quotes and warnings are gone."""
        return replace(self.suspect, raw_message=self.spoken)
