"""A command from its words to its exit code: 0 done, 1 refused or failed, 2 wrong usage."""

import signal
import sys
from types import FrameType

import click

from harken.cli import main
from harken.errors import HarkenError

INTERRUPTED = 1


class _Stopped(KeyboardInterrupt):
    """A polite signal: end as Ctrl-C does."""


def run() -> None:
    signal.signal(signal.SIGTERM, _stop)
    try:
        main.main(prog_name="harken", standalone_mode=False)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _say("Interrupted. What was committed is kept; the same command continues from there.")
        sys.exit(INTERRUPTED)
    except HarkenError as refused:
        _say(str(refused))
        sys.exit(1)
    except OSError as broken:
        _say(_of_the_system(broken))
        sys.exit(1)


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stopped


def _of_the_system(broken: OSError) -> str:
    where = f" ({broken.filename})" if broken.filename else ""
    return (
        f"{broken.strerror or broken}{where}. What was committed is kept; run the same command again when it is mended."
    )


def _say(line: str) -> None:
    click.echo(f"harken: {line}", err=True)
