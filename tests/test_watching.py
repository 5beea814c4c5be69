"""A source that is not as usual rings; one that is does not."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from journey import NOW, rows_of
from live_cases import arrival, live_desk, made_up, receive_all, shuffled, whole_desk

from harken.flow import watching
from harken.intake.unusual import DAYS, MIN_DAYS, RULES, Hour, unusual
from harken.kit import observe

USUAL = Hour({"message_received": 60, "payment": 40}, slow=5)


@pytest.mark.parametrize(
    ("now", "rings"),
    [
        (USUAL, set()),
        (Hour({"message_received": 100, "payment": 80}, slow=10), set()),
        (Hour({"message_received": 181, "payment": 120}, slow=20), {"rate"}),
        (Hour({"message_received": 30, "payment": 20}, slow=2), set()),
        (Hour({"message_received": 19, "payment": 14}), {"rate"}),
        (Hour(), {"rate"}),
        (Hour({"message_received": 60, "payment": 40}, slow=29), set()),
        (Hour({"message_received": 60, "payment": 40}, slow=30), {"lag"}),
        (Hour({"message_received": 80, "payment": 20}, slow=5), set()),
        (Hour({"message_received": 85, "payment": 15}, slow=5), {"mix"}),
        (Hour({"message_received": 36, "payment": 36, "login": 28}, slow=5), {"mix"}),
    ],
)
def test_each_rule_rings_and_is_silent(now: Hour, rings: set[str]) -> None:
    assert {name for name, loud in unusual(now, [USUAL] * DAYS).items() if loud} == rings


def test_one_odd_day_is_no_yardstick() -> None:
    odd = Hour({"login": 9_000}, slow=9_000)
    usual = [USUAL] * 8 + [odd] * 3 + [Hour()] * 3

    assert not any(unusual(USUAL, usual).values())
    assert unusual(odd, usual) == {"rate": True, "lag": True, "mix": True}


def test_a_small_or_a_new_source_never_rings() -> None:
    few = Hour({"payment": 10}, slow=0)
    assert not any(unusual(Hour({"login": 49}, slow=49), [few] * DAYS).values())
    assert not any(unusual(Hour(), [USUAL] * (MIN_DAYS - 1)).values())
    assert unusual(Hour(), [USUAL] * MIN_DAYS)["rate"]
    assert not any(unusual(USUAL, [Hour()] * DAYS)[name] for name in ("lag", "mix"))


def test_every_rule_is_documented() -> None:
    page = (Path(__file__).parent.parent / "docs" / "howto" / "watch.md").read_text("utf-8")
    for rule in RULES:
        assert f"| `{rule.name}` |" in page


def fill(url: str, hours: Iterable[tuple[int, str, str, int, int]]) -> None:
    """(hours before the last whole one, source, kind, events, slow) by two writers."""
    last = NOW - timedelta(hours=1)
    with psycopg.connect(url) as owner, owner.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO source_hour VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    last - timedelta(hours=back),
                    source,
                    kind,
                    writer,
                    events // 2,
                    slow // 2,
                    last - timedelta(hours=back),
                )
                for back, source, kind, events, slow in hours
                for writer in (1, 2)
            ],
        )


def test_a_source_that_fell_silent_is_on_the_page_and_the_others_are_not(store_url: str, tmp_path: Path) -> None:
    days = range(24, 24 * (DAYS + 1), 24)
    steady = [(back, "steady", "payment", 100, 4) for back in (0, *days)]
    silent = [(back, "silent", "payment", 100, 4) for back in days]
    ancient = [(24 * 40, "ancient", "payment", 100, 4)]
    fill(store_url, [*steady, *silent, *ancient, (1, "new", "payment", 1_000, 0)])

    with whole_desk(store_url, tmp_path) as desk:
        found = watching.readings(desk)

    rings = found[observe.SOURCE_UNUSUAL]
    assert rings["silent", "rate"] == 1
    assert {label for label, value in rings.items() if value} == {("silent", "rate")}
    assert rings["steady", "mix"] == 0
    lags = found[observe.WATERMARK_LAG]
    assert lags == {("steady",): 3_600, ("silent",): 25 * 3_600, ("new",): 2 * 3_600}
    assert rows_of(store_url, "SELECT source FROM source_hour WHERE source = 'ancient'") == [], "it is forgotten"


def test_what_is_counted_is_what_the_log_took(store_url: str) -> None:
    events = made_up(120, seed=3)
    delivered = [arrival(event) for event in shuffled(events, seed=3, twice=0.3)]
    with live_desk(store_url) as desk:
        receive_all(desk, delivered, size=13)

    counted = rows_of(
        store_url,
        "SELECT source, hour, kind, sum(events)::int AS events, sum(slow)::int AS slow, max(newest) AS newest "
        "FROM source_hour GROUP BY 1, 2, 3 ORDER BY kind",
    )
    assert counted == rows_of(
        store_url,
        "SELECT source, date_trunc('hour', received_at, 'UTC') AS hour, kind, count(*)::int AS events, "
        "(count(*) FILTER (WHERE received_at - at > interval '5 minutes'))::int AS slow, max(at) AS newest "
        "FROM event GROUP BY 1, 2, 3 ORDER BY kind",
    )
    assert sum(row["events"] for row in counted) == len(events)
