"""`requirements-flink.txt` and a connector on Maven Central -> an environment in which Flink's commands and the job run."""

import hashlib
import os
import re
import shutil
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import start

ENGINES = Path(__file__).resolve().parent
ROOT = ENGINES.parent
REQUIREMENTS = ENGINES / "requirements-flink.txt"
FOLDER_SETTING, JAVA_FROM = "HARKEN_FLINK_ENVIRONMENT", 17
PYTHONS = ">=3.11,<3.13"  #: the ones that Flink has wheels for, of those that Harken runs on
MAVEN_CENTRAL = "https://repo.maven.apache.org/maven2"
CONNECTOR = "org/apache/flink/flink-sql-connector-kafka/5.0.0-2.2/flink-sql-connector-kafka-5.0.0-2.2.jar"
CONNECTOR_SHA256 = "5605c691d11a501382c383fecba37a7a552467da5ab7ba904ef5d6f3d62c5616"
PATIENCE_S = 120


class NotToBeHadError(Exception):
    """Flink cannot run here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Environment:
    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def flink_home(self) -> Path:
        return next(self.folder.glob("lib/python3*/site-packages/pyflink"))

    @property
    def connector(self) -> Path:
        return self.folder / Path(CONNECTOR).name

    def variables(self) -> dict[str, str]:
        """Flink's scripts and its workers take the first `python` of the PATH."""
        path = os.pathsep.join([str(self.folder / "bin"), os.environ.get("PATH", "")])
        return {**os.environ, "PATH": path, "FLINK_HOME": str(self.flink_home)}


def _usual_folder() -> Path:
    """Flink's own scripts cannot find themselves in a path with a blank."""
    beside = ROOT / ".venv-flink"
    return beside if " " not in str(beside) else Path.home() / ".cache" / "harken" / "flink"


def made() -> Environment:
    """In `.venv-flink` (for a clone whose path has a blank, in the home's cache), or where HARKEN_FLINK_ENVIRONMENT says; a minute the first time. Raises NotToBeHadError."""
    _check_java()
    environment = Environment(Path(os.environ.get(FOLDER_SETTING) or _usual_folder()).resolve())
    done = environment.folder / "made-from"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not done.exists() or done.read_text() != wanted:
        start.say(f"Setting up Flink in {environment.folder} (850 MB)")
        _install(environment)
        done.write_text(wanted)
    if not environment.connector.exists():
        _fetch(f"{MAVEN_CENTRAL}/{CONNECTOR}", environment.connector)
    return environment


def _check_java() -> None:
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if java is None:
        raise NotToBeHadError(f"Flink needs Java {JAVA_FROM}: none in JAVA_HOME or on the PATH.")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if version is None or int(version[1]) < JAVA_FROM:
        raise NotToBeHadError(f"Flink needs Java {JAVA_FROM}: {java} says {said.splitlines()[:1]}.")


def _install(environment: Environment) -> None:
    uv = start.find_uv()
    commands = (
        [uv, "venv", "--quiet", "--clear", "--python", PYTHONS, str(environment.folder)],
        [uv, "pip", "install", "--quiet", "--python", str(environment.python), "-r", str(REQUIREMENTS)],
    )
    for command in commands:
        if start.run(command, cwd=ROOT):
            raise NotToBeHadError("Flink's environment could not be set up; the lines above say why.")
    # A task manager that loads these classes once for each job cannot start Python a second time (FLINK-37727).
    for jar in environment.flink_home.glob("opt/flink-python-*.jar"):
        shutil.copy(jar, environment.flink_home / "lib")


def _fetch(url: str, path: Path) -> None:
    """Under its final name only when it is what was chosen."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            content = answer.read()
    except OSError as wrong:
        raise NotToBeHadError(f"The Kafka connector could not be fetched from {url}: {wrong}.") from None
    if hashlib.sha256(content).hexdigest() != CONNECTOR_SHA256:
        raise NotToBeHadError(f"{url} is not the file that was chosen: its SHA-256 differs. Nothing was kept.")
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.rename(path)
