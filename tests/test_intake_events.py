"""Our own JSON Lines: every line is an event or a reject with its reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from harken.errors import UnsuitableError
from harken.intake import reading_events
from harken.intake.normalise import EVENTS
from harken.intake.quality import RawBlock
from harken.intake.reading_events import parse, read_events

NOW_US = 1_800_000_000_000_000
USUAL = {
    "id": "m1",
    "kind": "message_received",
    "customer": "ada",
    "channel": "chat",
    "happened_at": "2026-03-01T10:00:00+01:00",
    "text": "My card does not work",
}


def read(folder: Path, *lines: dict[str, Any] | str, **how: int) -> list[RawBlock]:
    path = folder / "events.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return list(read_events(path, source="bank", now_us=NOW_US, **how))


def one(folder: Path, **fields: Any) -> dict[str, Any]:
    [block] = read(folder, USUAL | fields)
    assert block.rejects == ()
    [row] = block.table.to_pylist()
    return row


def test_a_message_of_a_customer(tmp_path: Path) -> None:
    assert one(tmp_path, brand="Harbour", attributes={"z": None, "amount": 5, "a": True}) == {
        "id": "bank:m1",
        "kind": "message_received",
        "identity": "customer:ada",
        "author": "ada",
        "channel": "chat",
        "at": 1_772_355_600_000_000,
        "text": "My card does not work",
        "in_reply_to": None,
        "addressed_to": "harbour",
        "attributes": '{"a":true,"amount":5,"z":null}',
        "source": "bank",
        "line": 1,
    }


def test_our_answer_concerns_the_customer_and_is_by_the_brand(tmp_path: Path) -> None:
    row = one(tmp_path, kind="message_sent", brand="Harbour", identity="mail:ada", in_reply_to="m0")

    assert (row["identity"], row["author"], row["in_reply_to"], row["addressed_to"]) == (
        "mail:ada",
        "Harbour",
        "bank:m0",
        None,
    )


def test_messages_of_one_thread_share_a_parent_nobody_sees(tmp_path: Path) -> None:
    [block] = read(tmp_path, USUAL | {"thread": 77}, "", USUAL | {"id": "m2", "thread": "77"})

    assert block.table["in_reply_to"].to_pylist() == ["thread:77"] * 2
    assert block.table["line"].to_pylist() == [1, 3]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "sneeze"}, "unknown_kind"),
        ({"kind": None}, "missing_field"),
        ({"id": ""}, "missing_field"),
        ({"customer": None}, "missing_field"),
        ({"happened_at": None}, "missing_field"),
        ({"happened_at": "yesterday"}, "unreadable_time"),
        ({"happened_at": "2026-03-01T10:00:00"}, "unreadable_time"),
        ({"happened_at": "2126-03-01T10:00:00Z"}, "time_in_future"),
        ({"happened_at": "9999-12-31T23:59:59-30:00"}, "unreadable_time"),
        ({"id": "two words"}, "bad_id"),
        ({"id": ":x"}, "bad_id"),
        ({"text": " "}, "empty_text"),
        ({"text": ["a"]}, "wrong_type"),
        ({"id": True}, "wrong_type"),
        ({"channel": "pigeon"}, "wrong_type"),
        ({"attributes": [1]}, "wrong_type"),
        ({"attributes": "[1"}, "broken_row"),
        ({"attributes": {"a": {"b": 1}}}, "wrong_type"),
        ({"attributes": {"a": 1.5}}, "wrong_type"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, fields: dict[str, Any], reason: str) -> None:
    [block] = read(tmp_path, USUAL | {"id": "fine"}, USUAL | fields)

    [reject] = block.rejects
    assert (reject.line, reject.reason) == (2, reason)
    assert json.loads(reject.raw) == USUAL | fields
    assert block.table["id"].to_pylist() == ["bank:fine"]


@pytest.mark.parametrize("line", ["{", "[1]", '"x"', "nonsense"])
def test_a_line_that_is_no_object(tmp_path: Path, line: str) -> None:
    [block] = read(tmp_path, USUAL, line)

    assert [(reject.line, reject.reason, reject.raw) for reject in block.rejects] == [(2, "broken_row", line)]


def test_things_that_happen_without_words(tmp_path: Path) -> None:
    row = one(tmp_path, kind="payment", channel="app", text=None, attributes={"amount": 1200})

    assert (row["kind"], row["text"], row["attributes"]) == ("payment", "", '{"amount":1200}')


def test_a_closing_without_customer_or_author_is_by_the_source(tmp_path: Path) -> None:
    row = one(tmp_path, kind="issue_resolved", customer=None, in_reply_to="twitter:5", text=None)

    assert (row["identity"], row["author"], row["in_reply_to"]) == (None, "bank", "twitter:5")


def test_a_row_that_was_in_quarantine_can_be_read_again(tmp_path: Path) -> None:
    row = one(tmp_path, brand="Harbour", thread="7", attributes={"amount": 5})

    again = parse([(9, json.dumps(row).encode())], "bank", NOW_US)

    assert again.table.to_pylist() == [row | {"line": 9}]


def test_nul_is_taken_out_and_blocks_keep_counting_lines(tmp_path: Path) -> None:
    blocks = read(tmp_path, USUAL, USUAL | {"id": "m2", "text": "a\0b"}, USUAL | {"id": "m3"}, block_rows=1)

    assert [block.table["line"].to_pylist() for block in blocks] == [[1], [2], [3]]
    assert blocks[1].table["text"].to_pylist() == ["ab"]
    assert blocks[1].repaired == {"nul": 1}
    assert all(block.table.schema == EVENTS for block in blocks)


def test_a_file_of_something_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsuitableError, match="not JSON Lines"):
        read(tmp_path, "id,kind", "1,2")
    monkeypatch.setattr(reading_events, "MAX_LINE_BYTES", 20)
    with pytest.raises(UnsuitableError, match="Line 1 of"):
        read(tmp_path, USUAL)
