"""A real Kafka broker for tests and for a try: one KRaft node on the loopback address, with nothing installed but Java and Maven.

python tests/kafka_broker.py [FOLDER]      prints the bootstrap address and serves until Ctrl-C; FOLDER keeps the topics
"""

import atexit
import base64
import ctypes
import hashlib
import itertools
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POM = Path(__file__).with_name("kafka_jars") / "pom.xml"
CHECKSUMS = POM.with_name("sha256.txt")
JARS_SETTING = "HARKEN_KAFKA_JARS"
"""A folder to keep the jars in, or one that has them already. Where Maven fetches from is said in Maven's own settings."""

COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
JAVA_FROM, HEAP_MB, READY_S, STOP_S = 17, 384, 120, 30
CLUSTER = base64.urlsafe_b64encode(b"harken-tests-kaf").decode().rstrip("=")
SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=2097152
"""


class NotToBeHadError(Exception):
    """There is no Kafka on this machine; the message says what is missing."""


def java() -> str:
    """The Java of JAVA_HOME or of the PATH. Raises NotToBeHadError when there is none, or an old one."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if found is None:
        raise NotToBeHadError(f"Kafka needs Java {JAVA_FROM} or later: none in JAVA_HOME or on the PATH.")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if version is None or int(version[1]) < JAVA_FROM:
        raise NotToBeHadError(f"Kafka needs Java {JAVA_FROM} or later: {found} says {said.splitlines()[:1]}.")
    return found


def jars() -> Path:
    """A folder with exactly the jars of sha256.txt, fetched by Maven the first time. Raises NotToBeHadError."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "harken-tests"
    named = hashlib.sha256(CHECKSUMS.read_bytes()).hexdigest()[:12]
    folder = Path(os.environ.get(JARS_SETTING) or cache / f"kafka-{named}")
    if not folder.is_dir():
        _fetch(folder)
    _check(folder)
    return folder


def _fetch(folder: Path) -> None:
    """All of them at once under their final name, or none."""
    if (maven := shutil.which("mvn")) is None:
        raise NotToBeHadError(
            f"Kafka's jars are not in {folder}, and there is no Maven (mvn) on the PATH to fetch them."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kafka-", dir=folder.parent) as work:
        fetched = Path(work) / "jars"
        command = [maven, "-B", "-q", "-C", "-f", str(POM), COPY, "-DincludeScope=runtime"]
        done = subprocess.run(
            [*command, f"-DoutputDirectory={fetched}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line] or ["nothing"]
            raise NotToBeHadError(f"Maven could not fetch Kafka's jars. It says: {said[0][:300]}")
        _check(fetched)
        try:
            fetched.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was first, with the same
                raise


def _check(folder: Path) -> None:
    """A jar that is not what it was when it was chosen is not run."""
    wanted = {name: digest for digest, name in map(str.split, CHECKSUMS.read_text().splitlines())}
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in folder.glob("*.jar")}
    for name in sorted(wanted.keys() | found.keys()):
        if found.get(name) != wanted.get(name):
            wrong = (
                "is missing, which is in"
                if name not in found
                else "is not named in"
                if name not in wanted
                else "differs from"
            )
            raise ValueError(
                f"{folder / name} {wrong} {CHECKSUMS.name}: nothing was started. Remove {folder} to fetch anew."
            )


class Broker:
    """One node, with its address and topics in `folder`: start, stop, kill and start again. A context manager that stops."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, self._controller = itertools.islice(_free_ports(), 2)
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._java = [java(), "-Xms64m", f"-Xmx{HEAP_MB}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        self._java += ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{jars()}/*"]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the broker is not running"
        return self._process.pid

    def start(self) -> "Broker":
        """Returns when the broker answers. Raises RuntimeError with the end of its log when it does not."""
        settings = self.folder / "server.properties"
        self.folder.mkdir(parents=True, exist_ok=True)
        settings.write_text(SETTINGS.format(port=self.port, controller=self._controller, folder=self.folder))
        with (self.folder / "broker.log").open("ab") as log:
            if not (self.folder / "data" / "meta.properties").exists():
                tool = ["kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(settings), "--standalone"]
                subprocess.run([*self._java, *tool], stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)
            held = [sys.executable, __file__, "--until-gone", str(os.getpid())]
            command = [*held, *self._java, "kafka.Kafka", str(settings)]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        atexit.register(self.kill)
        self._wait_until_it_answers()
        return self

    def _wait_until_it_answers(self) -> None:
        last = time.monotonic() + READY_S
        while not self._answers():
            if self._process is None or self._process.poll() is not None or time.monotonic() > last:
                said = (self.folder / "broker.log").read_text(errors="replace")[-2_000:]
                self.kill()
                raise RuntimeError(f"Kafka did not start in {self.folder}. Its log ends:\n{said}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        """The oldest request there is, ApiVersions v0, which a broker answers once it serves."""
        request = struct.pack(">hhih", 18, 0, 7, -1)
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(struct.pack(">i", len(request)) + request)
                return connection.recv(8)[4:] == struct.pack(">i", 7)
        except OSError:
            return False

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        atexit.unregister(self.kill)

    def __enter__(self) -> "Broker":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


@contextmanager
def serving(folder: Path | None = None) -> Iterator[Broker]:
    """A broker on storage of its own, removed afterwards, or in the folder that is given."""
    if folder is not None:
        with Broker(folder.resolve()) as broker:
            yield broker
        return
    with tempfile.TemporaryDirectory(prefix="harken-kafka-") as made, Broker(Path(made)) as broker:
        yield broker


def _free_ports() -> Iterator[int]:
    """Below the ports that systems give to clients: one of those, trying again and again, would end up talking to itself."""
    first = 20_000 + os.getpid() * 40 % 8_000
    for port in itertools.chain(range(first, 30_000), range(20_000, first)):
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
        yield port


def _until_gone(parent: int, command: list[str]) -> None:
    """Become `command`, which Linux kills when whoever started it is gone, killed with -9 included."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
        if os.getppid() != parent:
            return
    os.execv(command[0], command)


def main() -> None:
    if sys.argv[1:2] == ["--until-gone"]:
        return _until_gone(int(sys.argv[2]), sys.argv[3:])
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with serving(Path(sys.argv[1]) if sys.argv[1:] else None) as broker:
            print(broker.bootstrap, flush=True)  # noqa: T201  whoever started it waits for this
            signal.pause()
    except KeyboardInterrupt:
        return None
    except (NotToBeHadError, RuntimeError, ValueError) as wrong:
        sys.exit(str(wrong))


if __name__ == "__main__":
    main()
