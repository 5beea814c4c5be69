"""Files that the tests make to be read: pages, PDFs written by hand, and those that mean harm; and what is read of them."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from harken.domain.document import Draft, Said, Unreadable
from harken.knowledge.reading import files
from harken.knowledge.reading.apart import Apart
from harken.knowledge.reading.read import NOTHING, once, read


def all_of(paths: Sequence[Path], apart: Apart, given: Said = NOTHING) -> list[Draft | Unreadable]:
    """As a run reads them: walked, read, and no id twice."""
    seen: dict[str, str] = {}
    return [each for root, file in files.walk(paths) for each in once(read(file, root, apart, given), seen)]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def pdf(pages: Iterable[bytes], *, title: str = "", ballast: bytes = b"") -> bytes:
    """A PDF of content streams, each packed; `ballast` is an image that no page shows."""
    streams = [zlib.compress(page, 1) for page in pages]
    first = 5
    kids = " ".join(f"{first + 2 * n} 0 R" for n in range(len(streams)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Title (%s) >>" % title.encode(),
    ]
    for n, stream in enumerate(streams):
        about = f"/Parent 2 0 R /MediaBox [0 0 612 792] /Contents {first + 2 * n + 1} 0 R"
        objects.append(f"<< /Type /Page {about} /Resources << /Font << /F1 3 0 R >> >> >>".encode())
        objects.append(b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    if ballast:
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(ballast), ballast))
    return _assembled(objects)


def _assembled(objects: Sequence[bytes]) -> bytes:
    parts, places, at = [b"%PDF-1.4\n"], [], 9
    for number, inner in enumerate(objects, 1):
        places.append(at)
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, inner))
        at += len(parts[-1])
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, rows))
    parts.append(b"trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, at))
    return b"".join(parts)


def shown(words: str) -> bytes:
    """A content stream that shows these words."""
    return f"BT /F1 12 Tf 72 700 Td ({words}) Tj ET".encode()


def encrypted(path: Path, password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(path))
    writer.encrypt(user_password=password, owner_password="the owner's", algorithm="AES-256")
    with path.open("wb") as file:
        writer.write(file)
    return path.read_bytes()


@pytest.fixture(scope="module", name="apart")
def one_apart() -> Iterator[Apart]:
    with Apart() as one:
        yield one


def draft(path: Path, apart: Apart, given: Said = NOTHING) -> Draft:
    [found] = read(path, path.parent, apart, given)
    assert isinstance(found, Draft), found
    return found


def reason(path: Path, apart: Apart) -> str:
    [found] = read(path, path.parent, apart)
    assert isinstance(found, Unreadable), found.document_id
    return found.reason


def titles(found: Draft) -> list[tuple[int, str]]:
    """Level and words, after a look that each stands where it says."""
    for heading in found.headings:
        line = found.text[heading.start :].partition("\n")[0]
        assert line == heading.title
        assert heading.start == 0 or found.text[heading.start - 1] == "\n"
    return [(heading.level, heading.title) for heading in found.headings]
