"""Documents in the database: versions that only grow, files as they were last read, and what was set aside."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from harken.domain.document import DocumentClass, Risk, Scope, Unreadable, Visibility
from harken.kit import db, sql
from harken.knowledge.rights import scope_of

q = sql.queries(__package__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a version, ready to be kept."""

    heading: str
    text: str
    start: int
    end: int
    tokens: int
    terms: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A document, ready to be kept: its personal data is tokens."""

    document_id: str
    scope: Scope
    file: str
    source: str
    title: str
    owner: str
    language: str
    effective_from: datetime | None
    effective_to: datetime | None
    fingerprint: bytes
    content: bytes  #: what an approval holds for: see `describing.content`
    text: str
    redacted: int
    subject: str | None
    passages: Sequence[Passage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """The version that serves now."""

    number: int
    version: int
    fingerprint: bytes
    collection: str
    file: str
    visibility: Visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    documents: int
    passages: int
    redacted: int


Placed = list[tuple[int, Sequence[str]]]
"""Passage numbers with their terms."""

_VERSION = ("document_id", "file", "source", "title", "owner", "language", "effective_from", "effective_to", "fingerprint", "content", "text", "redacted", "subject")  # fmt: skip


def take_turn(tx: db.Tx) -> None:
    """Others who write wait until this transaction ends; who reads does not."""
    tx.execute(q.one_at_a_time)


def current(tx: db.Tx, ids: Sequence[str]) -> dict[str, Current]:
    return {
        row["document_id"]: Current(
            number=row["no"],
            version=row["version"],
            fingerprint=bytes(row["fingerprint"]),
            collection=row["collection"],
            file=row["file"],
            visibility=Visibility(row["visibility"]),
        )
        for row in db.rows(tx, q.current, ids=ids)
    }


def of_files(tx: db.Tx, collection: str, files: Sequence[str]) -> list[tuple[int, str, str]]:
    """(number, document_id, file) of the current versions that came from these files."""
    found = db.rows(tx, q.of_files, collection=collection, files=files)
    return [(row["no"], row["document_id"], row["file"]) for row in found]


def retire(tx: db.Tx, documents: Sequence[int], at: datetime) -> None:
    """They serve no more and stay readable. Their vectors are another store's."""
    if documents:
        tx.execute(q.shrink_scopes, {"documents": documents})
        tx.execute(q.retire, {"documents": documents, "at": at})


def close(tx: db.Tx, documents: Sequence[int]) -> None:
    """Versions that were retired, and older ones: whoever may not read what serves now may not read what did."""
    open_ = db.rows(tx, q.too_open, documents=documents) if documents else []
    if not open_:
        return
    closed = [
        Scope(
            visibility=Visibility.RESTRICTED,
            jurisdiction=row["jurisdiction"],
            document_class=DocumentClass(row["class"]),
            risk=Risk.HIGH,
        )
        for row in open_
    ]
    scopes = _scopes(tx, set(closed))
    values = {"documents": [row["no"] for row in open_], "scopes": [scopes[each] for each in closed]}
    tx.execute(q.close_documents, values)
    tx.execute(q.close_passages, values)


def add(tx: db.Tx, collection: str, versions: Sequence[Version], at: datetime) -> dict[int, Placed]:
    """Keep new versions; the old ones are retired already. Returns their passages by scope, in order of number."""
    ids = [version.document_id for version in versions]
    newest = {row["document_id"]: row["version"] for row in db.rows(tx, q.newest_versions, ids=ids)}
    scopes = _scopes(tx, {version.scope for version in versions})
    columns = {name: [getattr(version, name) for version in versions] for name in _VERSION}
    columns["version"] = [newest.get(id_, 0) + 1 for id_ in ids]
    columns["scope"] = [scopes[version.scope] for version in versions]
    made = tx.execute(q.add_documents, {**columns, "collection": collection, "at": at}).fetchall()
    numbers = {row["document_id"]: row["no"] for row in made}
    return _add_passages(tx, versions, numbers, scopes)


