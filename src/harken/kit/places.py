"""Places by ISO 3166, a country `DE` or a part of one `US-CA`; and what clocks say in a time zone."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo


def within(place: str, wanted: Iterable[str]) -> bool:
    """Whether it is one of these, or a part of one: `US-CA` is in `US`."""
    return any(place == each or place.startswith(f"{each}-") for each in wanted)


class Local(NamedTuple):
    at: datetime
    date: str  #: `2026-01-02`
    time: str  #: `09:30`
    zone: str  #: `CET`; `UTC+05:30` where a zone has no letters of its own


def local_time(at: datetime, zone: str) -> Local:
    """As people there write it down."""
    local = at.astimezone(ZoneInfo(zone))
    name = local.tzname() or ""
    offset = f"{local:%z}"
    shown = name if name.isalpha() else f"UTC{offset[:3]}:{offset[3:]}"
    return Local(local, f"{local:%Y-%m-%d}", f"{local:%H:%M}", shown)
