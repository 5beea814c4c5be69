"""Which code this is: the package's version, and one digest of all its files."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import harken

_READ = frozenset({".py", ".sql", ".toml", ".json"})


@dataclass(frozen=True, slots=True)
class Code:
    version: str
    sha256: str  #: of the names and contents of the package's files, hexadecimal


@cache
def code() -> Code:
    """Worked out once a process; line ends count as one."""
    folder = Path(harken.__file__).parent
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in _READ):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        whole.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content)
    return Code(harken.__version__, whole.hexdigest())
