"""Log lines: one JSON object each on standard error, ours and the libraries', with nothing personal in them."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import redirect_stderr

import pytest

from harken.cli import logs
from harken.kit.log import logger


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, pool = logging.getLogger(), logging.getLogger("psycopg.pool")
    before = (root.handlers[:], root.level, pool.level)
    yield
    root.handlers[:], root.level = before[:2]
    pool.setLevel(before[2])


def test_every_line_is_json_and_redacted() -> None:
    with redirect_stderr(io.StringIO()) as err:
        logs.to_standard_error("WARNING")
        logger(__name__).warning("asked", customer="jane@example.com")
        logger(__name__).info("not this one")
        try:
            raise ValueError("jane@example.com")
        except ValueError:
            logging.getLogger("uvicorn.error").exception("Exception in %s", "jane@example.com")
        logging.getLogger("uvicorn.error").info("not this one")
        logging.getLogger("psycopg.pool").warning("nor this one")
    lines = [json.loads(line) for line in err.getvalue().splitlines()]

    assert [(line["event"], line["level"]) for line in lines] == [
        ("asked", "warning"),
        ("Exception in [EMAIL]", "error"),
    ]
    assert lines[0]["customer"] == "[EMAIL]"
    assert "ValueError: [EMAIL]" in lines[1]["exception"]
    assert all(line["timestamp"].endswith("Z") for line in lines)
