"""P2: what P1 loads, into the embedded ClickHouse.

    python -m benchmarks.p2_clickhouse [--data FILE.csv] [--customers N] [--slice N] [--engine NAME] [--json]

The yardstick is P1's own: the same work with plain pandas and one INSERT a row, into PostgreSQL.
"""

from benchmarks import p1_backfill

if __name__ == "__main__":
    p1_backfill.main(__doc__, "clickhouse")
