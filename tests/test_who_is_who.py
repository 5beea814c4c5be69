"""Who is who follows from the log: received live, loaded, rebuilt or checked, by one writer or several at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from identity_cases import naive
from journey import Steady, derived, desk_on, one_of, quick, rows_of, take_in_events
from live_cases import SOURCE, Event, arrival, live_desk, made_up, receive_all, shuffled, told

from harken.domain.link import Link
from harken.eventlog import store as eventlog
from harken.flow import following, preparing, rebuild
from harken.flow.live import receive
from harken.profiles import identity
from harken.profiles import store as profiles

PATIENCE_S = 30


def whole(url: str) -> dict[str, Any]:
    """Everything derived, who is who among it."""
    found = derived(url)
    for row in found["event"]:
        row["source"] = SOURCE
    return found | {
        "edge": rows_of(url, "SELECT * FROM identity_edge ORDER BY one, other, kind"),
        "member": rows_of(url, "SELECT * FROM identity_member ORDER BY identity"),
        "conflict": rows_of(url, "SELECT * FROM identity_conflict ORDER BY identity"),
    }


def members_and_conflicts(url: str) -> tuple[dict[str, str], dict[str, tuple[str, tuple[str, ...]]]]:
    found = whole(url)
    return (
        {row["identity"]: row["customer"] for row in found["member"]},
        {row["identity"]: (row["reason"], tuple(row["customers"])) for row in found["conflict"]},
    )


def words_of(events: list[Event]) -> list[tuple[Link, int, str]]:
    rows = [arrival(event).row for event in events]
    texts = [(event.get("attributes") or {}).get("links") for event in events]
    return [
        (link, row["at"], row["id"])
        for row, text in zip(rows, texts, strict=True)
        if text
        for link in identity.from_text(text)
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_shuffled_words_leave_what_a_file_of_them_leaves(
    store_url: str, another_store_url: str, tmp_path: Path, seed: int
) -> None:
    events = [*made_up(60, seed), *told(120, seed)]
    with quick(another_store_url, tmp_path) as desk:
        take_in_events(desk, events[50:], "later.jsonl")
        take_in_events(desk, events, "all.jsonl")
    with live_desk(store_url) as live, quick(store_url, tmp_path / "live") as desk:
        receive_all(live, [arrival(event) for event in shuffled(events, seed)], size=7)
        assert rebuild.check(desk, Steady()).mismatches == 0

    assert whole(store_url) == whole(another_store_url)
    members, conflicts = members_and_conflicts(store_url)
    assert (members, conflicts) == naive(words_of(events))
    assert len(members) > 10
    assert conflicts


DAMAGE = {
    "a word is turned round": "UPDATE identity_edge SET joined = NOT joined WHERE (one, other, kind) = "
    "(SELECT one, other, kind FROM identity_edge ORDER BY 1, 2, 3 LIMIT 1)",
    "a word is missing": "DELETE FROM identity_edge WHERE (one, other) = (SELECT max(one), max(other) FROM identity_edge "
    "GROUP BY one ORDER BY one LIMIT 1)",
    "an identity is another's": "UPDATE identity_member SET customer = 'customer:99' WHERE identity = "
    "(SELECT min(identity) FROM identity_member)",
    "one more": "INSERT INTO identity_member VALUES ('zebra:1', 'customer:1')",
    "a conflict is hidden": "DELETE FROM identity_conflict",
}


def test_what_is_wrong_of_who_is_who_is_found_and_made_anew(store_url: str, tmp_path: Path) -> None:
    with live_desk(store_url) as live, quick(store_url, tmp_path) as desk:
        receive_all(live, [arrival(event) for event in told(120, seed=1)])
        sound, found = whole(store_url), 0
        for name, damage in DAMAGE.items():
            with psycopg.connect(store_url) as owner:
                assert owner.execute(damage).rowcount > 0, name  # type: ignore[arg-type]
            before, found = found, rebuild.check(desk, Steady()).mismatches
            assert found > before, name

        changes = one_of(store_url, "SELECT count(*) FROM identity_change")
        rebuild.rebuild(desk, Steady())
        assert whole(store_url) == sound
        assert rebuild.check(desk, Steady()).mismatches == 0
        rebuild.rebuild(desk, Steady())

    assert whole(store_url) == sound
    assert one_of(store_url, "SELECT count(*) FROM identity_change") == changes + 1, (
        "a rebuild that changes nothing says nothing"
    )


def test_a_rebuild_that_breaks_off_leaves_who_is_who_as_it_was(store_url: str, tmp_path: Path) -> None:
    with live_desk(store_url) as live, quick(store_url, tmp_path) as desk:
        receive_all(live, [arrival(event) for event in told(60, seed=4)])
        before = whole(store_url)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(profiles, "_put", _breaks_off)
            with pytest.raises(KeyboardInterrupt):
                rebuild.rebuild(desk, Steady())

    assert whole(store_url) == before


def _breaks_off(*_: object) -> None:
    raise KeyboardInterrupt


def test_words_in_a_store_that_joins_nobody_are_no_mismatch(clickhouse_url: str, tmp_path: Path) -> None:
    with desk_on(clickhouse_url, tmp_path) as desk:
        take_in_events(desk, told(20, seed=1))
        rebuild.rebuild(desk, Steady())
        assert rebuild.check(desk, Steady()).mismatches == 0


def test_what_was_joined_and_parted_lost_nothing(store_url: str, another_store_url: str) -> None:
    """Every state is what it would be had nobody ever said that they are one."""
    events = [*made_up(80, seed=5), *told(40, seed=5)]
    pairs = {tuple(sorted(link[1:])) for link, *_ in words_of(events)}
    silent = [event | {"attributes": {}} if event["id"].startswith(f"{SOURCE}:told") else event for event in events]
    part = told(1, seed=6)[0] | {"id": f"{SOURCE}:part"}
    parts = part | {"attributes": {"links": identity.to_text([Link("part", *pair) for pair in sorted(pairs)])}}
    parts["happened_at"] = max(event["happened_at"] for event in events if event["id"].startswith(f"{SOURCE}:told"))
    with live_desk(store_url) as live, live_desk(another_store_url) as other:
        receive_all(live, [arrival(event) for event in events])
        assert members_and_conflicts(store_url)[0]
        receive_all(live, [arrival(parts)])
        receive_all(other, [arrival(event) for event in [*silent, parts | {"attributes": {}}]])

    joined, apart = whole(store_url), whole(another_store_url)
    assert (joined["profile"], joined["conversation"]) == (apart["profile"], apart["conversation"])
    assert (joined["member"], joined["conflict"]) == ([], [])


@pytest.mark.parametrize("first", ["tie", "part"])
def test_two_who_speak_of_the_same_pair_at_once_are_both_heard(store_url: str, first: str) -> None:
    """The second word is newer and turns the first round, which nobody else can see yet."""
    second = {"tie": "part", "part": "tie"}[first]
    tie, early, late = (
        said | {"id": f"{SOURCE}:{n}", "happened_at": f"2025-03-14T0{n}:00:00+00:00", "attributes": {"links": text}}
        for n, (said, text) in enumerate(
            zip(told(3, seed=1), (f"{kind} customer:1 device:1" for kind in ("tie", first, second)), strict=True)
        )
    )
    with live_desk(store_url) as desk, ThreadPoolExecutor(1) as another:
        if first == "part":
            receive([arrival(tie)], desk)
        [entry] = preparing.sealed([arrival(early)], desk.database, desk.master, with_mood=False)
        with desk.database.transaction() as tx:
            eventlog.lock(tx, following.names_of([entry]))
            following.who_is_who(tx, [(entry, 0)], desk.clock())
            late_one = another.submit(receive, [arrival(late)], desk)
            _wait_until_somebody_waits(store_url)
        late_one.result()

    joined = ["customer:1", "device:1"] if second == "tie" else []
    assert one_of(store_url, "SELECT joined FROM identity_edge WHERE kind = 'tie'") is (second == "tie")
    assert [row["identity"] for row in whole(store_url)["member"]] == joined


def _wait_until_somebody_waits(url: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not one_of(url, "SELECT count(*) FROM pg_locks WHERE NOT granted"):
        assert time.monotonic() < until, "nobody waits"
        time.sleep(0.02)
