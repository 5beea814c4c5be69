"""Who fulfils a saved condition, as profiles change.

follow   customers whose events came since -> entered or left, each once, with the place in the log
refresh  everybody -> the same: for conditions that are new, and for what the passing of time alone changes
"""

from collections.abc import Iterable

from harken.decide.policy import Policy
from harken.domain.ids import CustomerId, IdentityId
from harken.errors import UnsuitableError
from harken.eventlog import store as eventlog
from harken.eventlog.store import Advance
from harken.flow.advising import Reader
from harken.flow.desk import Desk, LiveDesk
from harken.flow.dossier import Moment, silence_of
from harken.flow.predict import moment_of
from harken.flow.touched import touched_since
from harken.kit import db
from harken.kit.clock import stopwatch
from harken.profiles import store as profiles
from harken.profiles.segments import Segment

STREAM = "segments"
AT_ONCE = 200
REFRESH_EVERY_S = 3600.0


def live(desk: Desk) -> LiveDesk:
    if desk.live is None:
        raise UnsuitableError("Segments need PostgreSQL; this store takes files only.")
    return desk.live


def known(desk: LiveDesk) -> list[Segment]:
    with desk.database.statement() as tx:
        return [Segment.model_validate_json(row["condition"]) for row in profiles.segments(tx)]


def save(segment: Segment, desk: Desk, policy: Policy) -> int:
    """Looked at for everybody at once; how many entered or left."""
    here = live(desk)
    with here.database.transaction() as tx:
        if not profiles.segments(tx):
            _begin_at_the_end(tx, here)
        profiles.save_segment(tx, segment.name, segment.model_dump_json(by_alias=True), here.clock())
    return refresh(desk, policy)


def _begin_at_the_end(tx: db.Tx, desk: LiveDesk) -> None:
    """Nobody followed while there was nothing to follow; whoever is there by now is looked at anyway."""
    at, end = eventlog.offset(tx, STREAM, 0), eventlog.end(tx)
    if at is None or at < end:
        eventlog.advance(tx, Advance(stream=STREAM, partition=0, expected=at, upto=end, newest=end), desk.clock())


def follow(desk: Desk, policy: Policy) -> int:
    """The next events of the log; how far it came."""
    here = live(desk)
    segments = known(here)
    if not segments:
        return 0
    with here.database.statement() as tx:
        at = eventlog.offset(tx, STREAM, 0)
        last, identities = touched_since(tx, at or 0, AT_ONCE)
    if last is None:
        return 0
    step = Advance(stream=STREAM, partition=0, expected=at, upto=last, newest=last)
    _look_at(identities, segments, desk, policy, step)
    return last - (at or 0)


def refresh(desk: Desk, policy: Policy) -> int:
    """Everybody, a page at a time; how many entered or left."""
    segments, changes, after = known(live(desk)), 0, ""
    while segments:
        with live(desk).database.statement() as tx:
            page = profiles.some_identities(tx, after, AT_ONCE)
        if not page:
            break
        changes += _look_at(page, segments, desk, policy, None)
        after = page[-1]
    return changes


class Follower:
    """Follows the log, and looks at everybody once an hour for what the passing of time changes."""

    def __init__(self, desk: Desk, policy: Policy) -> None:
        self._desk, self._policy = desk, policy
        self._since = stopwatch()

    def step(self) -> int:
        if self._since() >= REFRESH_EVERY_S:
            refresh(self._desk, self._policy)
            self._since = stopwatch()
        return follow(self._desk, self._policy)


def _look_at(
    identities: Iterable[str], segments: list[Segment], desk: Desk, policy: Policy, step: Advance | None
) -> int:
    """Each customer once, by the first of their identities; a name that is somebody else's now leaves."""
    people: dict[str, list[IdentityId]] = {}
    for identity in identities:
        people.update(desk.warehouse.people(CustomerId(identity)))
    moment = moment_of(desk, None)
    reader = Reader(desk.warehouse, live(desk).master, moment, silence_of(policy))
    wanted: set[tuple[str, str]] = set()
    for first, theirs in people.items():
        features = reader.profile_of(CustomerId(first), theirs).features
        wanted |= {(segment.name, first) for segment in segments if segment.has(features)}
    everybody = {name for theirs in people.values() for name in theirs} | set(identities)
    return _write(wanted, everybody, desk, moment, step)


def _write(wanted: set[tuple[str, str]], everybody: set[str], desk: Desk, moment: Moment, step: Advance | None) -> int:
    here = live(desk)
    with here.database.transaction() as tx:
        there = profiles.memberships(tx, everybody)
        for segment, customer in sorted(wanted ^ there):
            entered = (segment, customer) in wanted
            profiles.member(tx, segment, customer, entered=entered, at=moment.at, position=moment.position)
        if step:
            eventlog.advance(tx, step, here.clock())
    return len(wanted ^ there)
