"""Who made what public, and the versions that an approval is made from and taken back to. The librarian's alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from harken.domain.document import Scope
from harken.kit import db, sql
from harken.knowledge.rights import scope_of

q = sql.queries(__package__)

_PLAIN = ("document_id", "version", "collection", "file", "source", "title", "owner", "language", "effective_from", "effective_to", "text", "redacted", "subject", "valid_from")  # fmt: skip


class Piece(NamedTuple):
    """A passage of a version: `text[start:end]`, below `heading`."""

    heading: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A version as it is kept."""

    number: int
    document_id: str
    version: int
    scope: Scope
    collection: str
    file: str
    source: str
    title: str
    owner: str
    language: str
    effective_from: datetime | None
    effective_to: datetime | None
    fingerprint: bytes
    content: bytes
    text: str
    redacted: int
    subject: str | None
    valid_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Who says so, when, and by which rule; empty: by hand."""

    public: bool
    who: str
    rule: str
    at: datetime


def standing(tx: db.Tx, ids: Sequence[str]) -> dict[str, bytes]:
    """What was approved of these documents and not taken back: document id -> what it said."""
    return {row["document_id"]: bytes(row["content"]) for row in db.rows(tx, q.standing, ids=ids)}


def record(tx: db.Tx, word: Word, made: Sequence[tuple[str, int, bytes]]) -> None:
    """`made`: (document id, version, content) that follow from it."""
    values = {
        "ids": [each for each, *_ in made],
        "versions": [version for _, version, _ in made],
        "contents": [content for *_, content in made],
    }
    tx.execute(q.record, {"public": word.public, "who": word.who, "rule": word.rule, "at": word.at, **values})


def newest(tx: db.Tx) -> int:
    """The highest number of a version."""
    found = db.row(tx, q.newest)
    assert found is not None
    return int(found["number"])


def answers(tx: db.Tx, ids: Sequence[str]) -> list[Kept]:
    """The versions of these documents that serve now."""
    return [_kept(row) for row in db.rows(tx, q.answers, ids=ids)]


def page_of_answers(tx: db.Tx, after: int, upto: int, most: int) -> list[tuple[str, int]]:
    """(document id, number) of what people answered, in order of number."""
    found = db.rows(tx, q.page_of_answers, after=after, upto=upto, most=most)
    return [(row["document_id"], row["no"]) for row in found]


def before_approval(tx: db.Tx, approved: Iterable[Kept]) -> dict[str, Kept]:
    """Each document as it was before it was made public."""
    some = list(approved)
    ids, contents = [each.document_id for each in some], [each.content for each in some]
    return {row["document_id"]: _kept(row) for row in db.rows(tx, q.before_approval, ids=ids, contents=contents)}


def pieces(tx: db.Tx, numbers: Sequence[int]) -> dict[int, list[Piece]]:
    """Version -> its passages, in order."""
    found: dict[int, list[Piece]] = {number: [] for number in numbers}
    for row in db.rows(tx, q.pieces, documents=numbers):
        found[row["document"]].append(Piece(row["heading"], row["starts"], row["ends"]))
    return found


def _kept(row: db.Row) -> Kept:
    return Kept(
        number=row["no"],
        scope=scope_of(row),
        fingerprint=bytes(row["fingerprint"]),
        content=bytes(row["content"]),
        **{name: row[name] for name in _PLAIN},
    )
