"""A worker that delivers, in a process of its own, and is killed or stopped at a named step."""

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from act_cases import Noted, Ticking, act_desk, http

from harken.act.catalogue import ActionSpec, Catalogue
from harken.act.ports import Message, Receipt, Sender
from harken.flow import deciding, delivering
from harken.flow.act_desk import ActDesk
from harken.flow.deciding import Person

LENA = Person(who="lena", roles=frozenset({"lead"}))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def stop() -> None:
    """As a laptop that is closed: whoever sent SIGCONT opens it again."""
    os.kill(os.getpid(), signal.SIGSTOP)


class Around:
    """A sender around which something happens."""

    def __init__(self, inner: Sender, before: Callable[[], None] | None, after: Callable[[], None] | None) -> None:
        self._inner, self._before, self._after = inner, before, after

    def send(self, message: Message, key: str) -> Receipt:
        if self._before:
            self._before()
        receipt = self._inner.send(message, key)
        if self._after:
            self._after()
        return receipt


class Watched(Catalogue):
    """Something happens when an action is looked up: of a delivery, that is after its claim and before anything else."""

    def __init__(self, inner: Catalogue, then: Callable[[], None]) -> None:
        super().__init__(inner.actions)
        self._then = then

    def get(self, name: str) -> ActionSpec | None:
        self._then()
        return super().get(name)


class Records(Noted):
    """Dies when this is recorded: inside the transaction that also holds the receipt."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self._at = at

    def record(self, tx: Any, actor: str, action: str, body: Mapping[str, Any]) -> None:
        if action == self._at:
            die()


def at_step(desk: ActDesk, step: str, happens: Callable[[], None]) -> ActDesk:
    """The desk on which it happens at this step of a delivery."""
    if step == "after the claim":
        return replace(desk, catalogue=Watched(desk.catalogue, happens))
    if step in ("before the send", "after the send"):
        before, after = (happens, None) if step == "before the send" else (None, happens)
        return replace(desk, senders={name: Around(each, before, after) for name, each in desk.senders.items()})
    if step == "inside the receipt":
        return replace(desk, record=Records("action.executed").record)
    if step == "inside the approval":
        return replace(desk, record=Records("action.approved").record)
    return desk


def deliver_until(url: str, folder: Path, at: str, step: str, now: datetime, *, stops: bool = False) -> None:
    """One delivery, on which something happens at this step."""
    clock = Ticking(now)
    senders = None if not at else {"http": http(clock)}
    with act_desk(url, folder, clock, senders=senders, at=at) as desk:
        delivering.deliver(at_step(desk, step, stop if stops else die))


def approve_until(url: str, folder: Path, at: str, step: str, proposal: tuple[str, str], now: datetime) -> None:
    with act_desk(url, folder, Ticking(now), senders={}, at=at) as desk:
        deciding.approve(proposal[0], LENA, proposal[1], at_step(desk, step, die))
        die()
