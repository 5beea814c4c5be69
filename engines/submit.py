"""The Flink job of profiles: its environment, a cluster where none is given, and the job on it.

just flink set-up
just flink run --local --brokers 127.0.0.1:9092 --events events --profiles profiles --aside aside --checkpoints file:///var/flink
just flink run --jobmanager flink:8081 --from s3://bucket/savepoints/… --brokers …
just flink stop JOB --jobmanager flink:8081 --into s3://bucket/savepoints
just flink upserts --brokers … --topic profiles --database postgresql://…

Whatever `run` does not know goes to the job: `just flink run --help` lists both.
"""

import argparse
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from start import StepFailedError

from engines import cluster, environment
from engines.environment import ENGINES, ROOT, Environment

JOB = ENGINES / "flink_profiles.py"
UPSERTS = ENGINES / "upserts.py"
USAGE, INTERRUPTED = 2, 130


def main(words: list[str]) -> int:
    if not words or words[0] not in COMMANDS:
        print(__doc__)
        return 0 if words in (["-h"], ["--help"]) else USAGE
    try:
        return COMMANDS[words[0]](words[1:])
    except (environment.NotToBeHadError, StepFailedError, RuntimeError) as wrong:
        print(f"flink: {wrong}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("flink: stopped. What the last checkpoint has is kept.", file=sys.stderr)
        return INTERRUPTED


def run(words: list[str]) -> int:
    """Submit the job. On a cluster of our own the command ends with the job, elsewhere when the job is accepted."""
    asked = argparse.ArgumentParser(prog="just flink run", add_help=False)
    asked.add_argument("-h", "--help", action="store_true")
    where = asked.add_mutually_exclusive_group()
    where.add_argument("--local", action="store_true", help="a cluster here, for as long as the job runs")
    where.add_argument("--jobmanager", help="host:port of its REST interface")
    asked.add_argument("--from", dest="savepoint", help="go on from this savepoint or checkpoint")
    asked.add_argument("--python", help="the interpreter on the task managers that has requirements-flink.txt")
    asked.add_argument("--source", type=Path, default=ROOT / "src", help="the folder with Harken's modules")
    asked.add_argument("--parallelism", type=int, default=2)
    given, of_the_job = asked.parse_known_args(words)
    if given.savepoint and "--until-now" in of_the_job:
        asked.error("--until-now is for a start afresh: what goes on from a savepoint has no end to stop at")
    made = environment.made()
    if given.help or not (given.local or given.jobmanager):
        asked.print_help()
        return python(made, JOB, "--help") or (0 if given.help else USAGE)
    with ExitStack() as stack:
        if given.local:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="harken-flink-")))
            local = stack.enter_context(cluster.running(made, folder, slots=given.parallelism))
            given.jobmanager = local.address
        return flink(made, "run", *placement(made, given), *of_the_job)


def placement(made: Environment, given: argparse.Namespace) -> list[str]:
    """Where the job runs and what it takes along."""
    return [
        *(["--jobmanager", given.jobmanager] if given.local else ["--jobmanager", given.jobmanager, "--detached"]),
        *(["--fromSavepoint", given.savepoint] if given.savepoint else []),
        *("--parallelism", str(given.parallelism)),
        *("--jarfile", str(made.connector)),
        *("--pyFiles", f"{given.source},{ENGINES / 'client_settings.py'}"),
        *("--pyExecutable", given.python or str(made.python)),
        *("--pyClientExecutable", str(made.python)),
        *("--python", str(JOB)),
    ]


def stop(words: list[str]) -> int:
    """End a job with a savepoint, from which `run --from` goes on."""
    asked = argparse.ArgumentParser(prog="just flink stop")
    asked.add_argument("job", help="its id, as Flink shows it")
    asked.add_argument("--jobmanager", required=True, help="host:port of its REST interface")
    asked.add_argument("--into", required=True, help="the folder for the savepoint, which every Flink process reaches")
    given = asked.parse_args(words)
    made = environment.made()
    return flink(made, "stop", "--jobmanager", given.jobmanager, "--savepointPath", given.into, given.job)


def upserts(words: list[str]) -> int:
    """The states of the compacted topic into PostgreSQL."""
    return python(environment.made(), UPSERTS, *words)


def python(made: Environment, *words: str | Path) -> int:
    variables = made.variables() | {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.run([made.python, *words], env=variables, check=False).returncode


def flink(made: Environment, *words: str) -> int:
    return subprocess.run([made.flink_home / "bin" / "flink", *words], env=made.variables(), check=False).returncode


def set_up(_: list[str]) -> int:
    """The environment alone: for an image, or ahead of time."""
    print(environment.made().folder)
    return 0


COMMANDS = {"set-up": set_up, "run": run, "stop": stop, "upserts": upserts}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
