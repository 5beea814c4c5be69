"""SQL lives in .sql files next to the code that runs it.

-- name: append
-- Why this query exists.
INSERT ...
"""

import re
from importlib import resources
from types import SimpleNamespace
from typing import LiteralString, cast

_HEADER = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def parse(text: str) -> dict[str, LiteralString]:
    """Split a .sql file at its `-- name:` lines. A name used twice is a bug."""
    _, *parts = _HEADER.split(text)
    names, bodies = parts[::2], parts[1::2]
    assert len(set(names)) == len(names), f"a query name is used twice: {names}"
    # The text ships inside the wheel, so it is as literal as our own source.
    return {name: cast(LiteralString, body.strip()) for name, body in zip(names, bodies, strict=True)}


def queries(package: str) -> SimpleNamespace:
    """Load `queries.sql` of a package: q.append, q.read_since, ..."""
    text = resources.files(package).joinpath("queries.sql").read_text("utf-8")
    return SimpleNamespace(**parse(text))
