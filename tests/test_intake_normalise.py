"""Rows become events by one plan; DuckDB, Polars and pandas agree on every value; every row has one end."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from examples import tries
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.intake.normalise import EVENTS, check, normalise, repeated, texts
from harken.intake.reading_csv import SCHEMA

NOW = datetime(2018, 1, 1, tzinfo=UTC)
NOW_US = int(NOW.timestamp() * 1_000_000)
WHEN = "Tue Oct 31 22:10:47 +0000 2017"
AT = 1_509_487_847_000_000


def on_duckdb(table: pa.Table) -> nw.LazyFrame[Any]:
    return nw.from_native(duckdb.connect().from_arrow(table))


def on_polars(table: pa.Table) -> nw.LazyFrame[Any]:
    return nw.from_native(pl.from_arrow(table).lazy())  # type: ignore[union-attr]


def on_pandas(table: pa.Table) -> nw.LazyFrame[Any]:
    return nw.from_native(table.to_pandas(types_mapper=pd.ArrowDtype)).lazy()


ENGINES = {"duckdb": on_duckdb, "polars": on_polars, "pandas": on_pandas}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Callable[[pa.Table], nw.LazyFrame[Any]]:
    return ENGINES[request.param]


def raw(*rows: dict[str, str | None]) -> pa.Table:
    usual = {
        "author_id": "115712",
        "inbound": "True",
        "created_at": WHEN,
        "text": "@Acme my parcel is late",
        "response_tweet_id": "",
        "in_response_to_tweet_id": "",
    }
    cells = [{"line": line, "tweet_id": str(line)} | usual | row for line, row in enumerate(rows, start=2)]
    return pa.Table.from_pylist(cells, schema=SCHEMA)


def rows_of(frame: nw.LazyFrame[Any]) -> list[dict[str, Any]]:
    """Rows in the order of their lines, null as None on every engine."""
    native = frame.collect().to_native()
    table = (
        pa.Table.from_pandas(native, preserve_index=False)
        if isinstance(native, pd.DataFrame)
        else nw.from_native(native, eager_only=True).to_arrow()
    )
    return sorted(table.to_pylist(), key=lambda row: row["line"])


def parts_of(engine: Callable[[pa.Table], nw.LazyFrame[Any]], table: pa.Table) -> list[list[dict[str, Any]]]:
    """Accepted, duplicates, quarantined, as rows."""
    frame = engine(table)
    normal = normalise(frame, now_us=NOW_US)
    again = repeated(normal)
    known = bool(ids_of(again))
    parts = check(normal, again if known else None, texts(frame))
    return [rows_of(part) if part is not None else [] for part in parts]


def ids_of(frame: nw.LazyFrame[Any]) -> list[Any]:
    return frame.collect("pyarrow")["id"].to_list()


def one(engine: Callable[[pa.Table], nw.LazyFrame[Any]], **cells: str | None) -> dict[str, Any]:
    [row] = rows_of(normalise(engine(raw(cells)), now_us=NOW_US))
    return row


def test_a_customers_row_is_a_message_received(engine: Callable[[pa.Table], nw.LazyFrame[Any]]) -> None:
    assert one(engine, tweet_id="7", in_response_to_tweet_id="3.0") == {
        "id": "twitter:7",
        "kind": "message_received",
        "identity": "twitter:115712",
        "author": "115712",
        "channel": "twitter",
        "at": AT,
        "in_reply_to": "twitter:3",
        "addressed_to": "acme",
        "attributes": None,
        "source": "twcs",
        "line": 2,
        "reason": None,
        "repaired": None,
    }


def test_our_row_is_a_message_sent_to_we_know_not_whom(engine: Callable[[pa.Table], nw.LazyFrame[Any]]) -> None:
    row = one(engine, author_id="Acme", inbound="FALSE", text="@115712 sorry to hear that, ask @help")

    assert (row["kind"], row["identity"], row["author"], row["addressed_to"]) == ("message_sent", None, "Acme", None)


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"tweet_id": "1.2E+17"}, "bad_id"),
        ({"tweet_id": ""}, "bad_id"),
        ({"tweet_id": None}, "bad_id"),
        ({"tweet_id": "1" * 19}, "bad_id"),
        ({"author_id": "  "}, "bad_author"),
        ({"inbound": "maybe"}, "bad_inbound"),
        ({"created_at": "yesterday"}, "unreadable_time"),
        ({"created_at": "2017-10-31 22:10:47"}, "unreadable_time"),
        ({"created_at": "2017-02-29T00:00:00Z"}, "unreadable_time"),
        ({"created_at": "Mon Apr 31 22:10:47 +0000 2017"}, "unreadable_time"),
        ({"created_at": "2018-01-01T00:00:01Z"}, "time_in_future"),
        ({"text": " \n\t"}, "empty_text"),
        ({"text": None}, "empty_text"),
    ],
)
def test_the_first_thing_wrong_is_the_reason(
    engine: Callable[[pa.Table], nw.LazyFrame[Any]], cells: dict[str, str | None], reason: str
) -> None:
    assert one(engine, **cells)["reason"] == reason


@pytest.mark.parametrize(
    ("parent", "in_reply_to", "repaired"),
    [("12", "twitter:12", None), ("", None, None), ("1.1E+17", None, "bad_parent"), (" '9.0 ", "twitter:9", None)],
)
def test_an_unreadable_parent_costs_only_the_link(
    engine: Callable[[pa.Table], nw.LazyFrame[Any]], parent: str, in_reply_to: str | None, repaired: str | None
) -> None:
    row = one(engine, in_response_to_tweet_id=parent)

    assert (row["in_reply_to"], row["repaired"], row["reason"]) == (in_reply_to, repaired, None)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("@115712 @Acme_Help hello", "acme_help"),
        (".@ACME! hello", "acme"),
        ("write me at ada@example.org", None),
        ("ada@example.org or @Acme", "acme"),
        ("hello\n@2Acme\nbye", "2acme"),
        ("@ @115712", None),
        ("no name", None),
    ],
)
def test_the_first_name_addressed(engine: Callable[[pa.Table], nw.LazyFrame[Any]], text: str, name: str | None) -> None:
    assert one(engine, text=text)["addressed_to"] == name


def test_the_apostrophe_of_a_spreadsheet_is_no_text(engine: Callable[[pa.Table], nw.LazyFrame[Any]]) -> None:
    cells = {"text": "'@Acme hi", "tweet_id": "'5", "author_id": " 'ada"}
    row = one(engine, **cells)
    [written] = rows_of(texts(engine(raw(cells))))

    assert written["text"] == "@Acme hi"
    assert (row["id"], row["author"], row["addressed_to"], row["repaired"]) == (
        "twitter:5",
        "ada",
        "acme",
        "apostrophe",
    )


@settings(max_examples=tries(4), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(1900, 3, 1), datetime(2399, 12, 31)),  # noqa: DTZ001  hypothesis adds the zone
            st.integers(-14 * 60, 14 * 60),
        ),
        min_size=20,
        max_size=40,
    )
)
def test_times_are_read_as_python_reads_them(moments: list[tuple[datetime, int]]) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    zoned = [naive.replace(tzinfo=UTC) - timedelta(minutes=minutes) for naive, minutes in moments]
    offsets = [f"{'-' if m < 0 else '+'}{abs(m) // 60:02}:{abs(m) % 60:02}" for _, m in moments]
    iso = [naive.isoformat() + offset for (naive, _), offset in zip(moments, offsets, strict=True)]
    days, months = (
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    )
    words = [
        f"{days[n.weekday()]} {months[n.month - 1]} {n:%d %H:%M:%S} {offset.replace(':', '')} {n.year}"
        for (n, _), offset in zip(moments, offsets, strict=True)
    ]
    table = raw(*[{"created_at": text} for text in [*iso, *words]])

    exact = [(moment - epoch) // timedelta(microseconds=1) for moment in zoned]
    expected = [*exact, *(at // 1_000_000 * 1_000_000 for at in exact)]
    for engine in ENGINES.values():
        rows = rows_of(normalise(engine(table), now_us=2**62))
        assert [row["at"] for row in rows] == expected


def test_the_first_of_two_rows_stays(engine: Callable[[pa.Table], nw.LazyFrame[Any]]) -> None:
    table = raw(
        {"tweet_id": "1"},
        {"tweet_id": "2"},
        {"tweet_id": "1.0"},
        {"tweet_id": "1", "text": "something else"},
        {"tweet_id": "1", "in_response_to_tweet_id": "2"},
        {"tweet_id": "x"},
    )

    accepted, duplicates, quarantined = parts_of(engine, table)

    assert [row["line"] for row in accepted] == [2, 3]
    assert [row["line"] for row in duplicates] == [4]
    assert [(row["line"], row["reason"]) for row in quarantined] == [
        (5, "conflicting_duplicate"),
        (6, "conflicting_duplicate"),
        (7, "bad_id"),
    ]
    assert [*accepted[0]] == [*(name for name in EVENTS.names if name != "text"), "repaired"]


CELLS = st.fixed_dictionaries(
    {
        "tweet_id": st.sampled_from(["1", "2", "3.0", "3", "", "1E+5", None]),
        "author_id": st.sampled_from(["ada", "", "'ada"]),
        "inbound": st.sampled_from(["True", "false", "TRUE", "?"]),
        "created_at": st.sampled_from([WHEN, "2017-10-31T23:10:47.5+0100", "2030-01-01T00:00:00Z", "now", ""]),
        "text": st.sampled_from(["@Acme hi", "hi", "", "'=1+1"]),
        "in_response_to_tweet_id": st.sampled_from(["", "1", "1.0", "-1", "9E9"]),
    }
)


@settings(max_examples=tries(4), deadline=None)
@given(st.lists(CELLS, min_size=30, max_size=80))
def test_every_row_has_one_end_and_engines_agree(cells: list[dict[str, str | None]]) -> None:
    table = raw(*cells)

    ends = {name: parts_of(engine, table) for name, engine in ENGINES.items()}

    assert ends["polars"] == ends["duckdb"]
    assert ends["pandas"] == ends["duckdb"]
    lines = [row["line"] for part in ends["duckdb"] for row in part]
    assert sorted(lines) == table["line"].to_pylist()
    assert len({row["id"] for row in ends["duckdb"][0]}) == len(ends["duckdb"][0])
