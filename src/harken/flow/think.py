"""Context -> advice: the one piece of thinking that live, batch and replay share."""

from harken.decide.decide import decide
from harken.decide.policy import Policy
from harken.decide.ports import Writer
from harken.domain.decision import Advice, Context


async def think(context: Context, policy: Policy, writer: Writer) -> Advice:
    """Rules choose; the writer only writes."""
    decision = decide(context, policy)
    return Advice(decision=decision, draft=await writer.write(decision, context))
