"""CSV of questions and answers, or of tickets -> pages, one row at a time."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from harken.domain.document import DocumentClass, Heading, Visibility
from harken.knowledge.reading import said
from harken.knowledge.reading.limits import FILE_BYTES
from harken.knowledge.reading.page import CannotReadError, Page, Row, stable_hash
from harken.knowledge.reading.plain import encoding_of, seen

TICKET_ID = ("ticket_id", "id")
PROBLEM = ("description", "body")
SOLUTION = ("resolution", "answer")
DELIMITERS = ",;\t"

Cells: TypeAlias = Mapping[str, str]
Kind: TypeAlias = Callable[[Cells, str], Page]


def rows(raw: bytes, path: str) -> Iterator[Row]:
    """Raises CannotReadError where the header is neither of the two. A broken row does not spoil the next."""
    codec = encoding_of(raw)
    csv.field_size_limit(FILE_BYTES)  # Python's own is 131,072 characters a cell; it holds for the whole process
    with io.TextIOWrapper(io.BytesIO(raw), codec, newline="") as text:
        delimiter = max(DELIMITERS, key=text.readline().count)
        text.seek(0)
        table = _lines(text, delimiter)
        header = _header(next(table, (1, []))[1])
        kind = _kind(header)
        pages = ((line, _attempt(kind, header, cells, path)) for line, cells in table if _says_something(cells))
        yield from _apart(pages) if kind is _question else pages


def _says_something(cells: list[str] | CannotReadError) -> bool:
    return isinstance(cells, CannotReadError) or any(map(str.strip, cells))


def _apart(pages: Iterable[Row]) -> Iterator[Row]:
    """Lists of questions repeat themselves: the same answer once more is left out, another one is a document of its own."""
    answers: dict[str, set[str]] = {}
    for line, page in pages:
        kept = page
        if isinstance(page, Page):
            known, answer = answers.setdefault(page.fields["id"], set()), stable_hash(page.text)
            if answer in known:
                continue
            if known:
                kept = replace(page, fields={**page.fields, "id": f"{page.fields['id']}-{answer}"})
            known.add(answer)
        yield line, kept


def _lines(text: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str] | CannotReadError]]:
    """Strict: without it, one quote too many swallows the rest of the file as one cell."""
    table = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        first = table.line_num + 1
        try:
            yield first, next(table)
        except StopIteration:
            return
        except csv.Error:
            yield first, CannotReadError("has a quote that is not closed, or is closed in the middle of a cell")


def _header(cells: list[str] | CannotReadError) -> list[str]:
    if isinstance(cells, CannotReadError):
        raise cells
    names = [said.key(seen(name)) for name in cells]
    if len(named := list(filter(None, names))) != len(set(named)):
        raise CannotReadError("has two columns of the same name")
    return names


def _kind(header: list[str]) -> Kind:
    known = set(header)
    if known & set(PROBLEM) and known & set(SOLUTION):
        return _ticket
    if {"question", "answer"} <= known:
        return _question
    raise CannotReadError("has no columns `question` and `answer`, nor `description` and `resolution` as tickets have")


def _attempt(kind: Kind, header: list[str], cells: list[str] | CannotReadError, path: str) -> Page | CannotReadError:
    if isinstance(cells, CannotReadError):
        return cells
    if len(cells) != len(header):
        return CannotReadError(f"has {len(cells)} cells, and the header {len(header)}")
    try:
        return kind({name: seen(cell).strip() for name, cell in zip(header, cells, strict=True)}, path)
    except CannotReadError as why:
        return why


def _question(cells: Cells, path: str) -> Page:
    question, answer = cells["question"], cells["answer"]
    if not (question and answer):
        raise CannotReadError("has no question or no answer")
    about = cells.get("class", "")
    return Page(
        text=f"{question}\n\n{answer}",
        headings=(Heading(start=0, level=1, title=about),) if about else (),
        fields=_said(cells, "class") | {"id": f"{path}#{stable_hash(question)}", "title": question},
    )


def _ticket(cells: Cells, path: str) -> Page:
    """Never for customers: it is one customer's story, told to us."""
    problem, solution = (_unescaped(_first(cells, names)) for names in (PROBLEM, SOLUTION))
    if not (problem and solution):
        raise CannotReadError("has no problem or no solution")
    subject = cells.get("subject", "")
    fields = _said(cells, "class", "visibility") | {
        "id": _first(cells, TICKET_ID) or f"{path}#{stable_hash(subject, problem)}",
        "title": subject or problem.partition("\n")[0],
        "class": DocumentClass.SUPPORT_LOG,
        "visibility": _at_least_internal(cells.get("visibility", "")),
    }
    if resolved := cells.get("resolved_at"):
        fields["effective_from"] = _resolved(resolved)
    return Page(text="\n\n".join(filter(None, (subject, problem, solution))), fields=fields)


def _resolved(moment: str) -> str:
    try:
        datetime.fromisoformat(moment)
    except ValueError:
        raise CannotReadError("its `resolved_at` is not a time of ISO 8601, such as 2026-01-31 09:30") from None
    return moment


def _at_least_internal(word: str) -> str:
    internal = Visibility.INTERNAL.name.lower()
    return internal if said.key(word) in ("", Visibility.PUBLIC.name.lower()) else word


def _said(cells: Cells, *but: str) -> dict[str, str]:
    return {name: cells[name] for name in said.KEYS if name not in but and cells.get(name)}


def _first(cells: Cells, names: tuple[str, ...]) -> str:
    return next((cells[name] for name in names if cells.get(name)), "")


def _unescaped(cell: str) -> str:
    """Some ticket systems export a line break as the two characters `\\n`."""
    return cell if "\n" in cell else cell.replace("\\r", "").replace("\\n", "\n").strip()
