"""Rows of nba_predictions.csv: what the csv module reads back, and nothing a spreadsheet would run."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from harken.flow.predicting import _cell

cells = st.lists(st.text(st.sampled_from(list('a ,"\r\n\t=+-@é')), max_size=12), min_size=2, max_size=5)


@given(cells)
def test_every_cell_comes_back_as_it_was(said: list[str]) -> None:
    written = ",".join(map(_cell, said)) + "\r\n"

    [found] = csv.reader(io.StringIO(written, newline=""), strict=True)

    assert [
        cell.removeprefix("'") if told[:1] in "=+-@\t\r" else cell for cell, told in zip(found, said, strict=True)
    ] == said


@given(cells)
def test_no_cell_is_a_program(said: list[str]) -> None:
    [found] = csv.reader(io.StringIO(",".join(map(_cell, said)) + "\r\n", newline=""), strict=True)

    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in found)
