"""PDF -> the text of its pages and the title in its metadata."""

import io

from pypdf import PdfReader
from pypdf.errors import DependencyError, LimitReachedError, PyPdfError

from harken.knowledge.reading.limits import PDF_PAGES, TEXT_CHARACTERS
from harken.knowledge.reading.page import CannotReadError, Page
from harken.knowledge.reading.plain import seen

BROKEN = (
    PyPdfError,
    DependencyError,
    LookupError,
    ArithmeticError,
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
    NotImplementedError,
    OSError,
)
"""What the parser raises over a broken file."""


def page(raw: bytes) -> Page:
    """Pages are parted by a blank line. Raises CannotReadError: encrypted, broken, too long, or pictures of pages."""
    if b"%PDF-" not in raw[:1024]:
        raise CannotReadError("is not a PDF, whatever its name says")
    try:
        return _page(PdfReader(io.BytesIO(raw)))
    except LimitReachedError:
        raise CannotReadError("has a part that unpacks to more than is safe") from None
    except BROKEN:
        raise CannotReadError("is a broken PDF") from None


def _page(reader: PdfReader) -> Page:
    # An empty password is how a PDF says "look, but do not print": every viewer opens it.
    if reader.is_encrypted and not reader.decrypt(""):
        raise CannotReadError("is encrypted: save it without a password first")
    if len(reader.pages) > PDF_PAGES:
        raise CannotReadError(f"has more than {PDF_PAGES:,} pages: split it")
    texts: list[str] = []
    length = 0
    for leaf in reader.pages:
        texts.append(seen(leaf.extract_text()).strip())
        length += len(texts[-1])
        if length > TEXT_CHARACTERS:
            raise CannotReadError(f"has more than {TEXT_CHARACTERS:,} characters: split it")
    if not length:
        raise CannotReadError("has no text: scanned pages need OCR first")
    title = reader.metadata.title if reader.metadata else None
    return Page(text="\n\n".join(filter(None, texts)), title=seen(title or ""))
