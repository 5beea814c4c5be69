"""New events -> conversations, turns and profile states, replaced in one transaction."""

from collections.abc import Callable, Iterable

import pyarrow as pa

from harken.adapters.warehouses.postgres.arrow import ArrowConnection
from harken.domain.run import Run
from harken.kit import sql

q = sql.queries(__package__)

MergeStates = Callable[[bytes, bytes], bytes]


class PostgresSettling:
    """See `flow.ports.Settling`."""

    def __init__(self, connection: ArrowConnection, merge: MergeStates) -> None:
        self._connection = connection
        self._merge = merge

    def forget_threads(self, threads: pa.Array) -> None:
        self._connection.lay_out("old_thread", pa.table({"thread": threads}))
        self._connection.execute(q.forget_turns)
        self._connection.execute(q.forget_conversations)

    def conversations(self, table: pa.Table) -> None:
        last = self._connection.fetch(q.reserve_numbers, table.num_rows)["last"][0].as_py()
        numbers = pa.array(range(last - table.num_rows + 1, last + 1), pa.int64())
        self._connection.put("conversation", table.append_column("no", numbers))
        positions = table["positions"].combine_chunks()
        self._connection.put(
            "turn",
            pa.table(
                {
                    "position": positions.flatten(),
                    "conversation": numbers.take(positions.value_parent_indices()),
                }
            ),
        )

    def forget_everything(self) -> None:
        for query in (q.forget_every_turn, q.forget_every_conversation, q.forget_every_profile):
            self._connection.execute(query)

    def profiles(self, states: Iterable[pa.Table], *, merge: bool) -> None:
        for table in states:
            if merge:
                self._merged(table)
            else:
                self._connection.put("profile", table)

    def _merged(self, table: pa.Table) -> None:
        self._connection.lay_out("new_profile", table.select(["identity"]))
        old = self._connection.fetch(q.old_states)
        known = dict(zip(old["identity"].to_pylist(), old["state"].to_pylist(), strict=True))
        new = zip(table["identity"].to_pylist(), table["state"].to_pylist(), strict=True)
        states = [
            self._merge(known[who].encode(), state.encode()).decode() if who in known else state for who, state in new
        ]
        self._connection.lay_out("merged_profile", pa.table({"identity": table["identity"], "state": states}))
        self._connection.execute(q.put_profiles)

    def projected(self, name: str, definitions: str) -> None:
        self._connection.execute(q.projected, name, definitions)

    def settled(self, run: Run) -> None:
        self._connection.execute(q.settled, run.id)

    def settled_everything(self) -> None:
        self._connection.execute(q.settled_everything)
