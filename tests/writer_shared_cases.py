"""What processes that ask language models share: a database, which may be away."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hostile_models import answer

from harken.domain.ids import CustomerId
from harken.errors import TryAgainError
from harken.kit.db import Database

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SAID = "A transfer abroad takes up to three working days."
GOOD = answer(SAID, citations=[1], confidence=0.8)
ADA, BEN = CustomerId("ada"), CustomerId("ben")


@pytest.fixture(name="database")
def database_that_is_shared(store_url: str) -> Iterator[Database]:
    made = Database(store_url)
    yield made
    made.close()


class Away:
    """A ledger and a store whose database does not answer."""

    def __getattr__(self, name: str) -> Any:
        if name in ("reserve", "settle", "spent", "tell"):
            return self._waited
        return self._asked

    async def _waited(self, *_: object) -> Any:
        raise TryAgainError("away")

    def _asked(self, *_: object) -> Any:
        raise TryAgainError("away")
