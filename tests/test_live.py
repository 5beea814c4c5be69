"""Events that arrive one by one leave what a file of them leaves: once, in any order, however often they are sent."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from journey import NOW, Steady, derived, one_of, quick, rows_of, take_in_events
from live_cases import SOURCE, arrival, live_desk, made_up, receive_all, shuffled

from harken.errors import TryAgainError
from harken.eventlog.store import Advance, FencedError, offset
from harken.flow import rebuild
from harken.flow.arriving import Outcome, Refusal
from harken.flow.live import receive


def by_file(url: str, home: Path, events: list[dict[str, object]]) -> dict[str, list[dict[str, object]]]:
    with quick(url, home) as desk:
        take_in_events(desk, events)
    found = derived(url)
    for row in found["event"]:
        row["source"] = SOURCE
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_shuffled_stream_leaves_what_a_file_leaves(
    store_url: str, another_store_url: str, tmp_path: Path, seed: int
) -> None:
    events = made_up(300, seed)
    wanted = by_file(another_store_url, tmp_path, events)

    delivered = shuffled(events, seed)
    with live_desk(store_url) as desk:
        receipts = receive_all(desk, [arrival(event) for event in delivered], size=17)

    assert Counter(receipt.outcome for receipt in receipts) == {
        Outcome.ACCEPTED: len(events),
        Outcome.DUPLICATE: len(delivered) - len(events),
    }
    assert derived(store_url) == wanted


def test_writers_at_once_leave_what_one_leaves(store_url: str, another_store_url: str, tmp_path: Path) -> None:
    """Twelve customers in one another's threads: the worst that threads can do to writers."""
    events = made_up(240, seed=9)
    wanted = by_file(another_store_url, tmp_path, events)
    delivered = [arrival(event) for event in shuffled(events, seed=9, twice=0.3)]

    with live_desk(store_url) as desk, ThreadPoolExecutor(4) as writers:
        parts = [delivered[at : at + 8] for at in range(0, len(delivered), 8)]
        receipts = [each for part in writers.map(lambda part: patiently(part, desk), parts) for each in part]

    assert Counter(receipt.outcome for receipt in receipts)[Outcome.ACCEPTED] == len(events)
    assert derived(store_url) == wanted


def patiently(part, desk):  # type: ignore[no-untyped-def]
    while True:
        try:
            return receive(part, desk)
        except TryAgainError:
            continue


def test_live_after_a_file_and_a_file_after_live(store_url: str, another_store_url: str, tmp_path: Path) -> None:
    events = made_up(200, seed=4)
    wanted = by_file(another_store_url, tmp_path / "all", events)

    with quick(store_url, tmp_path / "parts") as desk, live_desk(store_url) as live:
        take_in_events(desk, events[:70], "first.jsonl")
        receive_all(live, [arrival(event) for event in events[50:130]])
        take_in_events(desk, events[100:], "last.jsonl")
        checked = rebuild.check(desk, Steady())

    found = derived(store_url)
    for row in found["event"]:
        row["source"] = SOURCE
    assert found == wanted
    assert checked.mismatches == 0


def test_the_same_id_with_another_body_is_kept_aside_and_changes_nothing(store_url: str) -> None:
    first, second = made_up(2, seed=5)
    other = {**second, "id": first["id"]}
    with live_desk(store_url) as desk:
        [kept] = receive([arrival(first)], desk)
        before = derived(store_url)
        [again, conflict] = receive([arrival(first), arrival(other)], desk)
        [repeated] = receive([arrival(other)], desk)

    assert (kept.outcome, again.outcome) == (Outcome.ACCEPTED, Outcome.DUPLICATE)
    assert again.position == kept.position
    assert (conflict.outcome, conflict.reason) == (Outcome.QUARANTINED, "conflicting_duplicate")
    assert repeated.outcome is Outcome.QUARANTINED
    assert derived(store_url) == before
    [aside] = rows_of(store_url, "SELECT source, reason, sealed FROM rejected_event")
    assert (aside["source"], aside["reason"]) == (SOURCE, "conflicting_duplicate")
    assert b"happened_at" not in bytes(aside["sealed"])


def test_refusals_and_events_of_one_batch_are_told_in_order(store_url: str) -> None:
    refusal = Refusal(id="kb:x", source=SOURCE, reason="unknown_kind", raw=b'{"type": "sneeze"}', received_at=NOW)
    [event] = made_up(1, seed=6)
    with live_desk(store_url) as desk:
        told = receive([refusal, arrival(event), refusal], desk)

    assert [receipt.outcome.value for receipt in told] == ["quarantined", "accepted", "quarantined"]
    assert one_of(store_url, "SELECT count(*) FROM rejected_event") == 1


def test_a_batch_that_writes_is_waited_for_with_a_clear_line(store_url: str, tmp_path: Path) -> None:
    with quick(store_url, tmp_path) as desk, live_desk(store_url) as live:
        with desk.warehouse.one_batch_at_a_time(), pytest.raises(TryAgainError, match="batch is writing"):
            receive([arrival(made_up(1, seed=7)[0])], live)
        [receipt] = receive([arrival(made_up(1, seed=7)[0])], live)

    assert receipt.outcome is Outcome.ACCEPTED


def test_a_worker_that_was_thought_dead_is_kept_out(store_url: str) -> None:
    one, two = [arrival(event) for event in made_up(2, seed=8)]
    with live_desk(store_url) as desk:
        receive([one], desk, Advance(stream="s", partition=0, expected=None, upto=1, newest=2))
        with pytest.raises(FencedError):
            receive([two], desk, Advance(stream="s", partition=0, expected=None, upto=2, newest=2))
        with pytest.raises(FencedError):
            receive([two], desk, Advance(stream="s", partition=0, expected=0, upto=2, newest=2))
        with desk.database.statement() as tx:
            assert offset(tx, "s", 0) == 1
            assert offset(tx, "s", 1) is None

    assert one_of(store_url, "SELECT count(*) FROM event") == 1, "the fenced events left nothing"


def test_the_log_only_grows(store_url: str) -> None:
    with live_desk(store_url) as desk:
        receive([arrival(made_up(1, seed=7)[0])], desk)
    with psycopg.connect(store_url) as owner, pytest.raises(psycopg.errors.RaiseException, match="only grows"):
        owner.execute("UPDATE event SET kind = 'payment'")
    with (
        live_desk(store_url) as desk,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        desk.database.statement() as tx,
    ):
        tx.execute("DELETE FROM event")
