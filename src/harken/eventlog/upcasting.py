"""An event of an old version -> the same event as the newest version writes it, one step after the other."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from harken.domain import money
from harken.errors import RefusedError
from harken.eventlog.registry import FIRST_VERSION, Violation

Body: TypeAlias = Mapping[str, Any]
Upcaster: TypeAlias = Callable[[Body], dict[str, Any]]


class NotUpcastError(RefusedError):
    """The event fits its own version, but no event of the next says the same."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(f"{violation.path}: {violation.rule}")
        self.violation = violation


def newest(name: str, version: int | None, body: Body) -> Body:
    """The body after every step there is from `version` (None: the first). It says its new version; `body` stays.

    Expects what fits the schema of its version. Raises NotUpcastError.
    """
    at = FIRST_VERSION if version is None else version
    while step := UPCASTERS.get((name, at)):
        at += 1
        body = step(body) | {"version": at}
    return body


def _payment_in_minor_units(body: Body) -> dict[str, Any]:
    """Version 1 wrote `"12.50"` and left it to the reader how many decimals a currency has."""
    properties = dict(body["properties"])
    try:
        properties["amount_minor"] = money.minor_units(properties.pop("amount"), properties["currency"])
    except (ValueError, OverflowError) as wrong:
        raise NotUpcastError(Violation("/properties/amount", "minor_units")) from wrong
    return {**body, "properties": properties}


UPCASTERS: Mapping[tuple[str, int], Upcaster] = {("payment", 1): _payment_in_minor_units}
"""(name, version) -> the step to the next version."""
