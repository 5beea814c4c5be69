"""A batch of drafts -> versions in the library, in one transaction: what differs replaces what was, what is gone retires."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harken.domain.document import Draft, Unreadable, Visibility
from harken.flow import describing
from harken.flow.describing import Described
from harken.flow.examining import Examiners, Task
from harken.flow.library_desk import LibraryDesk
from harken.kit import db
from harken.knowledge.approvals import store as approvals
from harken.knowledge.library import store as library
from harken.knowledge.library.store import Current, Version
from harken.knowledge.postings import store as postings
from harken.knowledge.vectors import store as vectors
from harken.privacy.scanner import Known


@dataclass(slots=True, kw_only=True)
class File:
    """Documents that come from one place, or a part of them."""

    name: str
    mark: bytes  #: tells the next run whether the file is as it was
    drafts: list[Draft] = field(default_factory=list)
    refused: list[Unreadable] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)  #: ids that stand in the library, of all parts so far
    unread: bool = False  #: nobody could read it, which says nothing about what stood in it
    complete: bool = True  #: what is in the library and not in `kept` is gone from the file


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a batch comes from, and how far its words are trusted."""

    collection: str
    trusted: bool = False
    subjects: Mapping[str, str] = field(default_factory=dict)  #: document id -> whose key its secrets are kept with
    known: Mapping[str, Sequence[Known]] = field(default_factory=dict)  #: document id -> what is personal in it
    gone: Collection[str] = ()  #: files whose documents another file may have now


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """What a batch changed."""

    new: int
    changed: int
    removed: int
    lapsed: int  #: of the changed: public before, and internal until somebody approves what they say now


_Ready = Mapping[tuple[str, str], Described | Unreadable]
"""File and document id -> what was found in it."""


def shelve(source: Source, files: Sequence[File], desk: LibraryDesk, crew: Examiners | None = None) -> Shelved:
    """All of it or nothing. What may not be taken in is in `refused` of its file afterwards.

    Drafts are looked through before it is anybody's turn to write, so that others wait for the writing only.
    """
    now, ready = desk.clock(), _looked_through(source, files, desk, crew or Examiners(desk))
    with desk.keeping.transaction() as tx:
        library.take_turn(tx)
        ids = [draft.document_id for file in files for draft in file.drafts]
        here = library.current(tx, ids)
        fresh = [each for file in files for each in _differing(source, file, here, ready, desk)]
        approved = approvals.standing(tx, [each.draft.document_id for each in fresh])
        versions = [describing.version_of(tx, _as_approved(each, approved), desk) for each in fresh]
        replaced = [here[each.document_id] for each in versions if each.document_id in here]
        supersede(tx, source.collection, [each.number for each in replaced], versions, desk)
        gone = list(_gone(tx, source.collection, files))
        retire(tx, gone, desk)
        whole = [file for file in files if file.complete]
        # What was refused is looked at again next time.
        library.read_files(
            tx, source.collection, {each.name: b"" if each.refused else each.mark for each in whole}, now
        )
        library.set_aside(tx, source.collection, {each.name: each.refused for each in whole}, now)
        if versions or gone:
            library.changed(tx)
    return Shelved(
        new=len(versions) - len(replaced),
        changed=len(replaced),
        removed=len(gone),
        lapsed=sum(_has_lapsed(here.get(each.document_id), each) for each in versions if each.document_id in approved),
    )


def remove(collection: str, files: Sequence[str], desk: LibraryDesk) -> int:
    """What came from these files is gone; its versions stay readable."""
    with desk.keeping.transaction() as tx:
        library.take_turn(tx)
        numbers = [number for number, *_ in library.of_files(tx, collection, files)]
        retire(tx, numbers, desk)
        library.forget_files(tx, collection, files)
        if numbers:
            library.changed(tx)
    return len(numbers)


def _looked_through(source: Source, files: Sequence[File], desk: LibraryDesk, crew: Examiners) -> _Ready:
    with desk.keeping.transaction() as tx:
        here = library.current(tx, [draft.document_id for file in files for draft in file.drafts])
    tasks = [
        _task(source, file, draft)
        for file in files
        for draft in file.drafts
        if not _is_as_it_was(draft, file, here.get(draft.document_id), desk)
    ]
    found = crew.examine(tasks)
    return {(task.file, task.draft.document_id): each for task, each in zip(tasks, found, strict=True)}


def _task(source: Source, file: File, draft: Draft) -> Task:
    subject = source.subjects.get(draft.document_id, "")
    return Task(draft, file.name, source.trusted, subject, source.known.get(draft.document_id, ()))


def _is_as_it_was(draft: Draft, file: File, was: Current | None, desk: LibraryDesk) -> bool:
    return was is not None and was.file == file.name and was.fingerprint == describing.fingerprint(draft, desk)


def _differing(
    source: Source, file: File, here: Mapping[str, Current], ready: _Ready, desk: LibraryDesk
) -> Iterator[Described]:
    for draft in file.drafts:
        was = here.get(draft.document_id)
        if draft.document_id in file.kept or (was and _is_of_another(was, source, file)):
            file.refused.append(_taken(draft, was, file))
            continue
        if _is_as_it_was(draft, file, was, desk):
            file.kept.add(draft.document_id)
            continue
        found = ready.get((file.name, draft.document_id))
        if found is None:  # somebody changed it since it was looked at
            [found] = Examiners(desk).examine([_task(source, file, draft)])
        if isinstance(found, Unreadable):
            file.refused.append(found)
        else:
            file.kept.add(draft.document_id)
            yield found


def _as_approved(described: Described, approved: Mapping[str, bytes]) -> Described:
    """What somebody made public stays so for as long as it says the same, however else it is read now."""
    holds = approved.get(described.draft.document_id) == described.content
    return describing.made_public(described) if holds else described


def _has_lapsed(was: Current | None, version: Version) -> bool:
    return was is not None and was.visibility is Visibility.PUBLIC and version.scope.visibility is not Visibility.PUBLIC


def _is_of_another(was: Current, source: Source, file: File) -> bool:
    return was.collection != source.collection or (was.file != file.name and was.file not in source.gone)


def _taken(draft: Draft, was: Current | None, file: File) -> Unreadable:
    where = was.file if was and was.file != file.name else "this file"
    return Unreadable(
        source=draft.source,
        reason=f"a document from {where} has the same id already; give it an id of its own",
    )


def _gone(tx: db.Tx, collection: str, files: Sequence[File]) -> Iterator[int]:
    kept = {file.name: file.kept for file in files if file.complete and not file.unread}
    for number, document_id, name in library.of_files(tx, collection, list(kept)):
        if document_id not in kept[name]:
            yield number


def supersede(
    tx: db.Tx, collection: str, replaced: Sequence[int], versions: Sequence[Version], desk: LibraryDesk
) -> None:
    """New versions in the place of old ones, found by their words at once."""
    _stop(tx, replaced, desk)
    if versions:
        for scope, placed in library.add(tx, collection, versions, desk.clock()).items():
            postings.add(tx, scope, placed)
    library.close(tx, replaced)


def retire(tx: db.Tx, numbers: Sequence[int], desk: LibraryDesk) -> None:
    """They serve no more, and stay readable for who answers for a replay."""
    _stop(tx, numbers, desk)
    library.close(tx, numbers)


def _stop(tx: db.Tx, numbers: Sequence[int], desk: LibraryDesk) -> None:
    vectors.forget(tx, numbers)
    library.retire(tx, numbers, desk.clock())
