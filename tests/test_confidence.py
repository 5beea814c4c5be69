"""Our own confidence: the page and the file agree on how it is made, and more evidence never lowers it."""

import re
from pathlib import Path

from guard_cases import RULES
from hypothesis import given
from hypothesis import strategies as st

from harken.guard import confidence

EVIDENCE = ("support", "weakest", "coverage", "retrieval", "margin", "title", "sentence", "classified")


def test_the_page_has_the_coefficients_of_the_file() -> None:
    """And every one of them: a coefficient that is said nowhere was set by nobody knows whom."""
    page = (Path(__file__).parents[1] / "docs" / "guard.md").read_text("utf-8")
    said = dict(re.findall(r"^\| `(\w+)` \| (-?[\d.]+) \|", page, re.MULTILINE))
    shipped = RULES.content.confidence.model_dump(exclude={"least", "made"})

    assert {name: float(number) for name, number in said.items()} == shipped
    assert "benchmarks/fit_confidence.py" in RULES.content.confidence.made


@given(st.dictionaries(st.sampled_from(EVIDENCE), st.floats(0, 1)), st.sampled_from(EVIDENCE), st.floats(0, 1))
def test_better_evidence_never_makes_a_reply_less_sure(found: dict[str, float], name: str, more: float) -> None:
    weights = RULES.content.confidence
    whole = dict.fromkeys(EVIDENCE, 0.5) | found
    better = whole | {name: max(whole[name], more)}

    assert confidence.ours(better, weights) >= confidence.ours(whole, weights)
