"""The town over HTTP for the tests."""

from collections.abc import Iterator

import pytest
from journey import quick
from starlette.testclient import TestClient

from harken.flow.desk import Desk
from harken.web.app import app_of

HERE = "http://127.0.0.1:8000"


@pytest.fixture(scope="module", name="town")
def town_desk(town_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with quick(town_url, tmp_path_factory.mktemp("web")) as desk:
        yield desk


@pytest.fixture(scope="module", name="web")
def town_web(town: Desk) -> Iterator[TestClient]:
    with TestClient(app_of(town), base_url=HERE, raise_server_exceptions=False) as client:
        yield client
