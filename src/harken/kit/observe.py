"""What happens -> metrics that Prometheus reads, and spans that OpenTelemetry carries. Only this file knows either library.

No label and no attribute says whom an event concerns or what was said: sources, outcomes, counts and positions only.
Without OpenTelemetry's SDK, which is whoever operates this to switch on, a span costs next to nothing and goes nowhere.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeAlias

from opentelemetry import trace
from opentelemetry.trace import Link, SpanContext, StatusCode
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from harken import __version__
from harken.kit.clock import stopwatch

CONTENT_TYPE = CONTENT_TYPE_LATEST
MOST_SOURCES = 50
OTHER = "other"
"""What further sources are called: a sender who makes up names cannot fill the memory of whoever counts them."""

_REGISTRY = CollectorRegistry()
ProcessCollector(registry=_REGISTRY)
_TRACER = trace.get_tracer("harken", __version__)

_QUICK = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_PATIENT = (0.01, 0.1, 1, 10, 60, 300, 3_600, 86_400, 604_800)


COUNTED: list[Counter | Histogram | Gauge] = []
LOOKED: list["Looked"] = []
"""Every metric that there is, as it is declared below."""


def _counter(name: str, what: str, *labels: str) -> Counter:
    made = Counter(name, what, labels, registry=_REGISTRY)
    COUNTED.append(made)
    return made


def _histogram(name: str, what: str, *labels: str, buckets: Sequence[float] = _QUICK) -> Histogram:
    made = Histogram(name, what, labels, registry=_REGISTRY, buckets=buckets)
    COUNTED.append(made)
    return made


def _gauge(name: str, what: str, *labels: str) -> Gauge:
    made = Gauge(name, what, labels, registry=_REGISTRY)
    COUNTED.append(made)
    return made


EVENTS_INGESTED = _counter(
    "support_events_ingested_total", "Events that came one by one, by what came of them.", "source", "outcome"
)
EVENTS_REJECTED = _counter("support_events_rejected_total", "Events kept aside, by reason.", "reason")
EVENTS_DUPLICATE = _counter("support_events_duplicate_total", "Events that the log had already.")
EVENTS_LATE = _counter("support_events_late_total", "Events older than the newest of their identity.")
EVENT_LAG = _histogram("support_event_lag_seconds", "From when it happened to when it was received.", buckets=_PATIENT)
PROFILE_UPDATE = _histogram(
    "support_profile_update_seconds", "One transaction: log, profiles, who is who and conversations."
)
PROFILE_FRESHNESS = _histogram(
    "support_profile_freshness_seconds", "From receiving an event to its being in the profile."
)
DECISIONS = _counter(
    "support_nba_decisions_total", "Decisions, by what they say and who asked.", "channel", "issue_status", "origin"
)
DECISION_SECONDS = _histogram("support_nba_decision_seconds", "From the question to the recorded decision.")
CACHE_REQUESTS = _counter(
    "support_cache_requests_total", "Answers of the search asked of a cache, by layer.", "layer", "result"
)
RETRIEVAL = _histogram("support_retrieval_seconds", "From a question to the passages that answer it.")
RETRIEVAL_MODE = _counter("support_retrieval_mode_total", "Searches, by how the nearest passages were found.", "mode")
ACTIONS = _counter("support_actions_total", "Actions, by what became of them.", "action", "state")
OUTBOX_SENT = _counter("support_outbox_sent_total", "Tries to deliver, by how they ended.", "channel", "outcome")
LEASE_FENCED = _counter("support_lease_fenced_total", "Workers that came back after another had taken their work.")
AUDIT_EVENTS = _counter("support_audit_events_total", "Events that this process wrote into the audit.")
AUDIT_SEAL = _histogram("support_audit_seal_seconds", "One turn of sealing the audit.")
AUDIT_FAILURES = _counter(
    "support_audit_verify_failures_total", "Times the audit was found not to be as it was sealed."
)
AUDIT_PINS = _counter(
    "support_audit_pins_total", "Tries to keep a signed head of the audit elsewhere, by how they ended.", "outcome"
)
REPLAYS = _counter("support_replay_total", "Recorded answers that were made again, by result.", "result")
CLASSIFIER_ASKED = _counter(
    "support_classifier_asked_total", "Unsure classifications that a language model was asked about.", "outcome"
)
BUDGET_USED = _gauge(
    "support_budget_used_ratio", "How much of a budget for language models is spent or set aside.", "scope"
)
MODEL_FALLBACK = _counter(
    "support_llm_fallback_total", "Language models that gave nothing usable, by why.", "model", "reason"
)
MODEL_COST = _counter("support_llm_cost_usd_total", "What calls of language models have cost, in dollars.", "model")
AUTH_FAILURES = _counter(
    "support_auth_failures_total", "Requests that were refused for who asked, by reason.", "reason"
)
RATE_LIMITED = _counter("support_rate_limited_total", "Requests that came too fast, by whose.", "scope")
AI_ANSWERS = _counter("support_ai_answers_total", "Tickets that the AI looked at, by what became of them.", "ending")
ESCALATIONS = _counter("support_escalations_total", "Tickets handed to people, by reason.", "reason")
CONFIDENCE = _histogram(
    "support_agent_confidence",
    "The lower of the two confidences in an answer.",
    buckets=[tenth / 10 for tenth in range(1, 11)],
)
ANSWER_SECONDS = _histogram(
    "support_answer_seconds", "From looking at a ticket to what is kept of its answer, a model's time included."
)
HTTP_SECONDS = _histogram(
    "http_server_request_duration_seconds",
    "Requests, from the first byte to the last of the answer.",
    "http_request_method",
    "http_route",
    "http_response_status_code",
)


@dataclass(frozen=True, slots=True)
class Looked:
    """A metric whose values are looked up when somebody asks for the page."""

    name: str
    what: str
    labels: tuple[str, ...] = ()
    family: type[GaugeMetricFamily] | type[CounterMetricFamily] = GaugeMetricFamily

    def __post_init__(self) -> None:
        LOOKED.append(self)


STORE_ANSWERS = Looked("support_store_reachable", "1: the store answered when this page was made; 0: it did not.")
WATERMARK_LAG = Looked("support_watermark_lag_seconds", "How old the newest event of a source is.", ("source",))
CONSUMER_LAG = Looked("support_consumer_lag_events", "Events that wait in an outside stream.", ("topic", "partition"))
SOURCE_UNUSUAL = Looked(
    "support_source_unusual", "1: the source's last whole hour is not as its hours usually are.", ("source", "what")
)
AUDIT_UNSEALED = Looked("support_audit_unsealed_events", "Events of the audit that wait to be sealed.")
AUDIT_UNSEALED_AGE = Looked("support_audit_unsealed_age_seconds", "How long the oldest of them has waited.")
AUDIT_TREE = Looked("support_audit_tree_size", "Events that are sealed.")
AUDIT_VERIFIED = Looked(
    "support_audit_last_verified_timestamp_seconds", "When the audit was last verified and found whole."
)
CONSISTENCY = Looked(
    "support_consistency_values_total",
    "Served values recomputed from the log, by result.",
    ("result",),
    CounterMetricFamily,
)

OUTBOX_PENDING = Looked("support_outbox_pending", "What is to leave and has not, by state.", ("state",))
OUTBOX_OLDEST = Looked("support_outbox_oldest_age_seconds", "How long the oldest of what is to leave has waited.")
DEAD_LETTERS = Looked("support_deadletter_events", "What was given up and waits for a person.")

Readings: TypeAlias = Mapping[Looked, Mapping[tuple[str, ...], float]]
"""Metric -> labels' values -> value."""

