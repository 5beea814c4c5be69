"""A ticket's messages -> the order in which they are weighed: what we said stands behind what it was said to."""

from collections.abc import Iterable, Mapping
from typing import Any

from harken.domain.event import Kind

Body = Mapping[str, Any]


def in_turn(bodies: Iterable[Body]) -> list[Body]:
    """By time; but an answer that was on its way when the customer spoke again comes before those newer words.

    Otherwise it would look as if it had answered them, and nobody would.
    """
    ordered: list[Body] = []
    for body in sorted(bodies, key=lambda each: (each["at"], each["id"])):
        ordered.insert(_place(body, ordered), body)
    return ordered


def _place(body: Body, ordered: list[Body]) -> int:
    """Behind what it answers and what else we said to that; at the end where it answers nothing that is here."""
    answered = next((at for at, each in enumerate(ordered) if each["id"] == body["in_reply_to"]), None)
    if body["kind"] != Kind.MESSAGE_SENT or answered is None or not is_theirs(ordered[answered]):
        return len(ordered)
    newer = range(answered + 1, len(ordered))
    return next((at for at in newer if is_theirs(ordered[at])), len(ordered))


def is_theirs(body: Body) -> bool:
    return bool(body["kind"] == Kind.MESSAGE_RECEIVED)
