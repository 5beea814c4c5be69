"""Something that could be done for a customer, as it was proposed: a name of the catalogue and arguments, never a deed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harken.domain.profile import Value


@dataclass(frozen=True, slots=True)
class Offered:
    """An action that a model may propose: a name of the catalogue, what it is, and the JSON Schema of its arguments."""

    name: str
    title: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Whom it concerns and where it goes is filled in by code from the ticket; a proposal that names either is refused."""

    action: str  #: of the closed catalogue, for example `refund`
    arguments: Mapping[str, Value] = field(default_factory=dict)
    because: str = ""
