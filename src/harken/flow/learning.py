"""Conversations that were solved -> documents of what people answered, internal until somebody approves them.

learn   conversations in order of customer → solved, and not looked at since it changed → opened → question and resolution
        → hidden, cut and kept like any document; what is not solved any more retires

A conversation's personal data is kept with its customer's key: erasing the customer closes it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

import orjson
import pyarrow as pa

from harken.conversations import lessons
from harken.conversations.cases import CLOSED, SENT
from harken.conversations.lessons import Lesson, Said
from harken.conversations.status import Silence, standing
from harken.domain.conversation import Conversation, Status
from harken.domain.document import DocumentClass, Draft, Heading, Visibility
from harken.domain.document import Said as SaidOfItself
from harken.flow import describing, dossier, embedding, shelving
from harken.flow.adding import tidy
from harken.flow.desk import Desk
from harken.flow.dossier import Moment, silence_of
from harken.flow.examining import Examiners
from harken.flow.library_desk import LibraryDesk
from harken.flow.ports import Progress, Row
from harken.flow.predict import moment_of
from harken.flow.shelving import File, Source
from harken.kit import spans
from harken.kit.clock import stopwatch
from harken.knowledge.library import store as library
from harken.privacy import patterns
from harken.privacy.ring import KeyRing
from harken.privacy.scanner import DOCUMENT_REGIONS, Known, PersonalKind, scan

COLLECTION = "log"
CONVERSATIONS_AT_ONCE = 200
TITLE_CHARACTERS = 80
ERASED, NOT_RESOLVED, NOT_TAKEN_IN = "erased", "not-resolved", "not-taken-in"
SHORTEST_NAME = 3
"""A part of a name that is looked for wherever else it stands: shorter ones are words."""


@dataclass(slots=True, kw_only=True)
class Learned:
    """What came of it."""

    conversations: int = 0
    learned: int = 0
    unchanged: int = 0  #: since they were looked at last, whatever came of it then
    retired: int = 0
    lapsed: int = 0  #: were public, say something else now, and are internal until somebody approves that
    skipped: dict[str, int] = field(default_factory=dict)  #: why -> how many
    embedded: int = 0
    seconds: float = 0.0

    def skip(self, why: str, number: int = 1) -> None:
        if number:
            self.skipped[why] = self.skipped.get(why, 0) + number


@dataclass(frozen=True, slots=True, kw_only=True)
class _Class:
    """What a run looks at conversations with."""

    desk: Desk
    library: LibraryDesk
    moment: Moment
    silence: Silence
    crew: Examiners
    done: Learned


class _Solved(NamedTuple):
    row: Row
    conversation: Conversation
    rule: str
    mark: bytes


def learn(desk: Desk, shelf: LibraryDesk, progress: Progress) -> Learned:
    """Again: only what changed is opened. Raises UnsuitableError where the store is empty."""
    took, done = stopwatch(), Learned()
    silence = silence_of(desk.bench.load_policy())
    moment = moment_of(desk, None)
    progress.step("Learning from conversations")
    with Examiners(shelf) as crew:
        room = _Class(desk=desk, library=shelf, moment=moment, silence=silence, crew=crew, done=done)
        for rows in _conversations(desk):
            _take_in(rows, room)
            progress.advance(len(rows))
    done.retired += _forget_gone(shelf)
    done.embedded = embedding.embed(shelf, progress)
    if done.embedded or done.retired:
        tidy(shelf)
    done.seconds = round(took(), 3)
    return done


def _conversations(desk: Desk) -> Iterator[Sequence[Row]]:
    """All that belong to a customer, some at a time; those of several identities are asked for by themselves."""
    warehouse = desk.warehouse
    for rows in warehouse.dossiers(("", None), CONVERSATIONS_AT_ONCE):
        yield from _pieces(rows)
    merged = (row for _, identities in warehouse.merged() for row in warehouse.conversations_of(identities))
    yield from _pieces(merged)


def _pieces(rows: Iterable[Row]) -> Iterator[Sequence[Row]]:
    left = iter(rows)
    while some := list(islice(left, CONVERSATIONS_AT_ONCE)):
        yield some


def _take_in(rows: Sequence[Row], room: _Class) -> None:
    done, names = room.done, [row["id"] for row in rows]
    done.conversations += len(rows)
    with room.library.keeping.transaction() as tx:
        known = library.files_named(tx, COLLECTION, names)
    solved = {each.row["id"]: each for each in _solved(rows, room)}
    fresh = [each for name, each in solved.items() if known.get(name) != each.mark]
    done.unchanged += len(solved) - len(fresh)
    if reopened := [name for name in names if name in known and name not in solved]:
        done.retired += shelving.remove(COLLECTION, reopened, room.library)
    if fresh:
        _shelve(fresh, room)


def _solved(rows: Sequence[Row], room: _Class) -> Iterator[_Solved]:
    customers = {row["identity"] for row in rows}
    with_key = set(room.desk.warehouse.keys(pa.array(sorted(customers), pa.string()))["subject"].to_pylist())
    for row in rows:
        conversation = dossier.conversation_of(row, orjson.loads(row["facts"]))
        stands = standing(conversation.facts, room.moment.at, room.silence)
        if not lessons.is_solved(stands):
            room.done.skip(stands.rule if stands.status is Status.RESOLVED else NOT_RESOLVED)
            continue
        made_of = [row["positions"], stands.rule, row["identity"] in with_key, lessons.RECIPE, describing.RECIPE]
        cut = room.library.cut
        mark = room.library.master.fingerprint("conversation", orjson.dumps([made_of, cut.size, cut.overlap]))
        yield _Solved(row, conversation, stands.rule, mark)


def _shelve(fresh: Sequence[_Solved], room: _Class) -> None:
    bodies = _bodies(fresh, room)
    files, subjects, known = list[File](), dict[str, str](), dict[str, Sequence[Known]]()
    ring = KeyRing(room.library.master)
    for each in fresh:
        file = File(name=each.row["id"], mark=each.mark)
        files.append(file)
        messages = _messages([bodies[at] for at in each.row["positions"] if at in bodies], ring)
        found = ERASED if messages is None else lessons.lesson(each.rule, messages)
        if not isinstance(found, Lesson):
            room.done.skip(str(found))
            continue
        document_id = _document_id(each.conversation, room.library)
        file.drafts.append(_draft(document_id, found, each.conversation))
        subjects[document_id] = each.row["identity"]
        known[document_id] = list(_names(messages or ()))
    source = Source(collection=COLLECTION, subjects=subjects, known=known)
    came = shelving.shelve(source, files, room.library, room.crew)
    done = room.done
    done.learned += came.new + came.changed
    done.retired += came.removed
    done.lapsed += came.lapsed
    done.skip(NOT_TAKEN_IN, sum(len(file.refused) for file in files))


def _document_id(conversation: Conversation, shelf: LibraryDesk) -> str:
    """What is public one day must not name the customer, as the conversation's own id does."""
    return f"conversation:{shelf.master.fingerprint('conversation id', conversation.id.encode()).hex()}"


