"""P11: what asking for help costs: processor seconds (user and system) of whole processes, medians.

    python -m benchmarks.p11_cli [--json]

The yardstick, in the same run: a Python that does nothing.
"""

import argparse
import sys
from statistics import median

from benchmarks import measure

TIMES = 5
COMMANDS = ("--help", "predict --help", "ingest --help", "profile --help", "serve --help")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    nothing = median(measure.run([sys.executable, "-c", "pass"]).cpu_s for _ in range(TIMES))
    figures: dict[str, object] = {"target_cpu_s": 0.3, "yardstick python -c pass, cpu_s": round(nothing, 3)}
    for words in COMMANDS:
        cpu_s = median(measure.harken(*words.split()).cpu_s for _ in range(TIMES))
        figures[f"harken {words}, cpu_s"] = round(cpu_s, 3)
    measure.show("P11", figures, as_json=given.json)


if __name__ == "__main__":
    main()
