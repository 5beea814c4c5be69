"""Trouble on PostgreSQL: a store that is gone, cut off, restarted or full is said to be that, and settles nothing."""

from pathlib import Path

import adbc_driver_manager
import psycopg
import pyarrow as pa
import pytest
from journey import ADA, quick, take_in

from harken import bootstrap
from harken.adapters.warehouses.postgres import arrow
from harken.errors import TryAgainError, UnsuitableError
from harken.kit import db


def test_every_connection_serves_without_its_logins_powers(store_url: str) -> None:
    with arrow.connect(store_url) as connection:
        assert connection.fetch("SELECT current_user::text AS name")["name"].to_pylist() == ["harken_app"]
    database = db.Database(store_url)
    with database.transaction() as tx:
        assert db.row(tx, "SELECT current_user::text AS name") == {"name": "harken_app"}
    database.close()


def test_a_database_that_is_gone_is_a_reason_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "CONNECT_TIMEOUT_S", 0.1)
    gone = "postgresql://nobody:SECRET@127.0.0.1:1/none"
    with bootstrap.served(gone) as warehouse:
        with pytest.raises(TryAgainError, match="did not answer") as pooled:
            warehouse.totals()
        with pytest.raises(TryAgainError) as direct:
            warehouse.known(pa.array(["twitter:1"]))
        with pytest.raises(TryAgainError, match="did not answer") as locked:
            warehouse.one_batch_at_a_time().__enter__()

    for refused in (pooled, direct, locked):
        assert "SECRET" not in str(refused.value)
        assert "\n" not in str(refused.value)


def test_a_connection_that_is_cut_in_the_middle(store_url: str) -> None:
    database = db.Database(store_url)

    def is_cut() -> None:
        with database.transaction() as tx, psycopg.connect(store_url) as owner:
            owner.execute("SELECT pg_terminate_backend(%s)", (tx.info.backend_pid,))
            db.rows(tx, "SELECT 1")

    with pytest.raises(TryAgainError, match="went away"):
        is_cut()
    with database.transaction() as tx:
        assert db.row(tx, "SELECT 1 AS one") == {"one": 1}, "the next one is served again"
    database.close()


def test_a_lost_turn_settles_nothing(store_url: str, tmp_path: Path) -> None:
    """The server was restarted between an append and its settling: somebody else may hold the turn now."""
    with quick(store_url, tmp_path) as desk:
        take_in(desk, ADA)

        def loses_its_turn() -> None:
            with desk.warehouse.one_batch_at_a_time(), desk.warehouse.settling() as store:
                store.forget_everything()
                with psycopg.connect(store_url) as owner:
                    owner.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE application_name = 'harken batch' AND datname = current_database()"
                    )

        with pytest.raises(TryAgainError, match="restarted"):
            loses_its_turn()

        assert desk.warehouse.totals().conversations == 1


def test_a_full_disk_is_said_to_be_one() -> None:
    def broken(sqlstate: str) -> Exception:
        wrong = adbc_driver_manager.OperationalError("no room", status_code=10, sqlstate=sqlstate)
        return arrow._explained(wrong)

    assert isinstance(broken("53100"), UnsuitableError)
    assert "make room" in str(broken("53100"))
    assert isinstance(broken("57P01"), TryAgainError)
