"""Typed ids: a customer is never a conversation, and the type checker knows it.

Every id is derived from what happened, so doing a thing twice is doing it once.
"""

from typing import NewType

EventId = NewType("EventId", str)
"""`<source>:<the source's own id>`, for example `twitter:119237`."""

IdentityId = NewType("IdentityId", str)
"""One identity at one source, for example `twitter:115712`: what state is kept for."""

CustomerId = NewType("CustomerId", str)
"""What people call a customer: the source's own id (`115712`), or the identity where two sources share it."""

ThreadId = NewType("ThreadId", str)
"""The id of the topmost event of a reply tree, known or only referred to."""

ConversationId = NewType("ConversationId", str)
"""`<thread>/<identity>/<brand>`, with `#2` and so on for a later issue in the same tree."""

DecisionId = NewType("DecisionId", str)
RunId = NewType("RunId", int)


def customer_of(identity: str) -> CustomerId:
    """`twitter:115712` -> `115712`: the name people use."""
    return CustomerId(identity.partition(":")[2] or identity)
