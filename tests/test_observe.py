"""What is told of live events: metrics on a page, spans from the door to the profile, a log line a batch; never of whom."""

import asyncio
import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from journey import NOW
from live_cases import arrival, live_desk, made_up, whole_desk
from live_web_cases import BATCH, EVENTS, HERE, spoke
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from harken.cli import logs
from harken.errors import TryAgainError, UnsuitableError
from harken.eventlog.store import Advance
from harken.flow.arriving import Refusal
from harken.flow.door import Sent
from harken.flow.inbox import Inbox
from harken.flow.live import receive
from harken.kit import observe
from harken.kit.clock import stopped_at
from harken.privacy.tokens import log_processor
from harken.web.app import app_of

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
ROOT = Path(__file__).parent.parent


@pytest.fixture
def web(store_url: str, tmp_path: Path) -> Iterator[TestClient]:
    with (
        whole_desk(store_url, tmp_path) as desk,
        TestClient(app_of(desk), base_url=HERE, raise_server_exceptions=False) as client,
    ):
        yield client


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(observe, "_TRACER", provider.get_tracer("test"))
    return exporter


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    root, pool = logging.getLogger(), logging.getLogger("psycopg.pool")
    before = (root.handlers[:], root.level, pool.level)
    with redirect_stderr(io.StringIO()) as err:
        logs.to_standard_error("INFO")
        yield err
    root.handlers[:], root.level = before[:2]
    pool.setLevel(before[2])