def _add_passages(
    tx: db.Tx, versions: Sequence[Version], numbers: Mapping[str, int], scopes: Mapping[Scope, int]
) -> dict[int, Placed]:
    places = [
        (numbers[version.document_id], ordinal, scopes[version.scope], passage)
        for version in versions
        for ordinal, passage in enumerate(version.passages)
    ]
    rows = tx.execute(
        q.add_passages,
        {
            "document": [document for document, *_ in places],
            "ordinal": [ordinal for _, ordinal, *_ in places],
            "scope": [scope for *_, scope, _ in places],
            "heading": [passage.heading for *_, passage in places],
            "text": [passage.text for *_, passage in places],
            "starts": [passage.start for *_, passage in places],
            "ends": [passage.end for *_, passage in places],
            "tokens": [passage.tokens for *_, passage in places],
            "words": [len(passage.terms) for *_, passage in places],
        },
    ).fetchall()
    given = {(row["document"], row["ordinal"]): row["no"] for row in rows}
    placed: dict[int, Placed] = {}
    for document, ordinal, scope, passage in places:
        placed.setdefault(scope, []).append((given[document, ordinal], passage.terms))
    for scope, some in placed.items():
        some.sort(key=lambda each: each[0])
        words = sum(len(terms) for _, terms in some)
        spoken = sorted({version.language for version in versions if scopes[version.scope] == scope})
        tx.execute(q.grow_scope, {"scope": scope, "passages": len(some), "words": words, "languages": spoken})
    return placed


def _scopes(tx: db.Tx, wanted: Iterable[Scope]) -> dict[Scope, int]:
    scopes = list(wanted)
    tx.execute(
        q.add_scopes,
        {
            "visibility": [int(scope.visibility) for scope in scopes],
            "jurisdiction": [scope.jurisdiction for scope in scopes],
            "class": [scope.document_class.value for scope in scopes],
            "risk": [int(scope.risk) for scope in scopes],
        },
    )
    return {scope_of(row): row["id"] for row in db.rows(tx, q.scopes)}


def changed(tx: db.Tx) -> None:
    """What was cached of any search is out of date."""
    tx.execute(q.changed)


def count(tx: db.Tx) -> None:
    """Tells the planner how much there is, after much has changed."""
    tx.execute(q.count)


def collections(tx: db.Tx) -> list[str]:
    return [row["collection"] for row in db.rows(tx, q.collections)]


def files(tx: db.Tx, collection: str) -> dict[str, bytes]:
    """Every file that was read, with its fingerprint then."""
    return {row["file"]: bytes(row["fingerprint"]) for row in db.rows(tx, q.files, collection=collection)}


def files_named(tx: db.Tx, collection: str, names: Sequence[str]) -> dict[str, bytes]:
    """Those of these files that were read, with their fingerprints then."""
    found = db.rows(tx, q.files_named, collection=collection, files=names)
    return {row["file"]: bytes(row["fingerprint"]) for row in found}


def conversations_gone(tx: db.Tx, collection: str, most: int) -> list[str]:
    """Files of this collection that are named like conversations which do not exist any more."""
    return [row["file"] for row in db.rows(tx, q.conversations_gone, collection=collection, most=most)]


def read_files(tx: db.Tx, collection: str, marks: Mapping[str, bytes], at: datetime) -> None:
    """Files as they were read now: name -> what tells whether they are still so."""
    values = {"files": list(marks), "fingerprints": list(marks.values())}
    tx.execute(q.read_files, {"collection": collection, "at": at, **values})


def forget_files(tx: db.Tx, collection: str, gone: Sequence[str]) -> None:
    tx.execute(q.forget_files, {"collection": collection, "files": gone})
    tx.execute(q.readmit, {"collection": collection, "files": gone})


def set_aside(tx: db.Tx, collection: str, refused: Mapping[str, Sequence[Unreadable]], at: datetime) -> None:
    """What is wrong in these files now, in place of what was wrong before."""
    tx.execute(q.readmit, {"collection": collection, "files": list(refused)})
    if wrong := [(file, each) for file, several in refused.items() for each in several]:
        values = {
            "sources": [each.source for _, each in wrong],
            "files": [file for file, _ in wrong],
            "reasons": [each.reason for _, each in wrong],
        }
        tx.execute(q.set_aside, {"collection": collection, "at": at, **values})


def set_aside_in(tx: db.Tx, collection: str, names: Sequence[str]) -> list[Unreadable]:
    found = db.rows(tx, q.set_aside_in, collection=collection, files=names)
    return [Unreadable(source=row["source"], reason=row["reason"]) for row in found]


def totals_of(tx: db.Tx, collection: str, names: Sequence[str]) -> Totals:
    found = db.row(tx, q.totals_of, collection=collection, files=names)
    assert found is not None
    return Totals(**found)
