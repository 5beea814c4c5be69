"""Decisions -> the store, each once."""

import pyarrow as pa

from harken.adapters.warehouses.postgres import arrow
from harken.adapters.warehouses.postgres.arrow import DuplicateError
from harken.kit import sql

q = sql.queries(__package__)


def record(url: str, decisions: pa.Table) -> None:
    """One COPY; where a decision is there already, a staging table that passes over those that are known."""
    try:
        with arrow.connect(url) as connection:
            connection.put("decision", decisions)
    except DuplicateError:
        with arrow.connect(url) as connection:
            connection.lay_out("new_decision", decisions)
            connection.execute(q.record)
