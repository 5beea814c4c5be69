"""What Schemathesis cannot read in a description: the moments of which it makes times up."""

from datetime import UTC, datetime
from typing import Any

import schemathesis
from hypothesis import strategies as st

FIRST, LAST = datetime(1970, 1, 2), datetime(2199, 12, 30)  # noqa: DTZ001  hypothesis adds the zone

schemathesis.openapi.format(
    "date-time", st.datetimes(FIRST, LAST, timezones=st.just(UTC)).map(lambda at: at.isoformat())
)


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Three features stand for all: each would be tried with each comparison, four figures of cases that are one."""
    feature = raw_schema["components"]["schemas"]["Condition"]["properties"]["feature"]
    feature["enum"] = feature["enum"][:3]
