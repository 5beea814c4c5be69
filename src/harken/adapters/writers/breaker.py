"""Failures in a row -> a rest, so that a provider that is down costs no waiting."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from harken.kit.clock import Clock


@dataclass
class Breaker:
    """Opens after `failures` in a row and lets one trial through after each `rest_s`."""

    clock: Clock
    failures: int = 3
    rest_s: float = 60.0
    _in_a_row: int = 0
    _rests_until: datetime | None = None

    def lets_through(self) -> bool:
        """Also takes the one place of a trial, so that callers side by side do not all try."""
        if self._rests_until is None:
            return True
        if self.clock() < self._rests_until:
            return False
        self._rest()
        return True

    @property
    def rests(self) -> bool:
        """Looks only: the place of a trial stays free."""
        return self._rests_until is not None and self.clock() < self._rests_until

    def succeeded(self) -> None:
        self._in_a_row = 0
        self._rests_until = None

    def failed(self) -> None:
        self._in_a_row += 1
        if self._in_a_row >= self.failures:
            self._rest()

    def _rest(self) -> None:
        self._rests_until = self.clock() + timedelta(seconds=self.rest_s)
