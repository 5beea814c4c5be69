"""A path -> a stream of bytes, or one clear line why it cannot be read."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from harken.errors import UnsuitableError

HEAD_BYTES = 1 << 16
"""What is looked at before a file is believed to be text."""

_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a text file from its beginning, unzipped, without a byte order mark."""
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == _GZIP
            raw.seek(0)
            stream = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if zipped else raw
            stream.seek(_start_of_text(path, stream.read(HEAD_BYTES)))
            yield stream
    except FileNotFoundError as wrong:
        raise UnsuitableError(f"{path} does not exist.") from wrong
    except IsADirectoryError as wrong:
        raise UnsuitableError(f"{path} is a folder; name a file.") from wrong
    except PermissionError as wrong:
        raise UnsuitableError(f"{path} may not be read by this user.") from wrong
    except (EOFError, zlib.error, OSError) as wrong:
        raise UnsuitableError(f"{path} cannot be read to its end: {wrong}.") from wrong


def _start_of_text(path: Path, head: bytes) -> int:
    """Bytes to skip before the text; refuses what is not text."""
    if not head.strip(_BOM + b" \t\r\n"):
        raise UnsuitableError(f"{path} is empty.")
    if head.startswith(_UTF16):
        raise UnsuitableError(f"{path} is UTF-16: save it as UTF-8.")
    if b"\0" in head:
        raise UnsuitableError(f"{path} is a binary file, not text.")
    return len(_BOM) if head.startswith(_BOM) else 0
