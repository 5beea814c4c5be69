"""What tests put into a store, beside the town of `journey`."""

import random

import pyarrow as pa
from journey import BRAND, NOW, Row, tweet

from harken.domain.run import RunRequest
from harken.flow.tables import LOG

SMALL_TALK = "my card the app a transfer please help urgent thanks it works now still waiting refund why"


def request(fingerprint: str = "abc", columns: str = "") -> RunRequest:
    return RunRequest(
        source="file.csv", fingerprint=fingerprint, format="twcs", engine="duckdb", who="somebody",
        settings={"columns": columns}, started_at=NOW,
    )  # fmt: skip


def block(*ids: str) -> pa.Table:
    """Events of one customer, as they are appended."""
    row = {
        "kind": "message_received", "identity": "twitter:1", "author": "1", "channel": "twitter", "at": NOW,
        "subject": "twitter:1", "body": b"sealed", "language": "en", "urgency": 0, "signals": 0, "source": "twcs",
    }  # fmt: skip
    return pa.Table.from_pylist([{**row, "id": id_} for id_ in ids], schema=LOG)


def crowd_of(size: int) -> list[Row]:
    """Many small conversations in our own words, in no order, the same each time."""
    chance = random.Random(11)
    words = SMALL_TALK.split()
    rows: list[Row] = []
    while len(rows) < size:
        customer, parent = str(chance.randint(1000, 1400)), ""
        for turn in range(chance.randint(1, 5)):
            author = BRAND if turn % 2 else customer
            text = " ".join(chance.choices(words, k=12))
            number = len(rows) + 1
            rows.append(tweet(number, author, (size - number) / 60, f"@{BRAND} {text}", parent))
            parent = str(number)
    chance.shuffle(rows)
    return rows
