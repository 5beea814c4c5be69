"""What people answered -> public, because somebody approved it; and back.

approve   by hand or by a rule: a new version for everybody, in which what was personal is gone for good
withdraw  a new version for those who work here, as it was before

An approval holds for what a document says: as long as it says that, whatever reads it again leaves it public.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from harken.conversations import topics
from harken.domain.document import Visibility
from harken.errors import UnsuitableError
from harken.flow import describing, embedding
from harken.flow.adding import tidy
from harken.flow.library_desk import LibraryDesk
from harken.flow.ports import Progress
from harken.flow.shelving import supersede
from harken.kit import db
from harken.kit.clock import stopwatch
from harken.kit.tokens import estimated_tokens
from harken.knowledge.approvals import rule as rules
from harken.knowledge.approvals import store as approvals
from harken.knowledge.approvals.rule import Answer, Rule
from harken.knowledge.approvals.store import Kept, Piece, Word
from harken.knowledge.library import store as library
from harken.knowledge.library.store import Passage, Version
from harken.privacy.tokens import TOKEN, strip

DOCUMENTS_AT_ONCE = 200
MOST_NAMED = 1_000
"""Documents that a report names; it counts all."""

_SECONDS_A_DAY = 86_400


@dataclass(slots=True, kw_only=True)
class Decided:
    """What came of it. With `dry_run`, what would."""

    rule: str = ""
    dry_run: bool = False
    documents: int = 0  #: made public, or taken back
    others: dict[str, int] = field(default_factory=dict)  #: reason -> documents that stay as they are
    named: list[dict[str, str]] = field(default_factory=list)  #: the first of both: document_id, title, reason
    embedded: int = 0
    seconds: float = 0.0

    def count(self, kept: Kept, reason: str) -> None:
        if reason:
            self.others[reason] = self.others.get(reason, 0) + 1
        else:
            self.documents += 1
        if len(self.named) < MOST_NAMED:
            self.named.append({"document_id": kept.document_id, "title": kept.title, "reason": reason})


def approve(ids: Sequence[str], desk: LibraryDesk, progress: Progress) -> Decided:
    """All of these documents or none. Raises UnsuitableError for the first that may not be made public."""
    done = Decided()
    return _by_hand(ids, Word(public=True, who=desk.who, rule="", at=desk.clock()), done, desk, progress)


def withdraw(ids: Sequence[str], desk: LibraryDesk, progress: Progress) -> Decided:
    """As `approve`, the other way."""
    done = Decided()
    return _by_hand(ids, Word(public=False, who=desk.who, rule="", at=desk.clock()), done, desk, progress)


def approve_by(rule: Rule, desk: LibraryDesk, progress: Progress, *, dry_run: bool = False) -> Decided:
    """Whatever the rule lets through, a batch a transaction; who stops it keeps what it made public."""
    took, done = stopwatch(), Decided(rule=rule.name, dry_run=dry_run)
    word = Word(public=True, who=desk.who, rule=f"{rule.name} ({rule.owner})", at=desk.clock())
    with desk.keeping.transaction() as tx:
        after, upto = 0, approvals.newest(tx)
    progress.step("Approving")
    while True:
        with desk.keeping.transaction() as tx:
            page = approvals.page_of_answers(tx, after, upto, DOCUMENTS_AT_ONCE)
        if not page:
            break
        after = page[-1][1]
        _decide([each for each, _ in page], word, lambda kept: rules.why_not(rule, _seen(kept, desk)), done, desk)
        progress.advance(len(page))
    return _ended(done, desk, progress, took)


def _by_hand(ids: Sequence[str], word: Word, done: Decided, desk: LibraryDesk, progress: Progress) -> Decided:
    took, verb = stopwatch(), "approved" if word.public else "withdrawn"

    def why_not(kept: Kept) -> str:
        reason = rules.obstacle(_seen(kept, desk)) if word.public else ""
        if reason:
            raise UnsuitableError(f"{kept.document_id} cannot be made public: {reason}. Nothing was {verb}.")
        return reason

    _decide(list(dict.fromkeys(ids)), word, why_not, done, desk, whole=True)
    return _ended(done, desk, progress, took)


def _ended(done: Decided, desk: LibraryDesk, progress: Progress, took: Callable[[], float]) -> Decided:
    if done.documents and not done.dry_run:
        done.embedded = embedding.embed(desk, progress)
        tidy(desk)
    done.seconds = round(took(), 3)
    return done


def _decide(
    ids: Sequence[str],
    word: Word,
    why_not: Callable[[Kept], str],
    done: Decided,
    desk: LibraryDesk,
    *,
    whole: bool = False,
) -> None:
    with desk.keeping.transaction() as tx:
        library.take_turn(tx)
        found = approvals.answers(tx, ids)
        if whole:
            _refuse_unknown(tx, ids, found, word)
        fit = []
        for kept in found:
            reason = why_not(kept)
            done.count(kept, reason)
            if not reason:
                fit.append(kept)
        if fit and not done.dry_run:
            _make(tx, fit, word, desk)


def _refuse_unknown(tx: db.Tx, ids: Sequence[str], found: Sequence[Kept], word: Word) -> None:
    verb = "approved" if word.public else "withdrawn"
    if unknown := [each for each in ids if each not in {kept.document_id for kept in found}]:
        raise UnsuitableError(f"There is no document {unknown[0]}. Nothing was {verb}.")
    if word.public:
        return
    standing = approvals.standing(tx, ids)
    if never := [each.document_id for each in found if standing.get(each.document_id) != each.content]:
        raise UnsuitableError(f"{never[0]} is not public by an approval. Nothing was {verb}.")


def _make(tx: db.Tx, fit: Sequence[Kept], word: Word, desk: LibraryDesk) -> None:
    """New versions in the place of these, with the word on them, in one transaction."""
    bases = fit if word.public else list(approvals.before_approval(tx, fit).values())
    cut = approvals.pieces(tx, [each.number for each in bases])
    made = {each.document_id for each in bases}
    for collection in sorted({each.collection for each in fit}):
        versions = [
            _version(each, cut[each.number], public=word.public) for each in bases if each.collection == collection
        ]
        replaced = [each.number for each in fit if each.collection == collection and each.document_id in made]
        supersede(tx, collection, replaced, versions, desk)
    now = library.current(tx, [each.document_id for each in bases])
    approvals.record(tx, word, [(each.document_id, now[each.document_id].version, each.content) for each in bases])
    library.changed(tx)


def _version(kept: Kept, pieces: Sequence[Piece], *, public: bool) -> Version:
    """The fingerprints stay, so that whoever reads the same source again finds it unchanged."""
    text, title = (strip(kept.text), strip(kept.title)) if public else (kept.text, kept.title)
    moved = [_moved(kept.text, piece) if public else piece for piece in pieces]
    return Version(
        document_id=kept.document_id,
        scope=replace(kept.scope, visibility=Visibility.PUBLIC) if public else kept.scope,
        file=kept.file,
        source=kept.source,
        title=title,
        owner=kept.owner,
        language=kept.language,
        effective_from=kept.effective_from,
        effective_to=kept.effective_to,
        fingerprint=kept.fingerprint,
        content=kept.content,
        text=text,
        redacted=kept.redacted,
        subject=None if public else kept.subject,
        passages=[_passage(text, title, piece, kept.language) for piece in moved],
    )


def _passage(text: str, title: str, piece: Piece, spoken: str) -> Passage:
    said = text[piece.start : piece.end]
    return Passage(
        heading=piece.heading,
        text=said,
        start=piece.start,
        end=piece.end,
        tokens=estimated_tokens(said),
        terms=describing.searched(title, piece.heading, said, spoken),
    )


def _moved(text: str, piece: Piece) -> Piece:
    """The same piece of the text without its tokens."""
    return Piece(strip(piece.heading), _place(text, piece.start), _place(text, piece.end))


def _place(text: str, at: int) -> int:
    cut_through = next((match.start() for match in TOKEN.finditer(text) if match.start() < at < match.end()), at)
    return len(strip(text[:cut_through]))


def _seen(kept: Kept, desk: LibraryDesk) -> Answer:
    since = kept.effective_from or kept.valid_from
    return Answer(
        document_class=kept.scope.document_class,
        visibility=kept.scope.visibility,
        collection=kept.collection,
        source=kept.source,
        language=kept.language,
        topic=topics.topic_of([kept.text])[0],
        redacted=kept.redacted,
        age_days=(desk.clock() - since).total_seconds() / _SECONDS_A_DAY,
        words=len(kept.text.split()),
    )
