"""Reply links -> roots: the same on every engine, in any order, with missing parents and circles."""

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from examples import tries
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.conversations import threads
from harken.conversations.threads import Unlinked

Parents = Mapping[str, str | None]
NAMES = [f"t:{number}" for number in range(1, 15)]
forests = st.dictionaries(
    st.sampled_from(NAMES), st.one_of(st.none(), st.sampled_from([*NAMES, "gone:1", "gone:22"])), max_size=14
)
TEXT = pa.string()
EDGES = pa.schema([("id", TEXT), ("parent", TEXT)])


def kept(_name: str, frame: nw.LazyFrame) -> nw.LazyFrame:
    return frame.collect().lazy()


def on_polars(table: pa.Table) -> nw.LazyFrame:
    return nw.from_native(pl.from_arrow(table)).lazy()


def on_pandas(table: pa.Table) -> nw.LazyFrame:
    return nw.from_native(table.to_pandas(types_mapper=pd.ArrowDtype)).lazy()


def edges(parents: Parents) -> pa.Table:
    return pa.table({"id": list(parents), "parent": list(parents.values())}, schema=EDGES)


def as_dict(frame: nw.LazyFrame, value: str = "thread") -> dict[str, str]:
    rows = frame.select("id", value).collect("pyarrow").to_native().to_pylist()
    found = {row["id"]: row[value] for row in rows}
    assert len(found) == len(rows), "one row per id"
    return found


def roots(parents: Parents) -> dict[str, str]:
    return as_dict(threads.roots(on_polars(edges(parents)), kept))


def chain(length: int) -> dict[str, str | None]:
    return {f"t:{n}": f"t:{n - 1}" if n else None for n in range(length)}


@settings(max_examples=tries(60), deadline=None)
@given(forests, st.randoms(use_true_random=False))
def test_frames_and_dictionaries_agree_in_any_order(parents: dict[str, str | None], random: Random) -> None:
    shuffled = list(parents.items())
    random.shuffle(shuffled)

    assert roots(dict(shuffled)) == threads.root_of_all(parents) == threads.root_of_all(dict(shuffled))


@given(forests)
def test_an_event_and_its_parent_share_a_thread(parents: dict[str, str | None]) -> None:
    root = threads.root_of_all(parents)

    assert root.keys() == parents.keys()
    for id_, parent in parents.items():
        assert root[id_] == (root.get(parent, parent) if parent else id_)


def test_children_of_a_missing_parent_share_its_thread() -> None:
    parents = {"t:2": "t:1", "t:3": "t:1", "t:4": "t:3"}

    assert roots(parents) == {"t:2": "t:1", "t:3": "t:1", "t:4": "t:1"}


@pytest.mark.parametrize("length", [1, 2, 3, 64, 257])
def test_a_chain_of_any_length_has_one_root(length: int) -> None:
    parents = chain(length)

    assert set(roots(parents).values()) == {"t:0"}
    assert set(threads.root_of_all(parents).values()) == {"t:0"}


def test_a_circle_is_cut_at_its_smallest_id_by_length_then_text() -> None:
    parents = {"t:10": "t:9", "t:9": "t:11", "t:11": "t:10", "t:1": "t:11", "t:20": None, "t:5": "t:5"}

    found = roots(parents)

    assert found == {"t:10": "t:9", "t:9": "t:9", "t:11": "t:9", "t:1": "t:9", "t:20": "t:20", "t:5": "t:5"}
    assert found == threads.root_of_all(parents)
    frame = on_polars(edges(parents))
    assert threads.count_cycles(frame, threads.roots(frame, kept)) == 2


def test_a_long_tail_on_a_large_circle_ends() -> None:
    parents: dict[str, str | None] = {f"t:{n}": f"t:{(n + 1) % 50}" for n in range(50)}
    parents |= {f"u:{n}": f"u:{n - 1}" if n else "t:7" for n in range(70)}

    assert roots(parents) == threads.root_of_all(parents) == dict.fromkeys(parents, "t:0")


def test_no_events_have_no_roots() -> None:
    assert roots({}) == {}
    assert threads.root_of_all({}) == {}


def test_ids_that_are_not_unique_are_refused_at_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "MAX_ROUNDS", 2)
    with pytest.raises(threads.TooDeepError):
        roots(chain(100))


FOREST: Parents = {**chain(9), "a:1": "gone", "a:2": "gone", "c:1": "c:2", "c:2": "c:1", "d:1": "c:2"}
KINDS = {"t:0": "message_received", "t:3": "message_received"}


def tables() -> tuple[pa.Table, pa.Table]:
    kinds = [KINDS.get(id_, "message_sent") for id_ in FOREST]
    identities = [f"who:{id_}" if kind == "message_received" else None for id_, kind in zip(FOREST, kinds, strict=True)]
    identity = pa.array(identities, TEXT)
    return edges(FOREST), edges(FOREST).append_column("kind", pa.array(kinds)).append_column("identity", identity)


