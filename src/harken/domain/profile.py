"""What we know of a customer as of a moment: feature name -> value."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from harken.domain.ids import CustomerId, IdentityId

Value: TypeAlias = int | float | str | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    customer: CustomerId
    identities: tuple[IdentityId, ...]
    as_of: datetime
    features: Mapping[str, Value]
    hours: tuple[int, ...] = (0,) * 24  #: messages per UTC hour of day in the last 90 days: when they write
    definitions: str = ""  #: hash of the feature definitions
    position: int = 0  #: log position up to which events were known
    zone: str | None = None  #: the customer's IANA zone where a source told us
    consents: Mapping[str, bool] | None = None  #: channel -> granted, where a source told us
    reachable: tuple[str, ...] = ()  #: channels with a known identifier
