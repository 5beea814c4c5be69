"""A moment as a request says it -> UTC."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from harken.kit.clock import asked_for

_WRITTEN = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")


def _written_out(value: Any) -> Any:
    """A number could be seconds or milliseconds of anybody's clock."""
    if not isinstance(value, str) or not _WRITTEN.match(value):
        raise ValueError("must be an ISO 8601 time such as 2026-03-16T12:00:00Z")
    return value


_DESCRIBED = {"type": "string", "format": "date-time", "pattern": r"^(19[7-9][0-9]|2[01][0-9]{2})-"}

Moment = Annotated[datetime, AfterValidator(asked_for), BeforeValidator(_written_out), WithJsonSchema(_DESCRIBED)]
