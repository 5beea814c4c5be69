"""`harken evaluate`: labels are read whole or refused, and each figure counts what it says that it counts."""

import json
from pathlib import Path
from typing import Any

import pytest
from cli_cases import home_of_its_own  # noqa: F401  a fixture
from journey import harken

from harken.cli import evaluate
from harken.errors import UnsuitableError
from harken.flow import measuring
from harken.flow.concluding import Ending
from harken.flow.measuring import Graded, Question

PAGE = """# Opening hours of the branch in Lindau

The branch in Lindau is open from 9:00 to 16:30, Monday to Friday. On Saturdays it is closed.
"""
QUESTIONS = [
    {"id": "right", "text": "When is the branch in Lindau open?", "expected": "sent", "says": ["16:30"]},
    {"id": "wrong", "text": "What are the opening hours of the branch in Lindau?", "expected": "sent", "says": ["18:00"]},
    {"id": "never", "text": "Is the branch in Lindau open on Saturdays?", "never": ["saturdays"]},
    {"id": "unwanted", "text": "When does the branch in Lindau open?", "expected": "unanswered"},
    {"id": "unknown", "text": "Do you sell gold coins from South Africa?", "expected": "unanswered"},
    {"id": "person", "text": "I want to talk to a real person, please.", "expected": "sent"},
]  # fmt: skip


def test_labels_are_read(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(
        '{"text": "Why?"}\n\n{"text": "How?", "id": 7, "customer": "ada", "expected": "sent", "says": ["x"]}\n'
    )
    assert measuring.read(path) == [
        Question(id="1", text="Why?", customer="evaluation-1", expected="any"),
        Question(id="7", text="How?", customer="ada", expected="sent", says=("x",)),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "0 questions"),
        (b'{"text": "Why?"}\n{"text": ', "Line 2 is no JSON"),
        (b'{"txt": "Why?"}', "Line 1 is no JSON object with a `text`"),
        (b'{"text": " "}', "Line 1: `text` is words"),
        (b'{"text": "Why?", "expected": "good"}', "expected` one of sent"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_labels_that_cannot_be_read_are_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_bytes(content)
    with pytest.raises(UnsuitableError, match=words):
        measuring.read(path)


def graded(ending: Ending, expected: str, *, right: bool = True, invented: bool = False, clean: bool = True) -> Graded:
    question = Question(id=f"{ending}", text="Why?", customer="ada", expected=expected)
    return Graded(
        question=question, ending=ending, reason="", message="Because.", right=right, invented=invented, clean=clean
    )


def test_each_figure_counts_what_it_says() -> None:
    found = measuring.figures([
        graded(Ending.SENT, "sent"),
        graded(Ending.SENT, "sent", right=False, invented=True),
        graded(Ending.SENT, "unanswered", clean=False, right=False),
        graded(Ending.HANDED_OVER, "sent"),
        graded(Ending.CLARIFIED, "any"),
    ])  # fmt: skip
    assert (found.questions, found.sent) == (5, 3)
    assert (found.accuracy, found.hallucination, found.compliance) == (0.3333, 0.3333, 0.8)
    assert (found.as_expected, found.resolution, found.escalation) == (0.6, 0.3333, 0.2)
    assert [each["expected"] for each in found.unexpected] == ["unanswered", "sent"]
    assert measuring.figures([]).accuracy is None


def test_a_library_and_labels_of_somebody_else(store_url: str, tmp_path: Path) -> None:
    (tmp_path / "hours.md").write_text(PAGE)
    labels = tmp_path / "labels.jsonl"
    labels.write_text("".join(json.dumps(each) + "\n" for each in QUESTIONS))
    assert (
        harken("knowledge", "add", str(tmp_path / "hours.md"), "--visibility", "public", "--store", store_url).code == 0
    )

    found: dict[str, Any] = harken("evaluate", str(labels), "--store", store_url, "--json").json
    assert found["questions"] == len(QUESTIONS)
    assert (found["sent"], found["accuracy"], found["hallucination"]) == (4, 0.25, 0.0)
    assert (found["resolution"], found["compliance"] < 1) == (0.3333, True)
    assert [each["id"] for each in found["unexpected"]] == ["unwanted", "person"]
    again = harken("evaluate", str(labels), "--store", store_url)
    assert "person: handed_over where sent was expected" in again.out
    assert "25.0%  of the answers sent are right" in again.out


def test_without_pages_nothing_is_asked(tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"text": "Why?"}')
    assert "--knowledge FOLDER" in harken("evaluate", str(labels)).refusal
    assert (
        "name one" in harken("evaluate", str(labels), "--knowledge", str(tmp_path), "--store", "postgresql://x").refusal
    )


def test_each_set_of_pages_has_a_store_of_its_own(tmp_path: Path) -> None:
    one, both = evaluate._beside([tmp_path / "a"]), evaluate._beside([tmp_path / "b", tmp_path / "a"])
    assert one
    assert both
    assert one != both == evaluate._beside([tmp_path / "a", tmp_path / "b"])
    assert evaluate._beside(()) is None
