"""So many requests a minute, counted once for all processes; and what happens when nobody can count."""

import multiprocessing
from collections.abc import Callable, Iterator
from datetime import timedelta
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import pytest
from access_cases import NOW, bearing, guarded, guarded_desk, stopped_at
from journey import rows_of
from takers import BUCKET, ask

from harken.errors import TryAgainError
from harken.flow.desk import Desk
from harken.kit import db
from harken.web.auth import revoking, store
from harken.web.auth.limits import Limits, NotCountedError


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[Desk]:
    with guarded_desk(store_url, tmp_path) as desk:
        yield desk


def test_a_thousand_at_once_from_four_processes_get_exactly_a_hundred(store_url: str) -> None:
    start = multiprocessing.get_context("spawn")
    told: Queue[int] = start.Queue()
    servers = [start.Process(target=ask, args=(store_url, 250, told)) for _ in range(4)]
    for server in servers:
        server.start()
    allowed = [told.get(timeout=120) for _ in servers]
    for server in servers:
        server.join()

    assert sum(allowed) == 100


def test_a_bucket_fills_again_and_no_further_than_full(desk: Desk) -> None:
    assert desk.live is not None

    def taken(after_s: float, times: int) -> int:
        now = NOW + timedelta(seconds=after_s)
        with desk.live.database.transaction() as tx:  # type: ignore[union-attr]
            return sum(store.take(tx, BUCKET, b"", now).left is not None for _ in range(times))

    assert taken(0, 150) == 100
    assert taken(6, 150) == 10
    assert taken(3, 150) == 0, "a clock that runs behind gives nobody more"
    assert taken(3_600, 150) == 100
    with desk.live.database.transaction() as tx:
        assert store.take(tx, BUCKET, b"", NOW + timedelta(seconds=3_600)).wait_s == pytest.approx(0.6)


def test_too_fast_is_told_when_to_come_again(desk: Desk) -> None:
    with guarded(desk, per_minute=3) as web:
        got = [web.get("/api/v1/segments", headers=bearing("agent")) for _ in range(4)]
        other = web.get("/api/v1/segments", headers=bearing("agent", sub="mo"))

    assert [each.status_code for each in got] == [200, 200, 200, 429]
    assert [each.headers["ratelimit"] for each in got] == [
        '"caller";r=2;t=20', '"caller";r=1;t=40', '"caller";r=0;t=60', '"caller";r=0;t=60',
    ]  # fmt: skip
    assert got[3].headers["retry-after"] == "20"
    assert got[3].headers["ratelimit-policy"] == '"caller";q=3;w=60'
    assert other.status_code == 200


def test_a_customer_is_one_whatever_tokens_they_come_with(desk: Desk, store_url: str) -> None:
    with guarded(desk, per_minute=2) as web:
        got = [
            web.get("/api/v1/profiles/ada", headers=bearing("customer", customer="ada", sub=f"phone-{n}", jti=f"{n}"))
            for n in range(3)
        ]

    assert [each.status_code for each in got] == [404, 404, 429]
    [row] = rows_of(store_url, "SELECT key FROM rate_bucket")
    assert b"ada" not in bytes(row["key"])


def test_a_revoked_token_is_refused_at_once_by_every_server(desk: Desk) -> None:
    with guarded(desk) as one, guarded(desk) as other:
        assert one.get("/api/v1/segments", headers=bearing("agent")).status_code == 200
        revoking.revoke("j-1", desk)
        for web in (one, other):
            assert web.get("/api/v1/segments", headers=bearing("agent")).status_code == 401
        assert one.get("/api/v1/segments", headers=bearing("agent", jti="j-2")).status_code == 200


def test_when_nobody_can_count_writes_are_refused_and_reads_counted_here(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "CONNECT_TIMEOUT_S", 0.2)
    gone = db.Database(store_url.rpartition("/")[0] + "/nothing_of_this_name")
    limits = Limits(gone, stopped_at(NOW), per_minute=5)

    reads = [limits.take(b"ada", b"", writes=False).left for _ in range(6)]
    with pytest.raises(NotCountedError):
        limits.take(b"ada", b"", writes=True)

    assert [left is not None for left in reads] == [True] * 5 + [False]
    gone.close()


def test_refusals_stand_in_the_audit_and_a_flood_of_them_is_counted(desk: Desk) -> None:
    kept: list[tuple[str, str, dict[str, Any]]] = []

    def record(tx: db.Tx, actor: str, action: str, body: Any) -> None:
        tx.execute("SELECT 1")
        kept.append((actor, action, dict(body)))

    with guarded(desk, record=record) as web:
        web.get("/api/v1/profiles/ada", headers=bearing("customer", customer="ben", sub="ben@example.com"))
        for _ in range(300):
            web.get("/api/v1/profiles/ada")

    actor, action, body = kept[0]
    assert (actor.partition(":")[0], action) == ("customer", "access.refused")
    assert body == {
        "status": 403, "reason": "owner", "method": "GET", "route": "/api/v1/profiles/{customer}",
    }  # fmt: skip
    assert "ben" not in repr(kept)
    assert 100 <= len(kept) <= 250
    assert sum(each[2].get("times", 1) for each in kept) == 301


def test_an_audit_that_is_down_lets_nobody_in(desk: Desk) -> None:
    def broken(tx: db.Tx, actor: str, action: str, body: Any) -> None:
        raise TryAgainError("The audit is away.")

    with guarded(desk, record=broken) as web:
        assert web.get("/api/v1/profiles/ada").status_code == 401


def test_what_has_expired_is_forgotten(desk: Desk, store_url: str) -> None:
    assert desk.live is not None
    later: Callable[[], Any] = stopped_at(NOW + timedelta(days=400))
    with desk.live.database.transaction() as tx:
        store.take(tx, BUCKET, b"", NOW)
        store.revoke(tx, b"j", NOW + timedelta(hours=1), NOW)
        store.give_ticket(tx, b"t", b"sealed", NOW)
        store.claim(tx, store.Claim(b"c", b"k"), b"d", now=NOW, running_until=NOW, expires_at=NOW)
        store.sweep(tx, later(), later())

    for table in ("rate_bucket", "revoked_token", "socket_ticket", "idempotency"):
        assert rows_of(store_url, f"SELECT FROM {table}") == [], table