_sources: set[str] = set()


def source_label(name: str) -> str:
    """The name itself for the first so many sources, `other` for those after them."""
    if name not in _sources:
        if len(_sources) >= MOST_SOURCES:
            return OTHER
        _sources.add(name)
    return name


def add(metric: Counter, amount: float = 1, **labels: str) -> None:
    if amount:
        (metric.labels(**labels) if labels else metric).inc(amount)


def put(metric: Gauge, value: float, **labels: str) -> None:
    metric.labels(**labels).set(value)


def measure(metric: Histogram, *values: float, **labels: str) -> None:
    taken = metric.labels(**labels) if labels else metric
    for value in values:
        taken.observe(max(value, 0.0))


@contextmanager
def timed(metric: Histogram) -> Iterator[None]:
    """Seconds until the block ends; nothing where it raises."""
    elapsed = stopwatch()
    yield
    measure(metric, elapsed())


def page(looked: Readings) -> bytes:
    """Prometheus' text format: what was counted in this process, and what was looked up just now."""
    now = CollectorRegistry()
    now.register(_Just(looked))
    return generate_latest(_REGISTRY) + generate_latest(now)


class _Just:
    """What the client library asks for values."""

    def __init__(self, looked: Readings) -> None:
        self._looked = looked

    def collect(self) -> Iterable[Metric]:
        for metric, values in self._looked.items():
            family = metric.family(metric.name, metric.what, labels=metric.labels)
            for labels, value in sorted(values.items()):
                family.add_metric(labels, value)
            yield family


class Spanned:
    """What is under way, as far as anybody records it."""

    __slots__ = ("_span",)

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def say(self, **facts: str | int) -> None:
        """`events=3` -> the attribute `support.events`."""
        if self._span.is_recording():
            self._span.set_attributes({f"support.{name}": value for name, value in facts.items()})


Origin: TypeAlias = SpanContext


def origin() -> Origin | None:
    """The span in which this is called, to be linked from another; None: nobody records."""
    here = trace.get_current_span().get_span_context()
    return here if here.is_valid else None


def span(name: str, caused_by: Iterable[Origin | None] = ()) -> AbstractContextManager[Spanned]:
    """A span around the block. What an error says is left out, since it may quote what somebody wrote; its type is in."""
    made = _TRACER.start_span(name, links=[Link(each) for each in caused_by if each])
    return _within(made) if made.get_span_context().is_valid else _NOWHERE


_NOWHERE = nullcontext(Spanned(trace.INVALID_SPAN))
"""Nobody records: there is no span to be the current one."""


@contextmanager
def _within(made: trace.Span) -> Iterator[Spanned]:
    with trace.use_span(made, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield Spanned(made)
        except BaseException as error:
            made.set_attribute("error.type", type(error).__qualname__)
            made.set_status(StatusCode.ERROR)
            raise


def trace_fields() -> dict[str, str]:
    """What joins a log line to its trace; nothing where nobody records."""
    here = trace.get_current_span().get_span_context()
    if not here.is_valid:
        return {}
    return {"trace_id": trace.format_trace_id(here.trace_id), "span_id": trace.format_span_id(here.span_id)}
