"""What a message is about, with how sure we are: a closed set of categories, and an outside of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

OUT_OF_SCOPE = "out_of_scope"
"""None of the categories: it goes to a person or is asked about, and is never forced into one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """Probabilities are calibrated: of the messages that get 0.8, eight in ten are what is said of them."""

    category: str  #: of the closed set, or `OUT_OF_SCOPE`
    probability: float
    model: str  #: name and version of what classified, for the record
    others: Mapping[str, float] = field(default_factory=dict)  #: every other category with its probability
    language: str = "und"  #: ISO 639-1
    sentiment: float | None = None  #: -1 to 1; None where the language has no lexicon
    urgency: int = 0  #: 0 none, 1 soon, 2 urgent, 3 critical
    wants_person: float = 0.0  #: probability
    regulatory: float = 0.0  #: probability
    in_scope: float = 1.0  #: probability that it belongs to the closed set at all
