"""The log's events without their texts, as the projections need them: kept from the appending, or read back."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from harken.flow.load import Load
from harken.flow.tables import THIN
from harken.profiles.columns import ATTRIBUTES, attributes_of


def new_events(load: Load, parts: Path | None) -> Path:
    """The run's events. `parts` holds them where every block went in whole; else the log is asked."""
    if parts is not None:
        return parts
    load.step("reading the log back")
    return load.spool.write("thin", map(with_attributes, load.warehouse.thin(load.run)), THIN)


def all_events(load: Load) -> Path:
    return load.spool.write("thin", map(with_attributes, load.warehouse.thin()), THIN)


def keep(folder: Path, digest: str, block: pa.Table, first: int) -> None:
    """Put down what was just appended as positions from `first` on, to spare reading it back."""
    positions = pa.array(range(first, first + block.num_rows), pa.int64())
    named = block.set_column(block.schema.get_field_index("at"), "at", block["at"].cast(pa.int64()))
    table = with_attributes(named.append_column("position", positions))
    pq.write_table(table.select(THIN.names).cast(THIN), folder / f"{digest}.parquet", compression="snappy")


def with_attributes(events: pa.RecordBatch | pa.Table) -> pa.Table:
    """The attributes of typed events as columns of their own; messages, nearly all rows, have none."""
    table = pa.Table.from_batches([events]) if isinstance(events, pa.RecordBatch) else events
    given = table["attributes"]
    if given.null_count == len(given):
        columns = {name: pa.nulls(len(given), THIN.field(name).type) for name in ATTRIBUTES}
    else:
        found = [attributes_of(text) for text in given.to_pylist()]
        columns = {name: pa.array([row[name] for row in found], THIN.field(name).type) for name in ATTRIBUTES}
    for name, values in columns.items():
        table = table.append_column(name, values)
    return table
