"""A file -> drafts, or why not: the sentence of this package."""

from collections.abc import Iterable, Iterator, MutableMapping
from pathlib import Path

from harken.domain.document import Draft, Said, Unreadable
from harken.knowledge.reading import files, front, markdown, objects, plain, tables
from harken.knowledge.reading.apart import Apart
from harken.knowledge.reading.limits import HTML_BYTES
from harken.knowledge.reading.page import CannotReadError, Page, Row, drafted, stable_hash

SUFFIXES = (".md", ".markdown", ".txt", ".html", ".htm", ".pdf", ".json", ".jsonl", ".csv")
NOTHING = Said()


def read(path: Path, root: Path, apart: Apart, given: Said = NOTHING) -> Iterator[Draft | Unreadable]:
    """Every document of the file, in its order. `given` is what the command says of it: `said.agreed` says who wins.

    A document is named by its own id, else by its path below `root`. A hidden file of another kind yields nothing.
    """
    source = path.relative_to(root).as_posix() if path.is_relative_to(root) and path != root else path.name
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES and path.name.startswith(".") and path != root:
        return
    try:
        files.look(path, root)
        if suffix not in SUFFIXES:
            raise CannotReadError(f"is not one of: {' '.join(SUFFIXES)}")
        line = None
        for line, page in _pages(files.content(path), suffix, source, apart):
            yield _draft(page, source, line, given)
        if line is None:
            raise CannotReadError("has no documents in it")
    except CannotReadError as why:
        yield Unreadable(source=source, reason=str(why))


def once(found: Iterable[Draft | Unreadable], seen: MutableMapping[str, str]) -> Iterator[Draft | Unreadable]:
    """The second of two documents with one id is unreadable. `seen` (id -> source) grows over the files of a run."""
    for each in found:
        if isinstance(each, Draft) and each.document_id in seen:
            yield Unreadable(source=each.source, reason=f"has the same id as a document in {seen[each.document_id]}")
            continue
        if isinstance(each, Draft):
            seen[each.document_id] = each.source
        yield each


def _draft(page: Page | CannotReadError, source: str, line: int, given: Said) -> Draft | Unreadable:
    """`line` 0: the page is the whole file."""
    place = f"{source}:{line}" if line else source
    try:
        if isinstance(page, CannotReadError):
            raise page
        path = f"{source}#{stable_hash(page.fields.get('title') or page.text)}" if line else source
        return drafted(page, path=path, source=place, given=given)
    except CannotReadError as why:
        return Unreadable(source=place, reason=str(why))


def _pages(raw: bytes, suffix: str, source: str, apart: Apart) -> Iterator[Row]:
    match suffix:
        case ".pdf":
            yield 0, apart.pdf(_filled(raw))
        case ".html" | ".htm":
            if len(raw) > HTML_BYTES:
                raise CannotReadError(f"is larger than {HTML_BYTES // 1_000_000} MB")
            yield 0, apart.html(plain.decoded(raw))
        case ".csv":
            yield from tables.rows(raw, source)
        case ".json":
            text = plain.decoded(raw)
            single = objects.document(text)
            yield from [(0, single)] if single else objects.items(text)
        case ".jsonl":
            yield from objects.lines(plain.decoded(raw))
        case _:
            yield 0, _text(plain.decoded(raw), suffix)


def _text(text: str, suffix: str) -> Page:
    fields, body = front.split(text)
    if suffix == ".txt":
        return Page(text=body.strip(), fields=fields)
    words, headings = markdown.plain(body)
    return Page(text=words, headings=headings, fields=fields)


def _filled(raw: bytes) -> bytes:
    if not raw:
        raise CannotReadError("is empty")
    return raw
