"""The turns of a case -> Facts: one pass, integers only, so that batch and live agree to the bit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from harken.conversations import topics
from harken.conversations.cases import CLOSED, SENT, Case, Row, turn_of
from harken.domain.conversation import Conversation, Facts, Turn
from harken.domain.event import Channel, Kind, Signal
from harken.domain.ids import EventId

BRAND_TIMES_KEPT = 50
SECOND_US = 1_000_000

# Plain integers: an IntFlag operation costs a microsecond.
_GLAD = int(Signal.THANKS | Signal.CONFIRMS_FIX)
_NOT_GLAD = int(Signal.STILL_BROKEN | Signal.QUESTION | Signal.WANTS_PERSON | Signal.REGULATORY | Signal.ANGRY)
_KINDLY = int(Signal.THANKS | Signal.CONFIRMS_FIX | Signal.PRAISE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def facts_of(turns: Sequence[Turn]) -> Facts:
    """What the turns (at least one, in any order) add up to."""
    return facts_of_rows(sorted(map(_row_of, turns), key=attrgetter("at", "id")))


def facts_of_rows(rows: Sequence[Row], bystander_since: int | None = None) -> Facts:
    """The same for the rows of a case, which are in time order; what the rest of the thread adds is handed in."""
    tally = _Tally()
    for row in rows:
        if row.kind == SENT:
            tally.we_said(row)
        elif row.kind == CLOSED:
            tally.closed(row)
        else:
            tally.customer_said(row)
    return tally.facts(rows[0].at // SECOND_US, rows[-1].at // SECOND_US, bystander_since)


def conversation_of(case: Case, texts: Mapping[EventId, str] | None = None) -> Conversation:
    """The noun for a case; `texts` are the cleaned texts of its turns where somebody will read them."""
    texts = texts or {}
    return Conversation(
        id=case.id,
        thread=case.thread,
        identity=case.identity,
        brand=case.brand,
        channel=Channel(case.channel),
        facts=facts_of_rows(case.rows, case.bystander_since),
        turns=tuple(turn_of(row, texts.get(EventId(row.id), "")) for row in case.rows),
    )


@dataclass(slots=True)
class _Tally:
    """The running sums of the pass; times in whole seconds."""

    customer_turns: int = 0
    brand_turns: int = 0
    unanswered: int = 0
    unanswered_since: int | None = None
    unanswered_signals: int = 0
    urgency: int = 0
    closed_at: int | None = None
    settled: bool = False  #: the customer was glad, or somebody closed, and no new word has come since
    reopened: int = 0
    reply_s: list[int] = field(default_factory=list)
    brand_at: list[int] = field(default_factory=list)
    last_customer: Row | None = None
    last_brand_signals: int = 0
    all_customer_signals: int = 0
    last_sentiment: int | None = None
    worst_sentiment: int | None = None
    language: str = "und"
    topics: list[Mapping[str, tuple[str, ...]]] = field(default_factory=list)

    def customer_said(self, row: Row) -> None:
        signals = row.signals
        if self.settled and not (signals & _KINDLY and not signals & _NOT_GLAD):
            self.reopened += 1
            self.settled = False
        # Words of thanks within the burst that also asks are manners, not an end.
        if signals & _GLAD and not signals & _NOT_GLAD:
            self.settled = True
        self.customer_turns += 1
        self.closed_at = None
        self.unanswered += 1
        if self.unanswered_since is None:
            self.unanswered_since = row.at // SECOND_US
        self.unanswered_signals |= signals
        self.all_customer_signals |= signals
        self.urgency = max(self.urgency, row.urgency)
        self.last_customer = row
        self._read(row)

    def _read(self, row: Row) -> None:
        if row.sentiment is not None:
            self.last_sentiment = row.sentiment
            worst = self.worst_sentiment
            self.worst_sentiment = row.sentiment if worst is None else min(worst, row.sentiment)
        if row.language != "und":
            self.language = row.language
        if row.evidence:
            self.topics.append(row.evidence)

    def we_said(self, row: Row) -> None:
        at = row.at // SECOND_US
        self.brand_turns += 1
        self.brand_at.append(at)
        self.last_brand_signals = row.signals
        self.closed_at = None
        if self.unanswered_since is not None:
            self.reply_s.append(at - self.unanswered_since)
        self._nothing_waits()

    def closed(self, row: Row) -> None:
        self.closed_at = row.at // SECOND_US
        self.settled = True
        self._nothing_waits()

    def _nothing_waits(self) -> None:
        self.unanswered = self.unanswered_signals = self.urgency = 0
        self.unanswered_since = None

    def facts(self, opened_at: int, last_at: int, bystander_since: int | None) -> Facts:
        last = self.last_customer
        topic, words = topics.topic_from(self.topics)
        return Facts(
            opened_at=opened_at,
            last_at=last_at,
            last_customer_at=last.at // SECOND_US if last else None,
            last_brand_at=self.brand_at[-1] if self.brand_at else None,
            customer_turns=self.customer_turns,
            brand_turns=self.brand_turns,
            unanswered=self.unanswered,
            unanswered_since=self.unanswered_since,
            customer_spoke_last=self.unanswered > 0,
            closed_at=self.closed_at,
            reopened=self.reopened,
            first_reply_s=self.reply_s[0] if self.reply_s else None,
            reply_s=tuple(self.reply_s),
            brand_at=tuple(self.brand_at[-BRAND_TIMES_KEPT:]),
            last_customer_signals=last.signals if last else 0,
            last_brand_signals=self.last_brand_signals,
            all_customer_signals=self.all_customer_signals,
            unanswered_signals=self.unanswered_signals,
            last_sentiment=self.last_sentiment,
            worst_sentiment=self.worst_sentiment,
            urgency=self.urgency,
            language=self.language,
            topic=topic,
            topic_evidence=words,
            bystander_since=bystander_since,
            evidence=dict(last.evidence) if last else {},
        )


def _row_of(turn: Turn) -> Row:
    """The columns that the pass looks at; kind says who spoke."""
    kind = Kind.MESSAGE_RECEIVED if turn.from_customer else Kind.MESSAGE_SENT
    reading = turn.reading
    return Row(
        id=turn.id,
        at=(turn.at - _EPOCH) // _MICROSECOND,
        kind=Kind.ISSUE_RESOLVED if turn.closes else kind,
        identity=None,
        author=turn.author,
        channel=turn.channel,
        language=reading.language,
        sentiment=reading.sentiment,
        urgency=reading.urgency,
        signals=reading.signals,
        evidence=reading.evidence,
    )
