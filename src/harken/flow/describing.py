"""A draft -> a version as it may be kept: nothing secret in it, personal data as tokens, cut into passages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from harken.domain.document import DocumentClass, Draft, Scope, Unreadable, Visibility
from harken.flow import hiding
from harken.flow.hiding import Found
from harken.flow.library_desk import LibraryDesk
from harken.guard import injection
from harken.intake import language
from harken.kit import db, words
from harken.kit.terms import VERSION as TERMS_VERSION
from harken.kit.terms import terms
from harken.knowledge import chunk
from harken.knowledge.fuse import TITLE_COUNTS
from harken.knowledge.library.store import Passage, Version
from harken.privacy import secrecy
from harken.privacy import store as secrets
from harken.privacy.keys import MasterKey
from harken.privacy.scanner import DOCUMENT_REGIONS, Known
from harken.privacy.tokens import Secret

RECIPE = (1, TERMS_VERSION)
"""Moves when the same document would become another version: more is hidden, or it is counted otherwise."""

LANGUAGES = (*language.LANGUAGES, "ko", "ru", "cs", "fi", "no", "hu", "ro", "uk", "ar", "el")
HEAD_CHARACTERS = 4000
"""As much of a document tells its language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What a version depends on beside its draft. Travels to worker processes; a desk has it, too."""

    master: MasterKey
    cut: chunk.Cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What follows from the words that are kept."""

    language: str
    passages: Sequence[Passage]


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A draft that may be taken in, with what has to be hidden in it."""

    draft: Draft
    scope: Scope
    file: str
    fingerprint: bytes
    content: bytes
    found: Found
    subject: str  #: whose key what is hidden is kept with; empty: what is hidden is gone
    shape: Shape | None  #: where nothing has to be hidden, and the words are as they came


def fingerprint(draft: Draft, desk: Making | LibraryDesk) -> bytes:
    """The same for the same document, however often it is read; another one where anything of its version would differ."""
    made_of = orjson.dumps([draft, desk.cut, RECIPE])
    return desk.master.fingerprint("document", made_of)


def content(draft: Draft, desk: Making | LibraryDesk) -> bytes:
    """The same for as long as a document says the same, wherever it lies and however it is cut: an approval holds for it."""
    made_of = orjson.dumps([draft.title, draft.text, draft.said])
    return desk.master.fingerprint("content", made_of)


def examine(
    draft: Draft, file: str, desk: Making, *, trusted: bool, subject: str = "", known: Sequence[Known] = ()
) -> Described | Unreadable:
    """What may be taken in, with its personal data found; or why not. `trusted`: somebody has read it and vouches for it."""
    found = hiding.look(draft, regions=DOCUMENT_REGIONS, handles=bool(subject), known=known)
    reason = ", ".join(secrecy.reasons(draft.text, found.text)) or (
        "" if trusted else _hostile(f"{draft.title}\n{draft.text}")
    )
    if reason:
        return Unreadable(source=draft.source, reason=reason)
    return Described(
        draft=draft,
        scope=scope_of(draft),
        file=file,
        fingerprint=fingerprint(draft, desk),
        content=content(draft, desk),
        found=found,
        subject=subject or f"document:{draft.document_id}",
        shape=None if found.title or found.text else _shape(draft, desk.cut),
    )


def made_public(described: Described) -> Described:
    """As an approval wants it: for everybody, and what is hidden in it is gone."""
    return replace(described, scope=replace(described.scope, visibility=Visibility.PUBLIC), subject="")


def _hostile(text: str) -> str:
    suspicion = injection.suspect(text)
    if not suspicion.suspected:
        return ""
    return (
        f"it gives orders to whoever reads it by machine ({', '.join(suspicion.reasons)}); read it, and add it with --trusted "
        "if it is meant so"
    )


def scope_of(draft: Draft) -> Scope:
    """What nobody said is internal, a product's, harmless and holds everywhere."""
    said = draft.said
    return Scope(
        visibility=Visibility.INTERNAL if said.visibility is None else said.visibility,
        jurisdiction=said.jurisdiction or "",
        document_class=said.document_class or DocumentClass.PRODUCT,
        risk=Scope().risk if said.risk is None else said.risk,
    )


def version_of(tx: db.Tx, described: Described, desk: LibraryDesk) -> Version:
    """Its personal data goes to the vault in the same transaction. The librarian's."""
    kept = _kept(tx, described, desk)
    draft = hiding.hide(described.draft, described.found, kept)
    shape = described.shape or _shape(draft, desk.cut)
    return Version(
        document_id=draft.document_id,
        scope=described.scope,
        file=described.file,
        source=draft.source,
        title=draft.title,
        owner=draft.said.owner or "",
        language=shape.language,
        effective_from=draft.said.effective_from,
        effective_to=draft.said.effective_to,
        fingerprint=described.fingerprint,
        content=described.content,
        text=draft.text,
        redacted=len(kept),
        subject=described.subject if kept and described.subject else None,
        passages=shape.passages,
    )


def _shape(draft: Draft, cut: chunk.Cut) -> Shape:
    spoken = draft.said.language or _language(draft.text)
    return Shape(language=spoken, passages=list(_passages(draft, spoken, cut)))


def _kept(tx: db.Tx, described: Described, desk: LibraryDesk) -> Mapping[Secret, str]:
    if not described.subject:
        return hiding.one_way(described.draft, described.found)
    return secrets.keep(tx, desk.master, described.subject, hiding.secrets(described.draft, described.found))


def _language(text: str) -> str:
    head = text[:HEAD_CHARACTERS]
    heard = language.detect(head, words.split(head), LANGUAGES).language
    return "" if heard == language.UNKNOWN else heard


def _passages(draft: Draft, spoken: str, cut: chunk.Cut) -> Iterator[Passage]:
    for piece in chunk.chunks(draft.text, draft.headings, cut):
        text = draft.text[piece.start : piece.end]
        yield Passage(
            heading=piece.heading,
            text=text,
            start=piece.start,
            end=piece.end,
            tokens=piece.tokens,
            terms=searched(draft.title, piece.heading, text, spoken),
        )


def searched(title: str, heading: str, text: str, spoken: str) -> list[str]:
    """The terms that a passage is found by: what stands above it counts as said in it, the title more than once."""
    return [*terms(title, spoken) * TITLE_COUNTS, *terms(heading, spoken), *terms(text, spoken)]
