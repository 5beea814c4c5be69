"""A master's address -> a Spark session that keeps off our terminal, or one line why there is none."""

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any, TypeAlias

from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext, java_gateway
from pyspark.errors import PySparkException, PySparkRuntimeError
from pyspark.sql import SparkSession

from harken.errors import UnsuitableError

NO_JAVA = (
    "Spark needs Java 17 or later, and it was not found: install it or set JAVA_HOME; or use --engine duckdb. "
    "Nothing was changed."
)
_TOLD = re.compile(r"(?:SparkException: |^(?=Invalid |Could not |Too ))(.+)", re.MULTILINE)
"""By Spark itself, or by Java of the memory that it may not have. Else there was no Java to tell anything."""
_ADDRESS = re.compile(r"(?:sc|spark)://([^/;]*)")
CONNECT_PORT = 15002
ANSWER_S = 10.0
"""How long a master may take to accept a connection."""
A_MOMENT_S = 1.0
"""Between the end of a process's connections and its own."""
END_S = 15.0
"""How long Spark may take to end politely."""
PATIENCE: Mapping[str, Any] = {"max_retries": 6, "initial_backoff": 100, "backoff_multiplier": 3, "max_backoff": 10_000}
"""For a Connect server that does not answer: 15 seconds, and not Spark's ten minutes."""

SQL = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which Spark, and what may be taken where we start it ourselves."""

    master: str
    memory: str  #: of the JVM that is started here
    workers: int

    @property
    def is_local(self) -> bool:
        return self.master.startswith("local")


@dataclass(frozen=True, slots=True)
class Opened:
    session: SparkSession
    folder: Path  #: what Spark spills here, and what it has to say
    is_gone: Callable[[], bool]  #: has Spark ended without being asked to?


Session: TypeAlias = tuple[SparkSession, Callable[[], bool]]


@contextmanager
def session_at(place: Place, folder: Path) -> Iterator[Opened]:
    """A session until the block ends. `folder` takes what Spark spills here and what it has to say."""
    _look_for(place.master)
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    warnings.filterwarnings("ignore", r"\[RETRIES_EXCEEDED\]")
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    logging.getLogger().addFilter(_is_not_py4j)  # some of it goes there
    opened = _connected if place.master.startswith("sc://") else _launched
    with opened(place, folder) as (session, is_gone):
        yield Opened(session, folder, is_gone)


def _is_not_py4j(record: logging.LogRecord) -> bool:
    """What goes wrong there is raised too, and said once, by us."""
    return Path(record.pathname).parent.name != "py4j"


def _look_for(master: str) -> None:
    """Spark itself would try for minutes."""
    found = _ADDRESS.match(master)
    if found is None:
        return
    wrong: OSError | ValueError | None = None
    for address in found[1].split(","):
        host, _, port = address.rpartition(":") if ":" in address else (address, "", str(CONNECT_PORT))
        try:
            socket.create_connection((host.strip("[]"), int(port)), ANSWER_S).close()
        except (OSError, ValueError) as broken:
            wrong = broken
        else:
            return
    raise UnsuitableError(f"Spark does not answer at {found[0]} ({wrong}). Start it, or mend HARKEN_SPARK_MASTER.")


def _is_silent(master: str) -> bool:
    try:
        _look_for(master)
    except UnsuitableError:
        return True
    return False


@contextmanager
def _connected(place: Place, folder: Path) -> Iterator[Session]:
    from pyspark.sql.connect.client.retries import DefaultPolicy  # noqa: PLC0415  needs grpc, which others do not
    from pyspark.sql.connect.session import SparkSession as Connected  # noqa: PLC0415  as above

    session: Any = Connected(place.master)
    try:
        session.client.set_retry_policies([DefaultPolicy(**PATIENCE)])
        for name, value in SQL.items():
            session.conf.set(name, value)
    except Exception as wrong:
        raise _refused(place, wrong) from wrong
    try:
        yield session, partial(_is_silent, place.master)
    finally:
        ended = Thread(target=_quietly, args=(session.stop,), daemon=True)
        ended.start()
        ended.join(END_S)


@contextmanager
def _launched(place: Place, folder: Path) -> Iterator[Session]:
    for name in ("PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON"):
        os.environ.setdefault(name, sys.executable)  # noqa: TID251  Spark asks nowhere else
    heard = signal.getsignal(signal.SIGINT)
    said = folder / "spark.log"
    launch: Callable[..., Any] = java_gateway.launch_gateway
    conf = SparkConf(loadDefaults=False).setAll(list(_settings(place, folder).items()))
    with said.open("wb") as log:
        try:
            # In a session of its own: Ctrl-C is for us, and we end it.
            gateway = launch(conf, {"stdout": log, "stderr": log, "start_new_session": True})
        except PySparkRuntimeError as wrong:
            raise _did_not_start(said.read_text(errors="replace")) from wrong
    session = None
    try:
        try:
            session = SparkSession(SparkContext(conf=conf, gateway=gateway))
        except (Py4JError, PySparkException) as wrong:
            raise _refused(place, wrong) from wrong
        finally:
            signal.signal(signal.SIGINT, heard)  # Spark takes it for itself
        yield session, partial(_has_ended, gateway.proc)
    finally:
        _end(session, gateway)


def _has_ended(process: subprocess.Popen[bytes] | None) -> bool:
    if process is None:
        return False
    with suppress(subprocess.TimeoutExpired):
        process.wait(A_MOMENT_S)
    return process.returncode is not None


def _settings(place: Place, folder: Path) -> Mapping[str, str]:
    ours = {
        "spark.master": place.master,
        "spark.app.name": "harken",
        "spark.driver.memory": place.memory,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "WARN",
        **SQL,
    }
    if not place.is_local:
        return ours
    return ours | {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder),
        "spark.sql.shuffle.partitions": str(2 * place.workers),
    }


def _did_not_start(log: str) -> UnsuitableError:
    told = _TOLD.search(log)
    return UnsuitableError(f"Spark did not start: {told[1].strip()}. Nothing was changed." if told else NO_JAVA)


def _refused(place: Place, wrong: Exception) -> UnsuitableError:
    said = [line.strip() for line in str(wrong).splitlines() if line.strip()]
    cause = next((line for line in said if "Exception: " in line), said[0] if said else type(wrong).__name__)
    return UnsuitableError(f"Spark at {place.master.partition(';')[0]} refused: {cause.rpartition('Exception: ')[2]}")


def _end(session: SparkSession | None, gateway: Any) -> None:
    """Politely, for a while. On a thread of its own: where Ctrl-C cut a call short, this one's line is out of step."""
    if session is not None:
        stopped = Thread(target=_quietly, args=(session.stop,), daemon=True)
        stopped.start()
        stopped.join(END_S)
    _quietly(gateway.shutdown)
    SparkContext._gateway = SparkContext._jvm = None  # the next session starts a JVM of its own
    if gateway.proc is None:
        return
    gateway.proc.stdin.close()
    gateway.proc.terminate()
    try:
        gateway.proc.wait(END_S)
    except subprocess.TimeoutExpired:
        gateway.proc.kill()
        gateway.proc.wait()


def _quietly(end: Any) -> None:
    """What is gone already need not be stopped."""
    with warnings.catch_warnings(), suppress(Py4JError, PySparkException, OSError):
        warnings.simplefilter("ignore")
        end()
