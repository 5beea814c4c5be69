"""Any CSV file of messages is read to its end: every row is a row of a table or a reject with its line."""

import csv
import gzip
import io
from collections import Counter
from pathlib import Path

import pytest
from examples import tries
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.errors import UnsuitableError
from harken.intake import reading_csv, records
from harken.intake.columns import TWCS_COLUMNS, parse_columns
from harken.intake.quality import RawBlock, Reason
from harken.intake.reading_csv import read_csv

HEADER = ",".join(TWCS_COLUMNS)
WHEN = "Tue Oct 31 22:10:47 +0000 2017"


def row(number: int, text: str = "hello there") -> str:
    return f"{number},ada,True,{WHEN},{text},,"


def written(folder: Path, content: str | bytes, name: str = "in.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def all_of(path: Path, **how: object) -> RawBlock:
    blocks = list(read_csv(path, **how))  # type: ignore[arg-type]
    repaired: Counter[str] = Counter()
    for block in blocks:
        repaired.update(block.repaired)
    tables = [block.table for block in blocks]
    table = reading_csv.pa.concat_tables(tables) if tables else reading_csv.SCHEMA.empty_table()
    assert table.schema == reading_csv.SCHEMA
    return RawBlock(
        table=table, rejects=tuple(r for block in blocks for r in block.rejects), repaired=dict(repaired), size=0
    )


def lines_and_texts(block: RawBlock) -> list[tuple[int, str]]:
    return list(zip(block.table["line"].to_pylist(), block.table["text"].to_pylist(), strict=True))


def test_columns_in_any_order_under_other_names_beside_columns_of_no_use(tmp_path: Path) -> None:
    path = written(tmp_path, f",Body,user,id,parent,when,in\n0,hi,ada,7,3.0,{WHEN},True\n")
    names = parse_columns(
        "text=body, tweet_id=id,author_id=user,in_response_to_tweet_id=parent,created_at=when,inbound=in"
    )

    block = all_of(path, columns=names)

    assert block.table.to_pylist() == [
        {
            "line": 2,
            "tweet_id": "7",
            "author_id": "ada",
            "inbound": "True",
            "created_at": WHEN,
            "text": "hi",
            "response_tweet_id": None,
            "in_response_to_tweet_id": "3.0",
        }
    ]


def test_byte_order_mark_windows_line_ends_and_blank_lines(tmp_path: Path) -> None:
    content = "\ufeff" + "\r\n".join([HEADER, row(1), "", row(2, '"two\r\nlines"'), "", ""])

    block = all_of(written(tmp_path, content))

    assert lines_and_texts(block) == [(2, "hello there"), (4, "two\r\nlines")]
    assert block.rejects == ()
    assert block.repaired == {}


@pytest.mark.parametrize("text", ["ask \r\rI just", '"ask, \r\rI just"'])
def test_a_bare_carriage_return_is_text(tmp_path: Path, text: str) -> None:
    block = all_of(written(tmp_path, f"{HEADER}\n{row(1, text)}\n{row(2)}\n"))

    assert lines_and_texts(block) == [(2, text.strip('"')), (3, "hello there")]
    assert block.repaired == {"bare_cr": 1}


def test_bytes_that_are_not_utf8_are_mended_by_the_line(tmp_path: Path) -> None:
    rows = [
        row(1, "caf\u00e9").encode("cp1252"),
        row(2, "na\u00efve").encode(),
        row(3, "x").replace("x", "\x81").encode("latin-1"),
    ]

    block = all_of(written(tmp_path, b"\n".join([HEADER.encode(), *rows])))

    assert [text for _, text in lines_and_texts(block)] == ["caf\u00e9", "na\u00efve", "\x81"]
    assert block.repaired == {"encoding": 2}


def test_nul_characters_far_into_the_file_are_taken_out(tmp_path: Path) -> None:
    many = "\n".join(row(n) for n in range(2000))

    block = all_of(written(tmp_path, f"{HEADER}\n{many}\n{row(2000, 'a' + chr(0) + 'b')}\n"))

    assert block.table["text"][-1].as_py() == "ab"
    assert block.repaired == {"nul": 1}


def test_rows_of_the_wrong_width_are_rejected_with_line_and_words(tmp_path: Path) -> None:
    content = "\n".join([HEADER, row(1, '"two\nlines"'), "1,2", row(2), row(3) + ",extra\rcell", row(4)])

    block = all_of(written(tmp_path, content))

    assert [line for line, _ in lines_and_texts(block)] == [2, 5, 7]
    assert [(r.line, r.reason, r.raw) for r in block.rejects] == [
        (4, Reason.BROKEN_ROW, "1,2"),
        (6, Reason.BROKEN_ROW, row(3) + ",extra\rcell"),
    ]


def test_a_quote_that_never_closes_costs_its_own_line(tmp_path: Path) -> None:
    content = "\n".join([HEADER, row(1), row(2, '"never closed'), row(3, '"fine, really"'), row(4)])

    block = all_of(written(tmp_path, content))

    assert lines_and_texts(block) == [(2, "hello there"), (4, "fine, really"), (5, "hello there")]
    assert [(r.line, r.raw) for r in block.rejects] == [(3, row(2, '"never closed'))]


def test_a_quote_open_at_the_end_is_rejected_not_lost(tmp_path: Path) -> None:
    unclosed = row(2, '"open')
    block = all_of(written(tmp_path, f"{HEADER}\n{row(1)}\n{unclosed}"))

    assert lines_and_texts(block) == [(2, "hello there")]
    assert [r.line for r in block.rejects] == [3]


def test_a_quote_inside_an_unquoted_cell_is_text(tmp_path: Path) -> None:
    quoting = row(1, 'a 5" screen')
    block = all_of(written(tmp_path, f"{HEADER}\n{quoting}\n\n{row(2)}\n"))

    assert lines_and_texts(block) == [(2, 'a 5" screen'), (4, "hello there")]


def test_gzip_semicolons_and_slices(tmp_path: Path) -> None:
    content = "\n".join([HEADER, *(row(n) for n in range(5))]).replace(",", ";")
    path = written(tmp_path, gzip.compress(content.encode(), mtime=0), "in.csv.gz")

    blocks = list(read_csv(path, block_rows=2))

    assert [block.table.num_rows for block in blocks] == [2, 2, 1]
    assert sum(block.size for block in blocks) == len(content) - len(HEADER)


def test_a_header_alone_is_no_row(tmp_path: Path) -> None:
    assert list(read_csv(written(tmp_path, HEADER + "\n"))) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b"\x00\x01,\x02", "binary"),
        ("a,b".encode("utf-16"), "UTF-16"),
        (b"just words\nmore words\n", "no commas"),
        (
            b"a,b\n1,2\n",
            "no column tweet_id, author_id, inbound, created_at, text, in_response_to_tweet_id. It has a, b. ",
        ),
        (b"a," * 40_000, "first line does not end"),
        (gzip.compress(HEADER.encode(), mtime=0)[:-9], "cannot be read to its end"),
    ],
)
def test_what_is_no_such_file_is_refused_in_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(UnsuitableError) as refused:
        list(read_csv(written(tmp_path, content)))

    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_missing_folder_and_forbidden_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnsuitableError, match="does not exist"):
        list(read_csv(tmp_path / "none.csv"))
    with pytest.raises(UnsuitableError, match="is a folder"):
        list(read_csv(tmp_path))

    def forbidden(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "open", forbidden)
    with pytest.raises(UnsuitableError, match="may not be read"):
        list(read_csv(tmp_path / "in.csv"))


