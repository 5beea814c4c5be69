"""What several benchmarks share: a loaded store, what a command costs, and how figures are shown."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import data, machine

ROOT = Path(__file__).resolve().parent.parent
SERVER_STOPS_WITHIN_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One process from start to end; `peak_mb` is the largest of it and its children."""

    wall_s: float
    cpu_s: float
    peak_mb: int
    out: str


def run(command: Sequence[str], home: Path | None = None) -> Cost:
    """A whole process and its children. Raises SystemExit where it fails."""
    environment = {**os.environ, **({"HARKEN_HOME": str(home)} if home else {})}
    with tempfile.TemporaryFile("w+") as out:
        started = time.perf_counter()
        child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out)
        _, status, used = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
        out.seek(0)
        return Cost(wall_s=wall_s, cpu_s=used.ru_utime + used.ru_stime, peak_mb=used.ru_maxrss // 1024, out=out.read())


def harken(*words: str, home: Path | None = None) -> Cost:
    return run([sys.executable, "-m", "harken", *words], home)


def options(about: str | None, customers: int) -> argparse.ArgumentParser:
    asked = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--json", action="store_true", help="one JSON object instead of text")
    asked.add_argument("--data", type=Path, help="a twcs CSV of your own instead of made-up threads")
    asked.add_argument("--customers", type=int, default=customers, help="how many to make up (default %(default)s)")
    asked.add_argument("--home", type=Path, help="keep the loaded store here, and use it again next time")
    return asked


@contextmanager
def folder() -> Iterator[Path]:
    """A new folder that the embedded server's own account may enter, too."""
    with tempfile.TemporaryDirectory(prefix="harken-bench-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def store_in(home: Path, store: str) -> str | None:
    """The URL of an embedded store of this kind; None is the default, PostgreSQL."""
    return f"chdb://{home / 'clickhouse'}" if store == "clickhouse" else None


@contextmanager
def loaded(given: argparse.Namespace) -> Iterator[Path]:
    """A HARKEN_HOME whose embedded store holds the data."""
    if given.home and (given.home / "postgres").exists():
        yield given.home.absolute()
        return
    with folder() as scratch:
        home = (given.home or scratch / "home").absolute()
        source = given.data or data.write_twcs(scratch / "threads.csv", customers=given.customers)
        print(f"loading {source.name} …", file=sys.stderr)
        harken("ingest", str(source), "--json", home=home)
        yield home
        wait_until_stopped(home)


def wait_until_stopped(home: Path) -> None:
    """The embedded server stops a moment after its last client."""
    late = time.perf_counter() + SERVER_STOPS_WITHIN_S
    while (home / "postgres" / "data" / "postmaster.pid").exists() and time.perf_counter() < late:
        time.sleep(0.05)


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank; `share` in thousandths precisely."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 1000) // 1000) - 1)]


def show(name: str, figures: Mapping[str, Any], *, as_json: bool) -> None:
    here = machine.described()
    if as_json:
        print(json.dumps({"benchmark": name, "machine": here, **figures}))
        return
    print(f"{name}: {here['cores']} cores, {here['cpu']}, Python {here['python']}, load {here['load_1m']}")
    for key, value in figures.items():
        print(f"  {key:48} {value}")
