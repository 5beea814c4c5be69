"""Context -> advice: the one piece of thinking that live, batch and replay share."""

from dataclasses import replace

from harken.decide.decide import decide
from harken.decide.policy import Policy
from harken.decide.ports import Writer
from harken.domain.decision import Action, Advice, Context, Decision, Draft, OutChannel
from harken.guard.before import Allowed, may_ask
from harken.guard.rules_file import GuardRules

ASKED_BY_A_PERSON = "asked-by-a-person"
_BECAUSE = "A person who works on the ticket asked for words to begin with."
_WITHOUT_WORDS = frozenset({OutChannel.NONE, OutChannel.PERSON, OutChannel.PHONE})


async def think(context: Context, policy: Policy, writer: Writer) -> Advice:
    """Rules choose; the writer only writes."""
    decision = decided(context, policy)
    return Advice(decision=decision, draft=await writer.write(decision, context))


def decided(context: Context, policy: Policy) -> Decision:
    """Where a person of the house asks for words, they decide what becomes of them; rules are weighed all the same."""
    decision = decide(context, policy)
    if not context.to_person:
        return decision
    channel = OutChannel.CHAT if decision.channel in _WITHOUT_WORDS else decision.channel
    return replace(decision, action=Action.ANSWER, channel=channel, rule=ASKED_BY_A_PERSON, because=_BECAUSE)


class Careful:
    """A writer that asks no model what policy keeps from models, and shows it no more than it may see.

    Nor when people are back: a model would have to be told the time, and could get it wrong.
    """

    def __init__(self, writer: Writer, plain: Writer, rules: GuardRules) -> None:
        self._writer, self._plain, self._rules = writer, plain, rules

    async def write(self, decision: Decision, context: Context) -> Draft:
        allowed = may_ask(context, self._rules)
        if isinstance(allowed, Allowed) and not _of_our_hours(decision, context):
            return await self._writer.write(decision, allowed.shown(context))
        return await self._plain.write(decision, context)

    async def close(self) -> None:
        await self._writer.close()


def _of_our_hours(decision: Decision, context: Context) -> bool:
    return decision.action is Action.HAND_TO_PERSON and context.live is not None and context.live.back is not None
