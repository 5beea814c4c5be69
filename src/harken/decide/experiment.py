"""Ranked actions -> the chosen one and the exact probability of that choice.

Epsilon-greedy over the kept actions: a rule that drops an action also keeps it from ever being tried.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC
from typing import NamedTuple

from harken.decide.arbitrate import Ranked
from harken.domain.decision import Context

DRAW = 2**64


class Choice(NamedTuple):
    place: int
    probability: float
    explored: bool  #: another action than the best was drawn


def choose(ranked: Sequence[Ranked], context: Context, *, experiment: str, exploration: float) -> Choice:
    """The draw is a hash of the experiment, the conversation and the moment, so a replay draws the same."""
    if exploration == 0 or len(ranked) == 1:
        return Choice(ranked[0].place, 1.0, False)
    seed = f"{experiment}\0{context.conversation.id}\0{context.now.astimezone(UTC).isoformat()}"
    digest = hashlib.sha256(seed.encode()).digest()
    explore = int.from_bytes(digest[:8]) / DRAW < exploration
    drawn = int.from_bytes(digest[8:16]) * len(ranked) // DRAW if explore else 0
    share = exploration / len(ranked)
    return Choice(ranked[drawn].place, 1 - exploration + share if drawn == 0 else share, drawn != 0)
