#!/usr/bin/env python3
"""A fresh clone -> a working Harken. Needs git and either Python 3.11 (or later) or uv; standard library only.

python3 start.py demo            set everything up and run the main job on made-up data
python3 start.py test            set everything up and run the tests; further words go to pytest: test --cov
python3 start.py -- harken …     set everything up and run any command of harken
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
TOOLS = ROOT / ".venv-tools"
BIN = "Scripts" if os.name == "nt" else "bin"
UV = "uv==0.13.8"
OLDEST = (3, 11)
USAGE, INTERRUPTED = 2, 130
HARKEN = ["-m", "harken"]
TESTS = [
    "-m",
    "pytest",
    "-n",
    "2",
    "--dist",
    "worksteal",
    "-m",
    "not matrix and not spark and not kafka and not flink and not fuzz and not long and not soak",
    "-p",
    "no:schemathesis",  # its plugin alone takes seconds in each process, and no test uses it: the tests start its command
]


class StepFailedError(Exception):
    """A step that did not work: what to tell, and the exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code or 1


def main(words: list[str]) -> int:
    try:
        if words[:1] == ["test"]:
            set_up("with the test tools")
            return run([venv_python(), *TESTS, *words[1:]], cwd=ROOT)
        if words[:1] == ["demo"]:
            set_up("what Harken needs", "--no-dev")
            return run([venv_python(), *HARKEN, *words], cwd=ROOT)
        if words[:2] == ["--", "harken"]:
            set_up("what Harken needs", "--no-dev")
            return run([venv_python(), *HARKEN, *words[2:]])
    except StepFailedError as failed:
        print(f"start.py: {failed}", file=sys.stderr)
        return failed.code
    except KeyboardInterrupt:
        print("start.py: stopped. Run the same command again to go on.", file=sys.stderr)
        return INTERRUPTED
    print(__doc__)
    return 0 if words in (["-h"], ["--help"]) else USAGE


def set_up(what: str, *options: str) -> None:
    """The locked environment in .venv. Quick when it is there already; what it does not need it leaves alone."""
    say(f"Setting up {what} in .venv" + ("" if (ROOT / ".venv").exists() else " (the first time takes a minute)"))
    command = [find_uv(), "sync", "--frozen", "--inexact", *options]
    if not sys.stderr.isatty():
        command.append("--quiet")
    if not (ROOT / ".venv").exists() and sys.version_info >= OLDEST:
        command += ["--python", sys.executable]
    code = run(command, cwd=ROOT)
    if code:
        raise StepFailedError("The environment could not be set up; the lines above say why.", code)


def find_uv() -> str:
    """The uv on the PATH, or one of our own in .venv-tools."""
    found = shutil.which("uv")
    if found:
        return found
    own = TOOLS / BIN / "uv"
    if own.exists():
        return str(own)
    if sys.version_info < OLDEST:
        raise StepFailedError(
            f"Harken needs Python 3.11 or later and this is {sys.version.split()[0]}. "
            "With uv installed (https://docs.astral.sh/uv/) any Python will do for this script.",
            1,
        )
    say("Fetching the installer (uv) into .venv-tools")
    step("Python could not make .venv-tools. On Debian and Ubuntu: apt install python3-venv", "-m", "venv", str(TOOLS))
    (TOOLS / ".gitignore").write_text("*\n")
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", UV]
    step(f"{UV} could not be installed; is the package index reachable?", *pip, python=TOOLS / BIN / "python")
    return str(own)


def step(complaint: str, *arguments: str, python: Path | str = sys.executable) -> None:
    code = run([str(python), *arguments], cwd=ROOT)
    if code:
        raise StepFailedError(complaint, code)


def venv_python() -> str:
    return str(ROOT / ".venv" / BIN / "python")


def run(command: list[str], cwd: Path | None = None) -> int:
    sys.stdout.flush()
    try:
        return subprocess.run(command, cwd=cwd, env=environment(), check=False).returncode
    except OSError as broken:
        raise StepFailedError(f"{command[0]} could not be started: {broken.strerror}.", 1) from None


def environment() -> dict[str, str]:
    """Ours, whatever environment the caller happens to have active."""
    kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}
    # Path.home() raises where an account has no home; expanduser does not.
    if not os.access(os.path.expanduser("~"), os.W_OK):
        kept.setdefault("UV_CACHE_DIR", str(TOOLS / "cache"))
    # Where Python may not keep compiled modules, each process would compile thousands of them anew.
    if kept.pop("PYTHONDONTWRITEBYTECODE", ""):
        kept.setdefault("PYTHONPYCACHEPREFIX", str(TOOLS / "compiled"))
    return kept


def say(line: str) -> None:
    print(f"· {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
