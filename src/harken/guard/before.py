"""A context and the rules -> whether a language model may be asked at all, and what of the context it may be shown.

Deterministic and before any prompt: what is refused here costs nothing, leaves the machine in no form, and goes to a person or to
the offline writer. Words that look like orders to a machine are a reason, too, but no boundary: see `injection`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harken.domain.decision import Context, Live
from harken.guard import injection
from harken.guard.literals import plain
from harken.guard.reasons import Refusal
from harken.guard.rules_file import GuardRules
from harken.kit import circumstances
from harken.kit.circumstances import SELF_HARM, Circumstance, Flag

MOST_CHARACTERS = 20_000
"""Of what the customer said since our last word: more is looked at from its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """A model may be asked, and may see no more than this."""

    features: frozenset[str]  #: of the profile, by name
    passages: int  #: the best so many
    classes: frozenset[str]  #: of documents, for whoever searches

    def shown(self, context: Context) -> Context:
        """The context without what a model may not see. Citations of what it writes count places in this one's passages."""
        features = {name: value for name, value in context.profile.features.items() if name in self.features}
        best = sorted(context.passages, key=lambda passage: -passage.score)[: self.passages]
        return replace(
            context,
            profile=replace(context.profile, features=features, identities=(), reachable=()),
            passages=tuple(passage for passage in context.passages if passage in best),
        )


@dataclass(frozen=True, slots=True)
class Refused:
    """No model is asked."""

    reason: Refusal
    because: str  #: for people and the record; never quotes the customer
    kind: str = ""  #: of a restricted topic: `sanctions`, `self_harm`, …

    @property
    def topic(self) -> str:
        """As the decision's record says it."""
        return self.kind or self.reason.value


def may_ask(context: Context, rules: GuardRules) -> Allowed | Refused:
    before, live = rules.content.before, context.live
    topics = {context.conversation.facts.topic} | ({live.classification.category} if live else set())
    said = plain(_asked(context))
    if topics & before.fraud_topics or _says(rules, Refusal.FRAUD, said):
        return Refused(Refusal.FRAUD, "It is about fraud or a stolen identity, which people work on.")
    found = circumstances.circumstances(said)
    if before.minors and (_is_minor(live, found) or _says(rules, Refusal.MINOR, said)):
        return Refused(Refusal.MINOR, "The customer is, or says to be, under age.")
    kind = (live.restricted if live else "") or _kept_from_models(found)
    if kind or topics & before.restricted_topics:
        return Refused(Refusal.RESTRICTED, "Policy keeps this topic from every language model.", kind)
    if _says(rules, Refusal.RESTRICTED, said):
        return Refused(Refusal.RESTRICTED, "Policy keeps a word of the message from every language model.")
    if injection.suspect(said).score >= before.injection:
        return Refused(Refusal.INJECTION, "The message gives orders to a machine.")
    return Allowed(features=before.features, passages=before.passages, classes=before.classes)


def _is_minor(live: Live | None, found: Sequence[Circumstance]) -> bool:
    return (live is not None and live.minor) or Flag.MINOR in circumstances.flags(found)


def _kept_from_models(found: Sequence[Circumstance]) -> str:
    """Help for who speaks of harming themselves comes from people."""
    return circumstances.restricted(found) or next((each.kind for each in found if each.kind == SELF_HARM), "")


def _asked(context: Context) -> str:
    """What the customer said since our last word, and the word before where we spoke last."""
    texts: list[str] = []
    for turn in reversed(context.conversation.turns):
        if turn.from_customer:
            texts.append(turn.text)
        elif texts:
            break
    return "\n".join(reversed(texts))[-MOST_CHARACTERS:]


def _says(rules: GuardRules, refusal: Refusal, said: str) -> bool:
    expression = rules.before.get(refusal.value)
    return expression is not None and expression.search(said) is not None