def check_both(links: nw.LazyFrame, events: nw.LazyFrame, keep: threads.Materialise) -> None:
    assert as_dict(threads.roots(links, keep)) == threads.root_of_all(FOREST)
    assert as_dict(threads.answered(events, keep), "identity") == {
        "t:1": "who:t:0",
        "t:2": "who:t:0",
        **{f"t:{n}": "who:t:3" for n in range(4, 9)},
    }


@pytest.mark.parametrize("made", [on_polars, on_pandas])
def test_eager_engines_agree(made: Callable[[pa.Table], nw.LazyFrame]) -> None:
    links, events = tables()

    check_both(made(links), made(events), kept)


def test_duckdb_agrees_with_rounds_on_disk(tmp_path: Path) -> None:
    connection = duckdb.connect()
    numbers = itertools.count()

    def written(name: str, frame: nw.LazyFrame) -> nw.LazyFrame:
        path = str(tmp_path / f"{next(numbers)}-{name}.parquet")
        frame.sink_parquet(path)
        return nw.from_native(connection.read_parquet(path))

    links, events = tables()
    check_both(nw.from_native(connection.from_arrow(links)), nw.from_native(connection.from_arrow(events)), written)


HOUR = 3600 * threads.MICROSECONDS
messages = st.lists(
    st.tuples(
        st.sampled_from(["message_received", "message_sent", "payment"]),
        st.sampled_from([None, "chat:ada", "chat:bob"]),
        st.sampled_from(["chat", "email", "twitter"]),
        st.integers(0, 9),
        st.one_of(st.none(), st.sampled_from(NAMES)),
    ),
    max_size=12,
)


def unlinked(drawn: list[tuple[str, str | None, str, int, str | None]]) -> list[Unlinked]:
    return [
        Unlinked(id=NAMES[n], kind=kind, identity=identity, channel=channel, at=at * HOUR, parent=parent)
        for n, (kind, identity, channel, at, parent) in enumerate(drawn)
    ]


def linked_by_frame(events: list[Unlinked], made: Callable[[pa.Table], nw.LazyFrame]) -> dict[str, str | None]:
    schema = pa.schema(
        [("id", TEXT), ("kind", TEXT), ("identity", TEXT), ("channel", TEXT), ("at", pa.int64()), ("parent", TEXT)]
    )
    frame = made(pa.Table.from_pylist([event._asdict() for event in events], schema=schema))
    linked = threads.link_by_time(frame, gap_s=2 * 3600).collect("pyarrow").to_native()
    assert linked.column_names == schema.names
    return {row["id"]: row["parent"] for row in linked.to_pylist()}


@settings(max_examples=tries(40), deadline=None)
@given(messages, st.randoms(use_true_random=False))
def test_links_by_time_do_not_depend_on_order_or_engine(
    drawn: list[tuple[str, str | None, str, int, str | None]], random: Random
) -> None:
    events = unlinked(drawn)
    expected = threads.links_by_time(events, gap_s=2 * 3600)
    random.shuffle(events)

    assert threads.links_by_time(events, gap_s=2 * 3600) == expected
    assert linked_by_frame(events, on_polars) == expected


def on_duckdb(table: pa.Table) -> nw.LazyFrame:
    return nw.from_native(duckdb.connect().from_arrow(table))


@pytest.mark.parametrize("made", [on_polars, on_pandas, on_duckdb])
def test_a_message_without_a_link_continues_the_last_one_nearby(made: Callable[[pa.Table], nw.LazyFrame]) -> None:
    ada, sent = "chat:ada", "message_sent"
    events = [
        Unlinked("t:1", "message_received", ada, "chat", 0, None),
        Unlinked("t:2", sent, ada, "chat", 2 * HOUR, None),
        Unlinked("t:3", "message_received", ada, "email", 2 * HOUR, None),
        Unlinked("t:4", "message_received", ada, "chat", 5 * HOUR, None),
        Unlinked("t:5", "payment", ada, "chat", 5 * HOUR, None),
        Unlinked("t:6", "message_received", ada, "chat", 6 * HOUR, "t:1"),
        Unlinked("t:7", "message_received", ada, "twitter", 6 * HOUR, None),
        Unlinked("t:8", "message_received", ada, "twitter", 7 * HOUR, None),
        Unlinked("t:9", sent, None, "chat", 6 * HOUR, None),
    ]
    expected = dict.fromkeys((event.id for event in events), None) | {"t:2": "t:1", "t:6": "t:1"}

    assert linked_by_frame(events, made) == expected
    assert threads.links_by_time(events, gap_s=2 * 3600) == expected
