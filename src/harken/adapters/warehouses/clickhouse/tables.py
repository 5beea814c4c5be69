"""The columns that queries of several modules give back."""

import pyarrow as pa

TIME, TEXT, COUNT = pa.timestamp("us", "UTC"), pa.string(), pa.int64()

READ = [
    ("language", TEXT),
    ("sentiment", pa.int16()),
    ("urgency", pa.int16()),
    ("signals", pa.int32()),
    ("evidence", TEXT),
]
"""What reading a text came to."""

THIN = pa.schema(
    [
        ("position", COUNT),
        ("id", TEXT),
        ("kind", TEXT),
        ("identity", TEXT),
        ("author", TEXT),
        ("channel", TEXT),
        ("at", COUNT),
        ("in_reply_to", TEXT),
        ("addressed_to", TEXT),
        *READ,
        ("attributes", TEXT),
    ]
)
"""An event without its text; `at` in microseconds."""

BODY = pa.schema(
    [
        ("position", COUNT),
        ("id", TEXT),
        ("kind", TEXT),
        ("author", TEXT),
        ("channel", TEXT),
        ("at", TIME),
        ("in_reply_to", TEXT),
        ("addressed_to", TEXT),
        *READ,
        ("subject", TEXT),
        ("body", pa.binary()),
        ("wrapped", pa.binary()),
    ]
)
"""A turn with its sealed text and what opens it."""