@pytest.mark.parametrize("text", ["id", "nonsense=id", "tweet_id="])
def test_a_columns_map_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(UnsuitableError, match="OURS=THEIRS"):
        parse_columns(text)


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 100)
    monkeypatch.setattr(records, "MAX_LINE_BYTES", 1000)
    monkeypatch.setattr(reading_csv, "BLOCK_BYTES", 500)

    with pytest.raises(UnsuitableError, match="Line 3 is longer"):
        list(read_csv(written(tmp_path, f"{HEADER}\n{row(1)}\n{row(2, 'x' * 5000)}\n")))


CELLS = st.text(st.sampled_from('ab,"\n\r \u00e9'), max_size=6)


@settings(max_examples=tries(60), deadline=None)
@given(
    texts=st.lists(CELLS, max_size=12),
    order=st.permutations(TWCS_COLUMNS),
    block=st.sampled_from([7, 64, 1 << 20]),
)
def test_whatever_a_csv_writer_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], order: list[str], block: int
) -> None:
    out = io.StringIO()
    writer = csv.DictWriter(out, order, lineterminator="\r\n")  # so that it quotes both
    writer.writeheader()
    lines = []
    for number, text in enumerate(texts):
        lines.append(out.getvalue().count("\n") + 1)
        writer.writerow(dict.fromkeys(order, "") | {"tweet_id": number, "text": text})
    path = written(tmp_path_factory.mktemp("law"), out.getvalue())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading_csv, "BLOCK_BYTES", block)
        read = all_of(path)

    assert lines_and_texts(read) == list(zip(lines, texts, strict=True))
    assert read.rejects == ()


@settings(max_examples=tries(60), deadline=None)
@given(
    lines=st.lists(st.text(st.sampled_from('ab,"'), min_size=1, max_size=30), max_size=12),
    block=st.sampled_from([5, 1 << 20]),
)
def test_no_line_is_lost_however_broken(tmp_path_factory: pytest.TempPathFactory, lines: list[str], block: int) -> None:
    path = written(tmp_path_factory.mktemp("law"), "\n".join([HEADER, *lines]) + "\n")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading_csv, "BLOCK_BYTES", block)
        read = all_of(path)

    starts = sorted([*read.table["line"].to_pylist(), *(reject.line for reject in read.rejects)])
    assert len(starts) == len(set(starts))
    assert set(starts) <= set(range(2, len(lines) + 2))
    assert bool(starts) == bool(lines)
    if '"' not in "".join(lines):
        assert starts == list(range(2, len(lines) + 2))
