"""Context -> advice: the one piece of thinking that live, batch and replay share."""

from harken.decide.decide import decide
from harken.decide.policy import Policy
from harken.decide.ports import Writer
from harken.domain.decision import Action, Advice, Context, Decision, Draft
from harken.guard.before import Allowed, may_ask
from harken.guard.rules_file import GuardRules


async def think(context: Context, policy: Policy, writer: Writer) -> Advice:
    """Rules choose; the writer only writes."""
    decision = decide(context, policy)
    return Advice(decision=decision, draft=await writer.write(decision, context))


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
