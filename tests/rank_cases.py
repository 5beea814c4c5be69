"""A few passages for the tests of order and cut."""

from dataclasses import replace
from datetime import UTC, datetime

from harken.domain.document import Scope
from harken.knowledge.found import Candidate

NOW = datetime(2026, 3, 1, tzinfo=UTC)

TEXTS = {
    "fees": "The monthly fee is 20 dollars. It is waived above 625 dollars.",
    "cards": "A lost card is frozen in the app. A stolen card is closed.",
    "wires": "A wire abroad costs 25 dollars, a domestic wire 10 dollars.",
    "errors": "ERR-1042 means that the routing number is wrong.",
}


def candidate(document: str = "fees", ordinal: int = 0, **changes: object) -> Candidate:
    whole = Candidate(
        number=ordinal,
        document_id=document,
        version=1,
        ordinal=ordinal,
        title=document,
        heading="",
        text=TEXTS.get(document, document),
        start=ordinal * 100,
        end=ordinal * 100 + 100,
        source="",
        owner="",
        language="en",
        scope=Scope(),
        effective_from=None,
        added_at=NOW,
        dense=0.5,
        lexical=0.2,
    )
    return replace(whole, **changes)  # type: ignore[arg-type]
