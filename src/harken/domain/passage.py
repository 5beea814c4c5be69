"""A piece of what the company knows, with where it stands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    id: str
    text: str
    source: str
    score: float
    language: str = ""  #: ISO 639-1, of the words as they stand in the library; empty: nobody said
    original: str = ""  #: the words as they stand there, where `text` is a translation of them
