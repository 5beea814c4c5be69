"""A piece of what the company knows, with where it stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    id: str
    text: str
    source: str
    score: float
