"""Whatever the engine, the store and the order of the rows: the same threads, the same profiles, the same decisions."""

import csv
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import empty_store, fresh_store
from journey import Row, Steady, derived, desk_on, rows_of, take_in
from spark_cases import spark_desk
from store_cases import crowd_of

from harken.flow import predict, rebuild
from harken.flow.desk import Desk
from harken.flow.predict import Asked

pytestmark = pytest.mark.matrix

ENGINES = ["duckdb", "polars", "pandas", pytest.param("spark", marks=pytest.mark.spark)]
STORES = ["postgres", "clickhouse"]
CROWD = crowd_of(120)


def shuffled(rows: list[Row]) -> list[Row]:
    return random.Random(7).sample(rows, len(rows))


def with_some_twice(rows: list[Row]) -> list[Row]:
    """5 % more rows, each of which is there already."""
    chance = random.Random(11)
    twice = chance.sample(rows, len(rows) // 20)
    return shuffled([*rows, *twice])


ORDERS = {"as they came": list, "shuffled": shuffled, "5 % twice": with_some_twice}


@pytest.fixture
def url(request: pytest.FixtureRequest, store: str) -> str:
    return empty_store(request, store)


def came_of(desk: Desk, url: str, rows: list[Row]) -> dict[str, Any]:
    """Every table and every decision, by names that do not depend on the order of arrival."""
    report = take_in(desk, rows)
    assert report.accepted == len(CROWD)
    out = desk.home / "actions.csv"
    predict.predict(Asked(all_cases=True), out, desk, Steady())
    with out.open(newline="") as file:
        actions = sorted(map(tuple, csv.reader(file)))
    return {**derived(url), "actions": actions, "decisions": decided(url)}


def decided(url: str) -> list[dict[str, Any]]:
    rows = rows_of(url, "SELECT customer, conversation, as_of, record FROM decision ORDER BY conversation")
    for row in rows:
        row["record"] = json.loads(row["record"])
        del row["record"]["profile_position"]  # each store counts its log in its own way
    return rows


@pytest.fixture(scope="module")
def expected(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with fresh_store(postgres_url, _template) as url, desk_on(url, tmp_path_factory.mktemp("first")) as desk:
        found = came_of(desk, url, CROWD)
        assert rebuild.check(desk, Steady()).mismatches == 0
        yield found


@pytest.fixture
def desk(request: pytest.FixtureRequest, engine: str, url: str, tmp_path: Path) -> Iterator[Desk]:
    if engine == "spark":
        opened = spark_desk(url, tmp_path, request.getfixturevalue("cluster"))
    else:
        opened = desk_on(url, tmp_path, engine=engine)
    with opened as ready:
        yield ready


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_depends_on_engine_store_or_order(
    engine: str, store: str, order: str, url: str, desk: Desk, expected: dict[str, Any]
) -> None:
    found = came_of(desk, url, ORDERS[order](CROWD))

    for name, rows in expected.items():
        assert found[name] == rows, name