def samples(page: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


class Grown:
    """What a page shows more than an earlier one: the process has counted for other tests as well."""

    def __init__(self, web: TestClient) -> None:
        self._web = web
        self._before = self.now()

    def now(self) -> Samples:
        answer = self._web.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        return samples(answer.text)

    def since(self) -> Samples:
        return {key: value - self._before.get(key, 0) for key, value in self.now().items()}


def of(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_what_became_of_events_is_counted(web: TestClient) -> None:
    grown = Grown(web)
    old = spoke(3, "ada", timestamp=(NOW - timedelta(hours=2)).isoformat())
    web.post(BATCH, json={"batch": [spoke(1, "ada"), spoke(2, "ben") | {"type": "sneeze"}]})
    web.post(EVENTS, json=spoke(1, "ada"))
    web.post(EVENTS, json=old)

    seen = grown.since()
    assert seen[of("support_events_ingested_total", source="api", outcome="accepted")] == 2
    assert seen[of("support_events_ingested_total", source="api", outcome="duplicate")] == 1
    assert seen[of("support_events_ingested_total", source="api", outcome="quarantined")] == 1
    assert seen[of("support_events_rejected_total", reason="unknown_kind")] == 1
    assert seen[of("support_events_duplicate_total")] == 1
    assert seen[of("support_events_late_total")] == 1
    assert seen[of("support_event_lag_seconds_count")] == 2
    assert seen[of("support_event_lag_seconds_bucket", le="3600.0")] == 1
    assert seen[of("support_event_lag_seconds_sum")] == pytest.approx(7_200)
    assert seen[of("support_profile_freshness_seconds_count")] == 2
    assert seen[of("support_profile_update_seconds_count")] == 3
    assert seen[of("support_watermark_lag_seconds", source="api")] == 0


def test_freshness_is_from_the_door_to_the_commit(store_url: str, web: TestClient) -> None:
    """The clock of the desk has moved on by the time the transaction is over."""
    grown = Grown(web)
    with live_desk(store_url) as desk:
        receive([arrival(made_up(1, seed=6)[0])], replace(desk, clock=stopped_at(NOW + timedelta(seconds=3))))

    assert grown.since()[of("support_profile_freshness_seconds_sum")] == pytest.approx(3)


def test_decisions_and_requests_are_counted_by_what_they_are(web: TestClient) -> None:
    grown = Grown(web)
    web.post(EVENTS, json=spoke(1, "ada"))
    decided = web.post("/predict_nba", json={"customer_id": "ada"}).json()
    web.get("/api/v1/profiles/ada")
    web.get("/api/v1/profiles/nobody")
    web.get("/etc/passwd")
    web.request("BREW", "/etc/passwd")
    web.get("/health", headers={"host": "evil.example"})

    seen = grown.since()
    labels = {"channel": decided["channel"], "issue_status": decided["issue_status"], "origin": "request"}
    assert seen[of("support_nba_decisions_total", **labels)] == 1
    assert seen[of("support_nba_decision_seconds_count")] == 1

    def answered(method: str, route: str, status: str) -> float:
        labels = {"http_request_method": method, "http_route": route, "http_response_status_code": status}
        return seen[of("http_server_request_duration_seconds_count", **labels)]

    profile = "/api/v1/profiles/{customer}"
    assert (answered("GET", profile, "200"), answered("GET", profile, "404")) == (1, 1)
    assert (answered("GET", "", "404"), answered("_OTHER", "", "404"), answered("GET", "", "403")) == (1, 1, 1)
    assert answered("POST", "/predict_nba", "200") == 1


def test_what_waits_in_outside_streams_is_looked_up(web: TestClient, store_url: str) -> None:
    with live_desk(store_url) as desk:
        step = Advance(stream="crm", partition=3, expected=None, upto=10, newest=25)
        receive([arrival(event) for event in made_up(1, seed=8)], desk, step)

    assert Grown(web).now()[of("support_consumer_lag_events", topic="crm", partition="3")] == 15


def test_a_store_that_does_not_answer_is_on_the_page(store_url: str, tmp_path: Path) -> None:
    with whole_desk(store_url, tmp_path) as desk, TestClient(app_of(desk), base_url=HERE) as web:
        assert desk.live is not None
        assert Grown(web).now()[of("support_store_reachable")] == 1
        broken = replace(desk, live=replace(desk.live, database=Away()))  # type: ignore[arg-type]
        with TestClient(app_of(broken), base_url=HERE) as other:
            page = Grown(other).now()
    assert page[of("support_store_reachable")] == 0
    assert of("support_events_late_total") in page


class Away:
    """A database that is not there."""

    def transaction(self) -> None:
        raise TryAgainError("The database did not answer.")

    statement = transaction


def test_names_of_sources_cannot_fill_the_memory(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "_sources", set())
    refusals = [
        Refusal(id="x", source=f"made-up-{number}", reason="broken_row", raw=b"%d" % number, received_at=NOW)
        for number in range(observe.MOST_SOURCES + 20)
    ]
    with live_desk(store_url) as desk:
        receive(refusals, desk)

    seen = samples(observe.page({}).decode())
    found = {dict(labels)["source"] for name, labels in seen if name == "support_events_ingested_total"}
    assert len({name for name in found if name.startswith("made-up-")}) == observe.MOST_SOURCES
    assert seen[of("support_events_ingested_total", source="other", outcome="quarantined")] >= 20


def test_no_page_and_no_span_says_whom_or_what(
    web: TestClient, spans: InMemorySpanExporter, log_lines: io.StringIO
) -> None:
    secret = ["jane.roe@example.com", "+351 912 345 678", "4111 1111 1111 1111", "m77", "hush-hush"]
    text = f"I am {secret[0]}, call {secret[1]}, card {secret[2]}, {secret[4]}"
    web.post(EVENTS, json=spoke(77, "jane.roe@example.com", text))
    web.post(EVENTS, json=spoke(77, "jane.roe@example.com", text + "!"))
    web.get("/api/v1/profiles/jane.roe@example.com")
    web.post("/predict_nba", json={"customer_id": "jane.roe@example.com"})

    told = (
        web.get("/metrics").text + log_lines.getvalue() + "".join(span.to_json() for span in spans.get_finished_spans())
    )
    assert "events_received" in told
    assert [word for word in secret if word in told or word.replace(" ", "") in told] == []


async def test_the_spans_of_an_event_reach_from_the_door_to_the_profile(
    store_url: str, spans: InMemorySpanExporter, log_lines: io.StringIO
) -> None:
    with live_desk(store_url) as desk:
        inbox = Inbox(desk)
        work = asyncio.create_task(inbox.work())
        with observe.span("request"):
            asked_in = observe.origin()
            await inbox.put([Sent(body=spoke(1, "ada"), source="api", received_at=NOW)])
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work

    by_name = {span.name: span for span in spans.get_finished_spans()}
    assert parents(by_name) == {
        "request": None, "take_in": None, "receive": "take_in", "prepare": "receive", "append": "receive",
        "fold": "receive", "who_is_who": "receive", "regroup": "receive",
    }  # fmt: skip
    assert asked_in is not None
    assert [link.context.trace_id for link in by_name["take_in"].links] == [asked_in.trace_id]
    assert dict(by_name["receive"].attributes or {}) == {
        "support.events": 1, "support.accepted": 1, "support.duplicate": 0, "support.quarantined": 0, "support.refused": 0,
        "support.late": 0,
        "support.first_position": 1, "support.last_position": 1,
    }  # fmt: skip

    [line] = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    assert (line["event"], line["level"], line["accepted"]) == ("events_received", "info", 1)
    context = by_name["receive"].context
    assert context is not None
    assert (line["trace_id"], line["span_id"]) == (f"{context.trace_id:032x}", f"{context.span_id:016x}")


def parents(by_name: dict[str, ReadableSpan]) -> dict[str, str | None]:
    names = {span.context.span_id: name for name, span in by_name.items() if span.context}
    return {name: names[span.parent.span_id] if span.parent else None for name, span in by_name.items()}


def test_a_span_that_fails_says_the_kind_of_error_and_not_its_words(
    store_url: str, spans: InMemorySpanExporter
) -> None:
    with pytest.raises(UnsuitableError), observe.span("receive"):
        raise UnsuitableError("hush-hush")

    [failed] = spans.get_finished_spans()
    assert failed.status.is_ok is False
    assert dict(failed.attributes or {}) == {"error.type": "UnsuitableError"}
    assert "hush" not in failed.to_json()


def test_without_the_sdk_a_line_has_no_trace(store_url: str, log_lines: io.StringIO) -> None:
    with live_desk(store_url) as desk:
        receive([arrival(event) for event in made_up(3, seed=1)], desk)

    [line] = [json.loads(line) for line in log_lines.getvalue().splitlines()]
    assert (line["events"], line["first_position"], line["last_position"]) == (3, 1, 3)
    assert "trace_id" not in line


def test_a_trace_that_looks_like_a_card_is_still_a_trace() -> None:
    unlucky = "5828825886610913a65e0abfeac6907d"
    line = log_processor(None, "info", {"trace_id": unlucky, "note": unlucky, "span_id": "card 5828825886610913"})

    assert line["trace_id"] == unlucky
    assert "[CARD]" in line["note"]
    assert "[CARD]" in line["span_id"]


def test_every_metric_is_documented() -> None:
    page = (ROOT / "docs" / "reference.md").read_text("utf-8")
    section = page.split("\n## Metrics\n")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)(?:\{[\w,]+\})?` \| (.+?) \|$", section, re.MULTILINE))
    named = {_full_name(metric) for metric in observe.COUNTED} | {metric.name for metric in observe.LOOKED}

    assert rows.keys() == named
    labelled = dict(re.findall(r"^\| `(\w+)\{([\w,]+)\}`", section, re.MULTILINE))
    for metric in observe.COUNTED:
        assert labelled.get(_full_name(metric), "") == ",".join(metric._labelnames)
    for looked in observe.LOOKED:
        assert labelled.get(looked.name, "") == ",".join(looked.labels)


def _full_name(metric: object) -> str:
    """Of a counter the library keeps the name without its ending."""
    name: str = metric._name  # type: ignore[attr-defined]
    return f"{name}_total" if type(metric).__name__ == "Counter" else name
