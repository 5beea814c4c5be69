"""An environment -> a Flink cluster on this machine: one job manager and as many task managers as asked for."""

import json
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engines.environment import Environment

READY_S, STOP_S, LOOK_AGAIN_S = 120, 30, 0.2
MEMORY = {"jobmanager.memory.process.size": "1024m", "taskmanager.memory.process.size": "1536m"}


class Cluster:
    """Bound to the loopback address; working files and logs are in `folder`."""

    def __init__(self, environment: Environment, folder: Path, slots: int) -> None:
        self._environment, self._folder = environment, folder
        self.task_managers: list[subprocess.Popen[bytes]] = []
        self._all: list[subprocess.Popen[bytes]] = []
        self._settings = {
            **MEMORY,
            "jobmanager.rpc.port": free_port(),
            "rest.port": (port := free_port()),
            "rest.bind-port": port,
            "rest.bind-address": "localhost",  # Flink's default is every address, and whoever reaches it runs code
            "taskmanager.numberOfTaskSlots": slots,
            "io.tmp.dirs": folder / "tmp",
        }
        self.address = f"localhost:{port}"

    def start(self, task_managers: int) -> None:
        """Returns when they are all registered. Raises RuntimeError where they are not."""
        (self._folder / "tmp").mkdir(parents=True, exist_ok=True)
        self._launch("jobmanager.sh")
        for _ in range(task_managers):
            self.add_task_manager()
        last = time.monotonic() + READY_S
        while self._registered() < task_managers:
            if time.monotonic() > last or any(process.poll() is not None for process in self._all):
                raise RuntimeError(f"Flink did not start: see the logs in {self._folder}.")
            time.sleep(LOOK_AGAIN_S)

    def add_task_manager(self) -> subprocess.Popen[bytes]:
        process = self._launch("taskmanager.sh")
        self.task_managers.append(process)
        return process

    def _launch(self, script: str) -> subprocess.Popen[bytes]:
        words = [part for name, value in self._settings.items() for part in ("-D", f"{name}={value}")]
        command = [str(self._environment.flink_home / "bin" / script), "start-foreground", *words]
        own = {"FLINK_LOG_DIR": str(self._folder), "FLINK_PID_DIR": str(self._folder)}
        with (self._folder / f"{script}-{len(self._all)}.out").open("wb") as out:
            process = subprocess.Popen(
                command, env=self._environment.variables() | own, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        self._all.append(process)
        return process

    def _registered(self) -> int:
        try:
            return int(self.ask("overview")["taskmanagers"])
        except OSError:
            return 0

    def ask(self, path: str) -> Any:
        """What the job manager answers over HTTP."""
        with urllib.request.urlopen(f"http://{self.address}/{path}", timeout=READY_S) as answer:
            return json.load(answer)

    def stop(self) -> None:
        for process in reversed(self._all):
            process.send_signal(signal.SIGTERM)
        for process in self._all:
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def running(environment: Environment, folder: Path, *, task_managers: int = 1, slots: int = 2) -> Iterator[Cluster]:
    cluster = Cluster(environment, folder, slots)
    try:
        cluster.start(task_managers)
        yield cluster
    finally:
        cluster.stop()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
