"""A Spark for tests: one Java process, quick with a handful of rows."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from journey import desk_on

from harken.flow.desk import Desk

if TYPE_CHECKING:
    from harken.adapters.frames.on_spark import Cluster  # PySpark takes a second to import


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def defaults(folder: Path, more: Mapping[str, object] | None = None) -> Path:
    """A folder of settings for Spark: for a handful of rows nothing is worth planning twice or compiling."""
    quick = {
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    }
    folder.mkdir(exist_ok=True)
    lines = [f"{name} {value}\n" for name, value in {**quick, **(more or {})}.items()]
    (folder / "spark-defaults.conf").write_text("".join(lines))
    return folder


@contextmanager
def spark_desk(url: str, home: Path, cluster: "Cluster") -> Iterator[Desk]:
    with desk_on(url, home) as desk:
        yield replace(desk, engine=cluster.engine, engine_name="spark", executors=cluster.executors, workers=2)
