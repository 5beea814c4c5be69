"""One load under way: what every step of an ingest or a rebuild needs at hand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw

from harken.domain.run import Run
from harken.flow.pool import Crew
from harken.flow.ports import Progress, Warehouse
from harken.kit.clock import Clock, stopwatch
from harken.kit.engine import Engine
from harken.kit.spool import Spool


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    run: Run
    warehouse: Warehouse
    engine: Engine
    spool: Spool
    crew: Crew
    progress: Progress
    clock: Clock
    first: bool  #: the log was empty when the load began, so nothing can be a duplicate of it
    elapsed: Callable[[], float] = field(default_factory=stopwatch)
    steps: dict[str, float] = field(default_factory=dict)

    def step(self, name: str, total: int | None = None) -> None:
        """Say what begins; the seconds of every step are part of the report."""
        self.done()
        self.steps[name] = -self.elapsed()
        self.progress.step(name, total)

    def done(self) -> None:
        for name, seconds in self.steps.items():
            if seconds < 0:
                self.steps[name] = round(seconds + self.elapsed(), 3)

    def materialise(self, name: str, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Run a plan into the spool and scan it back: no engine plans a whole job as one query."""
        return self.engine.scan(self.engine.write(frame, self.spool.path(name)))
