"""Records of answers in PostgreSQL: manifests as they are, and what they name sealed with the customer's key."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from harken.kit import db, sql
from harken.privacy.keys import WrongKeyError
from harken.privacy.ring import KeyRing
from harken.privacy.sealing import Body, ErasedError

q = sql.queries(__package__)

PURPOSE = "record"
DIGEST_DIGITS = 32
"""Hexadecimal, of a keyed digest."""
PAGE = 500


class Owner(NamedTuple):
    """Whose record it is: the subject and its wrapped key."""

    subject: str
    wrapped: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """`event` is the audit's event that holds the id."""

    id: str
    ticket: str
    at: datetime
    event: int
    manifest: str


def digest(ring: KeyRing, owner: Owner, text: str) -> str:
    """Nobody can make it again, or try what it was, once the subject's key was destroyed."""
    return ring.fingerprint(*owner, PURPOSE, text.encode("ascii")).hex()


def keep_blobs(tx: db.Tx, ring: KeyRing, owner: Owner, texts: Mapping[str, str]) -> None:
    """Digest -> text, sealed."""
    digests = sorted(
        texts
    )  # in one order for all, so that two who keep the same wait for each other and never in a circle
    sealed = [ring.seal(*owner, _place(owner.subject, each), Body(texts[each])) for each in digests]
    tx.execute(q.keep_blobs, {"subject": owner.subject, "digests": list(map(bytes.fromhex, digests)), "sealed": sealed})


def keep_texts(tx: db.Tx, texts: Mapping[str, str]) -> None:
    """SHA-256 (hexadecimal) -> an organisation's own text."""
    digests = sorted(texts)
    given = {"digests": list(map(bytes.fromhex, digests)), "contents": [texts[each] for each in digests]}
    tx.execute(q.keep_texts, given)


def is_kept(tx: db.Tx, record: str) -> bool:
    return db.row(tx, q.is_kept, id=record) is not None


def keep(tx: db.Tx, record: Record) -> None:
    given = {"id": record.id, "ticket": record.ticket, "at": record.at, "event": record.event}
    tx.execute(q.keep, {**given, "manifest": record.manifest})


def read(tx: db.Tx, record: str) -> Record | None:
    row = db.row(tx, q.read, id=record)
    return Record(**row) if row else None


def named(tx: db.Tx, beginning: str) -> list[str]:
    """Ids that begin so; two are enough to know that it is not one."""
    return [row["id"] for row in db.rows(tx, q.named, since=beginning, until=f"{beginning}g", most=2)]


def of_customers(tx: db.Tx, tokens: Sequence[str], since: datetime, until: datetime, most: int) -> list[Record]:
    """Answers to these customers, by when they were made."""
    given = {"tokens": list(tokens), "since": since, "until": until, "most": most}
    return [Record(**row) for row in db.rows(tx, q.of_customers, **given)]


def days_of(tx: db.Tx, tokens: Sequence[str], most: int) -> list[str]:
    """The last days (UTC) with an answer to these customers, newest first."""
    return [row["day"] for row in db.rows(tx, q.days_of, tokens=list(tokens), most=most)]


def ids(tx: db.Tx) -> Iterator[str]:
    """Of every record, oldest first."""
    at, last = datetime(1, 1, 1, tzinfo=UTC), ""
    while page := db.rows(tx, q.ids, after_at=at, after_id=last, most=PAGE):
        yield from (row["id"] for row in page)
        at, last = page[-1]["at"], page[-1]["id"]


def blobs(tx: db.Tx, ring: KeyRing, digests: Sequence[str]) -> dict[str, str]:
    """Digest -> text, opened. A digest that nothing is kept under is left out.

    Raises ErasedError where the customer's key was destroyed, WrongKeyError where a row is not as it was written.
    """
    found: dict[str, str] = {}
    for row in db.rows(tx, q.blobs, digests=[bytes.fromhex(each) for each in digests]):
        if row["wrapped"] is None:
            raise ErasedError
        owner, name = Owner(row["subject"], row["wrapped"]), row["digest"].hex()
        found[name] = ring.open(*owner, _place(owner.subject, name), row["sealed"]).text
        if digest(ring, owner, found[name]) != name:
            raise WrongKeyError
    return found


def owner(tx: db.Tx, name: str) -> Owner | None:
    """Whose a blob is, as long as their key is there."""
    rows = db.rows(tx, q.blobs, digests=[bytes.fromhex(name)])
    return Owner(rows[0]["subject"], rows[0]["wrapped"]) if rows and rows[0]["wrapped"] else None


def texts(tx: db.Tx, digests: Sequence[str]) -> dict[str, str]:
    rows = db.rows(tx, q.texts, digests=[bytes.fromhex(each) for each in digests])
    return {row["digest"].hex(): row["content"] for row in rows}


def _place(subject: str, name: str) -> str:
    """What a sealed text is bound to: no event's id has a space in it."""
    return f"record {name} {subject}"
