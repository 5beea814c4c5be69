"""The quick form of `just soak`: exactly once, whoever is killed and however often the database crashes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SIZES = {"events": 20_000, "kills": 20, "crashes": 3}
NOTHING = ("lost", "doubled", "wrong_values", "wrong_members", "mismatches", "backlog")


@pytest.mark.soak
def test_a_stream_under_kills_and_crashes_is_taken_in_once() -> None:
    """A new seed each time; one that fails is in what the run says, and fails again."""
    words = [word for name, size in SIZES.items() for word in (f"--{name}", str(size))]
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", "--json", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr + ended.stdout
    told = json.loads(ended.stdout)

    assert {name: told[name] for name in NOTHING} == dict.fromkeys(NOTHING, 0)
    assert told["failed"] == []
    faults = {what: sum(n for name, n in told["faults"].items() if name.startswith(what)) for what in ("kill", "crash")}
    assert faults == {"kill": SIZES["kills"], "crash": SIZES["crashes"]}
    assert told["faults"]["kept out after it was replaced"] >= 1
    assert told["values"] > SIZES["events"]
