"""Text that was decoded wrongly is mended, or named as lost; good text in any language is left alone."""

import json

import pyarrow as pa
import pytest

from harken.intake.encoding import decode, repair
from harken.intake.mending import mend
from harken.intake.quality import RawBlock


@pytest.mark.parametrize(
    "text",
    [
        "we're here \u2019 \U0001f600",
        "voil\u00e0, d\u00e9j\u00e0 vu",
        "Gr\u00fc\u00dfe",
        "\u3042\u308a\u304c\u3068\u3046",
    ],
)
def test_what_was_read_as_windows_1252_is_mended(text: str) -> None:
    broken = text.encode().decode("cp1252", errors="replace")
    if "\ufffd" not in broken and not text.isascii():
        assert repair(broken) == (text, "mojibake")
    assert repair(text) == (text, None)


@pytest.mark.parametrize("text", ["plain words", "S\u00c3O PAULO", "l'\u00e2me", "ma\u00efs", ""])
def test_good_text_stays(text: str) -> None:
    assert repair(text) == (text, None)


def test_what_is_mostly_lost_is_said_so() -> None:
    assert repair("\ufffd\ufffd\ufffd\ufffd ok") == ("\ufffd\ufffd\ufffd\ufffd ok", "mojibake_unrepairable")
    assert repair("\ufffd") == ("\ufffd", "mojibake_unrepairable")


def test_a_lost_letter_in_a_long_text_is_no_reason_to_refuse_it() -> None:
    assert repair("My caf\ufffd order never arrived today") == ("My caf\ufffd order never arrived today", None)


def test_bytes_of_three_encodings() -> None:
    assert decode("\u00e9".encode()) == "\u00e9"
    assert decode("\u2019".encode("cp1252")) == "\u2019"
    assert decode(b"\x81") == "\x81"


def test_a_block_is_mended_row_by_row() -> None:
    texts = ["plain", "we\u00e2\u20ac\u2122re here", "\ufffd\ufffd", None]
    block = RawBlock(table=pa.table({"line": [2, 3, 4, 5], "text": texts}), repaired={"nul": 1})

    mended = mend(block)

    assert mended.table.to_pylist() == [
        {"line": 2, "text": "plain"},
        {"line": 3, "text": "we\u2019re here"},
        {"line": 5, "text": None},
    ]
    assert [(r.line, r.reason, json.loads(r.raw)) for r in mended.rejects] == [
        (4, "mojibake_unrepairable", {"line": 4, "text": "\ufffd\ufffd"})
    ]
    assert mended.repaired == {"nul": 1, "mojibake": 1}
    clean = RawBlock(table=pa.table({"line": [2], "text": ["plain"]}))
    assert mend(clean) is clean
