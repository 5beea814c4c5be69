"""What ClickHouse alone has: the embedded engine, its lease and its lines for people; and that it gives what PostgreSQL gives."""

import base64
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from conftest import fresh_clickhouse
from journey import (
    MASTER,
    NOW,
    TOWN,
    Does,
    Steady,
    crowd_of,
    derived,
    desk_on,
    harken,
    one_of,
    rows_of,
    take_in,
)
from starlette.testclient import TestClient

from harken import bootstrap
from harken.adapters.warehouses import clickhouse
from harken.adapters.warehouses.clickhouse import address, turn
from harken.adapters.warehouses.clickhouse.address import Folder, Server
from harken.adapters.warehouses.clickhouse.client import ClickHouse
from harken.domain.ids import CustomerId
from harken.domain.run import Run, RunRequest
from harken.errors import HarkenError, TryAgainError, UnsuitableError
from harken.flow import predict, rebuild
from harken.flow.desk import Desk
from harken.flow.predict import Asked
from harken.kit.clock import wall_clock
from harken.web.app import app_of

KEY = base64.b64encode(MASTER.secret).decode()


@pytest.fixture
def embedded_url(tmp_path: Path) -> Iterator[str]:
    """A store in a folder of this test alone, migrated, empty, and open in this process."""
    url = f"chdb://{tmp_path / 'embedded'}"
    with clickhouse.opened(url, wall_clock):
        yield url
