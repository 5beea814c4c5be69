"""Spark: plans, and the pieces that other engines leave to processes of this machine, run on its executors."""

import errno
import pickle
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import narwhals as nw
import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from harken.adapters.frames.spark_session import Opened, Place, session_at
from harken.errors import HarkenError, TryAgainError, UnsuitableError
from harken.kit import ctrl_c
from harken.kit.spool import ROW_GROUP, spool_in

FIRST_ANSWER_S = 120.0
"""A cluster may have to make room before its first executor answers."""

_FULL = "No space left on device"
_MACHINE = re.compile(
    "Python worker exited unexpectedly|ExecutorLostFailure|OutOfMemoryError|executor lost|UNAVAILABLE"
)

Given = ParamSpec("Given")
Result = TypeVar("Result")


class Spark:
    name = "spark"

    def __init__(self, session: SparkSession) -> None:
        self._session = session

    def scan(self, path: Path) -> nw.LazyFrame[Any]:
        return nw.from_native(self._session.read.parquet(_address(path)))

    def write(self, frame: nw.LazyFrame[Any], path: Path) -> Path:
        """A folder: a file for each partition that has rows, by name in the order of the rows."""
        writer = frame.to_native().write.mode("overwrite").option("parquet.block.row.count.limit", ROW_GROUP)
        ctrl_c.is_heard()
        writer.parquet(_address(path, may_glob=False))
        return path

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        ctrl_c.is_heard()
        table: pa.Table = frame.to_native().toArrow()
        return table


def _address(path: Path, *, may_glob: bool = True) -> str:
    """Of a folder that the executors share, whatever else they take for their file system."""
    return "file://" + (re.sub(r"([\[\]{}*?\\,])", r"\\\1", str(path)) if may_glob else str(path))


class Cluster:
    """One Spark for all the batches of a process: started by the first that asks, ended when the block is left."""

    def __init__(self, home: Path, place: Place) -> None:
        self._home, self._place = home, place
        self._until_the_end = ExitStack()
        self._opened: Opened | None = None

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *how: object) -> None:
        self._end()

    def engine(self, folder: Path) -> Spark:
        assert self._opened, "no batch is under way"
        return Spark(self._opened.session)

    @contextmanager
    def executors(self) -> Iterator[Executor]:
        """Whoever does the pieces of a batch. Where the batch fails Spark is ended, and all that it was doing."""
        opened, is_new = self._started()
        threads = _Executors(opened.session, self._place.workers)
        try:
            with _in_plain_words(opened):
                if is_new and not self._place.is_local:
                    _meet(threads, opened.folder)
                yield threads
        except BaseException:
            self._end()
            raise
        finally:
            threads.shutdown(cancel_futures=True)

    def _started(self) -> tuple[Opened, bool]:
        if self._opened:
            return self._opened, False
        with ExitStack() as stack:
            folder = stack.enter_context(spool_in(self._home, "spark")).folder
            self._opened = stack.enter_context(session_at(self._place, folder))
            self._until_the_end = stack.pop_all()
        return self._opened, True

    def _end(self) -> None:
        self._opened = None
        self._until_the_end.close()


class _Executors(ThreadPoolExecutor):
    """A piece is a job of one task. The threads only wait for it; all but the answer stays with the executors."""

    def __init__(self, session: SparkSession, workers: int) -> None:
        super().__init__(workers, "piece")
        self._session = session

    def submit(self, work: Callable[Given, Result], /, *given: Given.args, **named: Given.kwargs) -> Future[Result]:
        return super().submit(self._answer, pickle.dumps(partial(work, *given, **named)))

    def _answer(self, piece: bytes) -> Any:
        job = self._session.range(0, 1, 1, 1).mapInArrow(partial(_do, piece), "answer binary")
        answer, refusal = pickle.loads(job.toArrow()["answer"][0].as_py())
        if refusal is not None:
            raise refusal
        return answer


def _do(piece: bytes, rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Runs on an executor. A bug is Spark's to try again and to report; a refusal is an answer."""
    for _ in rows:
        """Spark keeps a process for the next piece only where everything was read."""
    refusal, answer = None, None
    try:
        answer = pickle.loads(piece)()
    except (HarkenError, OSError) as refused:
        refusal = refused
    packed = pa.array([pickle.dumps((answer, refusal))], pa.binary())
    yield pa.RecordBatch.from_arrays([packed], names=["answer"])


def _meet(executors: Executor, folder: Path) -> None:
    """Before any work: somebody is there, has our code, and shares the folder."""
    mark = folder / "seen"
    try:
        executors.submit(Path.touch, mark).result(FIRST_ANSWER_S)
    except TimeoutError:
        raise UnsuitableError(
            f"No executor of Spark answered within {FIRST_ANSWER_S:.0f} s. Is there a free one?"
        ) from None
    except PySparkException as wrong:
        lines = [line for line in str(wrong).splitlines() if "Error: " in line] or str(wrong).splitlines()
        raise UnsuitableError(
            f"Spark's executors cannot work for us ({lines[-1].strip()}): they need Harken in this version, its extra "
            "spark, and this Python's version (PYSPARK_PYTHON)."
        ) from wrong
    except OSError:
        """As where it is somebody else's folder of the same name."""
    if not mark.exists():
        raise UnsuitableError(
            f"Spark's executors do not write to {folder.parent}: set HARKEN_HOME to a folder that they share with this "
            "machine, under the same path and user."
        )


@contextmanager
def _in_plain_words(opened: Opened) -> Iterator[None]:
    """Raises TryAgainError where the machine failed and OSError where its disk is full; what else it may be is our bug."""
    try:
        yield
    except HarkenError:
        raise
    except Exception as broken:
        is_gone = opened.is_gone()
        said = "" if is_gone else str(broken)  # Java has the words, while it lives
        if _FULL in said:
            raise OSError(errno.ENOSPC, _FULL, str(opened.folder)) from broken
        if is_gone or _MACHINE.search(said):
            raise TryAgainError(
                "Spark or one of its processes ended midway (killed, or out of memory?). What was committed is kept; run "
                "the same command again, with a larger HARKEN_SPARK_MEMORY where memory was short."
            ) from broken
        broken.add_note(said)
        raise
