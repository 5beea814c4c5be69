"""The columns of the tables that the sentences hand around."""

import pyarrow as pa

_TIME = pa.timestamp("us", "UTC")

LOG = pa.schema(
    [
        ("id", pa.string()),
        ("kind", pa.string()),
        ("identity", pa.string()),
        ("author", pa.string()),
        ("channel", pa.string()),
        ("at", _TIME),
        ("in_reply_to", pa.string()),
        ("addressed_to", pa.string()),
        ("subject", pa.string()),
        ("body", pa.binary()),  # sealed
        ("language", pa.string()),
        ("sentiment", pa.int16()),
        ("urgency", pa.int16()),
        ("signals", pa.int32()),
        ("evidence", pa.string()),
        ("attributes", pa.string()),
        ("source", pa.string()),
    ]
)
"""What is appended."""

THIN = pa.schema(
    [
        ("position", pa.int64()),
        ("id", pa.string()),
        ("kind", pa.string()),
        ("identity", pa.string()),
        ("author", pa.string()),
        ("channel", pa.string()),
        ("at", pa.int64()),
        ("in_reply_to", pa.string()),
        ("addressed_to", pa.string()),
        ("language", pa.string()),
        ("sentiment", pa.int16()),
        ("urgency", pa.int16()),
        ("signals", pa.int32()),
        ("evidence", pa.string()),
        ("attributes", pa.string()),
        ("amount_minor", pa.int64()),
        ("success", pa.int64()),
        ("granted", pa.int64()),
        ("consent_to", pa.string()),
        ("zone", pa.string()),
        ("product", pa.string()),
        ("risk", pa.int64()),
        ("outcome", pa.string()),
        ("dispute_status", pa.string()),
        ("tier", pa.string()),
        ("country", pa.string()),
    ]
)
"""The log without its texts: what the projections are made of."""

CONVERSATIONS = pa.schema(
    [
        ("id", pa.string()),
        ("thread", pa.string()),
        ("identity", pa.string()),
        ("brand", pa.string()),
        ("channel", pa.string()),
        ("opened_at", _TIME),
        ("last_at", _TIME),
        ("facts", pa.string()),
        ("positions", pa.list_(pa.int64())),
    ]
)

DECISIONS = pa.schema(
    [
        ("id", pa.string()),
        ("customer", pa.string()),
        ("conversation", pa.string()),
        ("as_of", _TIME),
        ("recorded_at", _TIME),
        ("record", pa.string()),
        ("sealed", pa.binary()),
    ]
)
