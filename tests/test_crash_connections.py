"""Crowded out, or cut off from the database for a moment: nothing is settled twice, and nothing is left out."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
from crash_cases import Does, end_connections, quick, take_in, undisturbed, unread  # noqa: F401  a fixture among them
from journey import TOWN, Steady, derived, write_csv

from harken.adapters.warehouses.postgres import warehouse
from harken.errors import TryAgainError
from harken.flow import batch, predict, rebuild
from harken.flow.predict import Asked


def test_one_batch_at_a_time_and_decisions_meanwhile(
    store_url: str, tmp_path: Path, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "TURN_WAIT_S", 0.2)
    refused: list[str] = []
    decided: list[int] = []

    def crowd() -> None:
        with quick(store_url, tmp_path / "another") as other:
            for attempt in (
                lambda: take_in(other, TOWN[:3], "other.csv"),
                lambda: rebuild.rebuild(other, Steady()),
                lambda: rebuild.check(other, Steady()),
            ):
                with pytest.raises(TryAgainError) as told:
                    attempt()
                refused.append(str(told.value))
            decided.append(predict.predict(Asked(), tmp_path / "meanwhile.csv", other, Steady()).decisions)

    with quick(store_url, tmp_path) as desk:
        take_in(desk, TOWN[:5], "first.csv")
        path = write_csv(tmp_path / "town.csv", TOWN)
        batch.ingest(unread(path), desk, Does("profiles", crowd))

    assert len(refused) == 3
    assert all(line.startswith("Another batch is writing to this store.") for line in refused)
    assert decided[0] >= 1
    assert derived(store_url) == expected


@pytest.mark.parametrize("step", ["sealing and appending", "profiles", "counting"])
def test_the_database_went_away_for_a_moment(
    store_url: str, tmp_path: Path, expected: dict[str, Any], step: str
) -> None:
    path = write_csv(tmp_path / "town.csv", TOWN)
    with quick(store_url, tmp_path) as desk:
        with contextlib.suppress(TryAgainError):  # where it was between two transactions, nobody noticed
            batch.ingest(unread(path), desk, Does(step, lambda: end_connections(store_url, "%")))
        batch.ingest(unread(path), desk, Steady())

    assert derived(store_url) == expected


def test_a_lost_turn_settles_nothing(store_url: str, tmp_path: Path, expected: dict[str, Any]) -> None:
    """A server that was restarted has forgotten whose turn it is: another batch may have settled meanwhile."""
    path = write_csv(tmp_path / "town.csv", TOWN)
    lose = Does("profiles", lambda: end_connections(store_url, "harken batch"))
    with quick(store_url, tmp_path) as desk:
        with pytest.raises(TryAgainError, match="restarted meanwhile"):
            batch.ingest(unread(path), desk, lose)
        assert derived(store_url)["profile"] == []
        batch.ingest(unread(path), desk, Steady())

    assert derived(store_url) == expected
