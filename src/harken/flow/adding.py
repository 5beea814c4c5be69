"""Files -> documents that can be found: read, checked, hidden, cut, kept; what did not change is not touched.

One transaction takes in a batch, so that a kill costs a batch at most and the next run goes on behind it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harken.domain.document import Draft, Said, Unreadable
from harken.errors import UnsuitableError
from harken.flow import describing
from harken.flow.embedding import embed
from harken.flow.examining import Examiners
from harken.flow.library_desk import LibraryDesk
from harken.flow.ports import Progress
from harken.flow.shelving import File, Shelved, Source, remove, shelve
from harken.kit.clock import stopwatch
from harken.knowledge.library import store as library
from harken.knowledge.postings import store as postings
from harken.knowledge.reading import files
from harken.knowledge.reading.apart import Apart
from harken.knowledge.reading.page import CannotReadError
from harken.knowledge.reading.read import once, read

DOCUMENTS_AT_ONCE = 200
CHARACTERS_AT_ONCE = 4_000_000
"""What a transaction takes in, so that memory does not grow with what is added."""

BATCHES_A_TIDYING = 20
"""Each batch makes a list of its own, and a search reads all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How documents are to be added."""

    said: Said = field(default_factory=Said)
    trusted: bool = False  #: what reads like orders to a machine is taken in all the same
    may_empty: bool = False  #: a folder with nothing in it retires what came from it


@dataclass(slots=True, kw_only=True)
class Added:
    """What came of it. `documents`, `passages` and `redacted`: what these paths hold now, changed or not."""

    documents: int = 0
    passages: int = 0
    redacted: int = 0
    quarantined: int = 0
    new: int = 0
    changed: int = 0
    removed: int = 0
    lapsed: int = 0  #: were public, say something else now, and are internal until somebody approves that
    files_unchanged: int = 0
    embedded: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 0.0

    def count(self, came: Shelved) -> None:
        self.new += came.new
        self.changed += came.changed
        self.removed += came.removed
        self.lapsed += came.lapsed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Folder:
    """Files of one collection, and where the user looked."""

    root: Path
    collection: str
    files: Sequence[Path]
    looked_in: Sequence[str]  #: folders below the root whose missing files are gone
    known: Mapping[str, bytes]  #: files that were read before, with what they were then


def add(paths: Sequence[Path], wish: Wish, desk: LibraryDesk, progress: Progress) -> Added:
    """Raises UnsuitableError for a path that does not exist; what is wrong inside is set aside and told."""
    watch, done = stopwatch(), Added()
    with Apart() as apart, Examiners(desk) as crew:
        for folder in _folders(paths, desk):
            gone = _gone(folder, wish)
            progress.step(f"Reading {folder.root.name or folder.root}", len(folder.files))
            source = Source(collection=folder.collection, trusted=wish.trusted, gone=gone)
            for number, batch in enumerate(_batches(_changed(folder, wish, desk, done, progress, apart)), 1):
                done.count(shelve(source, batch, desk, crew))
                if number % BATCHES_A_TIDYING == 0:
                    tidy(desk)
            done.removed += remove(folder.collection, gone, desk)
            _count(folder, desk, done)
    done.embedded = embed(desk, progress)
    if done.embedded or done.removed:
        tidy(desk)
    done.seconds = round(watch(), 3)
    return done


def tidy(desk: LibraryDesk) -> None:
    """Lists that grew in many pieces become one, and the planner learns how much there is."""
    with desk.keeping.transaction() as tx:
        library.take_turn(tx)
        postings.join(tx)
    with desk.keeping.transaction() as tx:
        library.count(tx)


def _folders(paths: Sequence[Path], desk: LibraryDesk) -> Iterator[_Folder]:
    """What lies in a folder that was added before belongs to it."""
    with desk.keeping.transaction() as tx:
        known = [Path(each) for each in library.collections(tx) if Path(each).is_absolute()]
    given = [_placed(path) for path in paths]
    found = sorted((_home(root, known), file) for root, file in files.walk(given))
    looked = [path for path in given if path.is_dir()]
    homes = {home for home, _ in found} | {_home(path, known) for path in looked}
    for home in sorted(homes):
        yield _Folder(
            root=home,
            collection=str(home),
            files=[file for root, file in found if root == home],
            looked_in=[_below(path, home) for path in looked if _home(path, known) == home],
            known=_read_before(str(home), desk),
        )


def _read_before(collection: str, desk: LibraryDesk) -> Mapping[str, bytes]:
    with desk.keeping.transaction() as tx:
        return library.files(tx, collection)


def _placed(path: Path) -> Path:
    """Where it is, without links on the way; a link to a file stays one, so that it is seen where it leads."""
    if path.is_dir():
        return path.resolve()
    if not path.exists():
        raise UnsuitableError(f"{path} does not exist. Nothing was added.")
    return path.parent.resolve() / path.name


def _home(root: Path, known: Sequence[Path]) -> Path:
    return min((each for each in known if root.is_relative_to(each)), key=lambda each: len(each.parts), default=root)


def _below(path: Path, home: Path) -> str:
    inside = path.relative_to(home).as_posix()
    return "" if inside == "." else f"{inside}/"


def _gone(folder: _Folder, wish: Wish) -> list[str]:
    """Files that were here and are no more. A folder that lost all of them may only be a disk that is not there."""
    here = {file.relative_to(folder.root).as_posix() for file in folder.files}
    gone = [name for name in folder.known if name not in here and name.startswith(tuple(folder.looked_in))]
    if gone and not here and not wish.may_empty:
        raise UnsuitableError(
            f"{folder.root} is empty now, and {len(gone)} files were read from it before. Nothing was removed; "
            "if that is meant, add it with --allow-empty."
        )
    return gone


def _changed(
    folder: _Folder, wish: Wish, desk: LibraryDesk, done: Added, progress: Progress, apart: Apart
) -> Iterator[File]:
    seen: dict[str, str] = {}
    for path in folder.files:
        progress.advance(1)
        name = path.relative_to(folder.root).as_posix()
        mark = _mark(path, wish, desk)
        if mark and folder.known.get(name) == mark:
            done.files_unchanged += 1
        else:
            yield from _parts(File(name=name, mark=mark), once(read(path, folder.root, apart, wish.said), seen))


def _mark(path: Path, wish: Wish, desk: LibraryDesk) -> bytes:
    """Moves with the file, and with everything else that decides what becomes of it."""
    made_with = repr((wish.said, wish.trusted, desk.cut, describing.RECIPE)).encode()
    try:
        return desk.master.fingerprint("knowledge file", files.fingerprint(path) + made_with)
    except CannotReadError:
        return b""


def _parts(file: File, found: Iterable[Draft | Unreadable]) -> Iterator[File]:
    """A file of many documents comes in parts that share what was refused and kept."""
    part = replace(file, complete=False)
    for each in found:
        if isinstance(each, Unreadable):
            part.refused.append(each)
            part.unread = part.unread or each.source == file.name
            continue
        part.drafts.append(each)
        if len(part.drafts) >= DOCUMENTS_AT_ONCE:
            yield part
            part = replace(part, drafts=[])
    yield replace(part, complete=True)


def _batches(found: Iterable[File]) -> Iterator[list[File]]:
    batch, documents, characters = list[File](), 0, 0
    for file in found:
        batch.append(file)
        documents += max(len(file.drafts), 1)
        characters += sum(len(draft.text) for draft in file.drafts)
        # Two parts of one file must not meet in a batch: an id would be in it twice.
        if documents >= DOCUMENTS_AT_ONCE or characters >= CHARACTERS_AT_ONCE or not file.complete:
            yield batch
            batch, documents, characters = [], 0, 0
    if batch:
        yield batch


def _count(folder: _Folder, desk: LibraryDesk, done: Added) -> None:
    names = [file.relative_to(folder.root).as_posix() for file in folder.files]
    with desk.keeping.transaction() as tx:
        held = library.totals_of(tx, folder.collection, names)
        refused = library.set_aside_in(tx, folder.collection, names)
    done.documents += held.documents
    done.passages += held.passages
    done.redacted += held.redacted
    done.quarantined += len(refused)
    done.refused += [{"source": each.source, "reason": each.reason} for each in refused]
