"""A step that is to be taken again and again beside other work, until somebody stops it."""

from collections.abc import Callable

from harken.errors import TryAgainError
from harken.eventlog.store import FencedError

EVERY_S = 0.5


def keep(
    step: Callable[[], int],
    pause: Callable[[float], bool],
    report: Callable[[str], None],
    every_s: float = EVERY_S,
) -> None:
    """At once again where the step did something. Several processes may: the place in the log lets one of them write."""
    while True:
        try:
            wait_s = 0.0 if step() else every_s
        except FencedError:
            wait_s = every_s  # another one did it
        except TryAgainError as busy:
            report(str(busy))
            wait_s = busy.after_s
        if pause(wait_s):
            return
