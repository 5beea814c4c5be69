"""What the tests of ingestion compare with: the whole town, and a check from the beginning."""

from typing import Any

import pytest
from journey import Steady, derived

from harken.flow import rebuild
from harken.flow.desk import Desk


@pytest.fixture(scope="module", name="expected")
def the_whole_town(town_url: str) -> dict[str, list[dict[str, Any]]]:
    """What the town comes to, ingested at once and in order."""
    return derived(town_url)


def nothing_differs(desk: Desk) -> None:
    report = rebuild.check(desk, Steady())
    assert report.mismatches == 0
    assert report.values > 0