def _bodies(fresh: Iterable[_Solved], room: _Class) -> dict[int, Row]:
    wanted = [position for each in fresh for position in each.row["positions"]]
    return {body["position"]: body for body in room.desk.warehouse.bodies(wanted)}


def _messages(bodies: Sequence[Row], ring: KeyRing) -> list[Said] | None:
    """In time order. None where a key is gone: what is left of the conversation is not the conversation."""
    spoken = [body for body in sorted(bodies, key=itemgetter("at", "id")) if body["kind"] != CLOSED]
    if any(body["wrapped"] is None for body in spoken):
        return None
    return [_said(body, ring) for body in spoken]


def _said(body: Row, ring: KeyRing) -> Said:
    opened = ring.open(body["subject"], body["wrapped"], body["id"], body["body"])
    ours = body["kind"] == SENT
    # A link of ours may be all of the answer; a customer's says nothing to anybody else.
    cut = [span for span in opened.spans if not (ours and span[2] == "url")]
    return Said(not ours, body["signals"], spans.clean(opened.text, cut))


def _names(messages: Sequence[Said]) -> Iterator[Known]:
    """A name that was given or called once is hidden wherever it stands, and each part of it."""
    given = (said.text[start:end] for said in messages for start, end in patterns.names(said.text))
    for name in {*given, *lessons.names(messages)}:
        yield Known(name, PersonalKind.NAME)
        for part in name.split():
            if len(part) >= SHORTEST_NAME and part[0].isupper():
                yield Known(part, PersonalKind.NAME)


def _draft(document_id: str, found: Lesson, conversation: Conversation) -> Draft:
    question, resolution = "\n\n".join(found.question), "\n\n".join(found.resolution)
    text = f"Question\n\n{question}\n\nResolution\n\n{resolution}"
    facts = conversation.facts
    return Draft(
        document_id=document_id,
        title=_title(found.question[0]),
        text=text,
        source=document_id,
        headings=(
            Heading(start=0, level=1, title="Question"),
            Heading(start=text.index("\n\nResolution\n\n") + 2, level=1, title="Resolution"),
        ),
        said=SaidOfItself(
            visibility=Visibility.INTERNAL,
            document_class=DocumentClass.SUPPORT_LOG,
            language=None if facts.language == "und" else facts.language,
            effective_from=datetime.fromtimestamp(facts.last_at, UTC),
        ),
    )


def _title(sentence: str) -> str:
    """The beginning, by whole words, and never half a piece of personal data: half of one would not be recognised."""
    if len(sentence) <= TITLE_CHARACTERS:
        return sentence
    end = sentence.rfind(" ", 0, TITLE_CHARACTERS) + 1 or TITLE_CHARACTERS
    end = next((each.start for each in scan(sentence, regions=DOCUMENT_REGIONS) if each.start < end < each.end), end)
    return f"{sentence[:end].rstrip()}…"


def _forget_gone(shelf: LibraryDesk) -> int:
    """Conversations that are no more, because a late message joined two of them or a rebuild cut them otherwise."""
    retired = 0
    while True:
        with shelf.keeping.transaction() as tx:
            gone = library.conversations_gone(tx, COLLECTION, CONVERSATIONS_AT_ONCE)
        if not gone:
            return retired
        retired += shelving.remove(COLLECTION, gone, shelf)
