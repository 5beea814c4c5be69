"""`harken train classifier`: an organisation's own labels, an honest report, and clear lines for what cannot be learned from."""

import csv
import json
from pathlib import Path

import pytest
from journey import Ended, harken

from harken.classify import exemplars, measures
from harken.classify.labels import Labelled, usable
from harken.classify.measures import Told
from harken.errors import UnsuitableError

NAMES = ["name", "labels", "rows", "skipped", "held_back", "accuracy", "macro_f1", "ece", "out_of_scope_recall", "refused",
         "by_label", "confused"]  # fmt: skip
FEW = [("I need money back", "refund")] * 3


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARKEN_HOME", str(tmp_path))


def english() -> list[tuple[str, str]]:
    """The first language's: its messages out of scope come last."""
    rows = exemplars.rows()
    end = next(at for at, row in enumerate(rows) if row.label and at and not rows[at - 1].label)
    return [(row.text, row.label or "oos") for row in rows[:end]]


def written(path: Path, rows: list[tuple[str, str]], header: tuple[str, ...] = ("text", "label")) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def trained(path: Path, *more: str) -> Ended:
    return harken("train", "classifier", path, *more)


def test_own_labels_are_learned_reported_and_used(tmp_path: Path) -> None:
    rows = [
        *english(),
        ("", "refund"),
        ("I forgot my password", "account_management"),
        ("I forgot my password", "bug_report"),
    ]
    ended = trained(written(tmp_path / "labels.csv", rows), "--name", "desk", "--json")
    report = json.loads(ended.out)

    assert ended.code == 0, ended.err
    assert list(report) == NAMES
    assert (report["name"], report["labels"], report["rows"]) == ("desk", 6, len(english()) - 1)
    assert report["skipped"] == {"empty_text": 1, "repeated": 1, "contradictory": 2}
    assert 0.5 < report["accuracy"] <= 1
    assert 0 <= report["ece"] < 0.3
    assert 0 <= report["out_of_scope_recall"] <= 1
    assert (
        sum(each["rows"] for each in report["by_label"])
        < report["held_back"]
        == pytest.approx(len(english()) / 5, abs=7)
    )

    messages = tmp_path / "messages.jsonl"
    messages.write_text(json.dumps({"id": 1, "text": "I was charged twice on my invoice"}))
    line = json.loads(harken("inspect", messages, "--model", "desk").out)
    assert line["category"] == "billing_inquiry"


def test_people_see_each_label_and_what_is_mistaken(tmp_path: Path) -> None:
    lines = tmp_path / "labels.jsonl"
    lines.write_text("\n".join(json.dumps({"text": text, "label": label}) for text, label in english()))
    ended = trained(lines)

    assert ended.code == 0, ended.err
    for word in (*exemplars.CATEGORIES, "accuracy", "out of scope", "Mistaken most often", "HARKEN_CLASSIFIER=default"):
        assert word in ended.out
    assert (tmp_path / "classifiers" / "default").is_dir()


def test_two_labels_without_an_outside_are_enough(tmp_path: Path) -> None:
    rows = [row for row in english() if row[1] in ("billing_inquiry", "bug_report")]
    report = json.loads(trained(written(tmp_path / "labels.csv", rows), "--json").out)
    assert (report["labels"], report["out_of_scope_recall"]) == (2, None)
    assert report["accuracy"] > 0.7


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("text,label\nhello,greeting\n", "one label"),
        ("text,label\n", "no labels"),
        ("words,label\nhello,greeting\n", "columns `text` and `label`"),
        ("", "columns `text` and `label`"),
        ("text,label\n" + "\n".join(f"hello {n},a" for n in range(20)) + "\nbye,b\n", "b has fewer than 10"),
    ],
)
def test_what_cannot_be_learned_from_is_told_in_one_line(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(content)
    ended = trained(path)

    assert (ended.code, ended.out, ended.err.count("\n")) == (1, "", 1)
    assert says in ended.err
    assert not (tmp_path / "classifiers").exists()


@pytest.mark.parametrize(
    ("line", "says"), [("{", "Line 1 is not JSON"), ('{"text": "my PIN is 4711"}', "Line 1 is not an object")]
)
def test_a_line_that_is_no_label_is_named_and_never_repeated(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(line)
    ended = trained(path)
    assert ended.code == 1
    assert says in ended.err
    assert "4711" not in ended.err


@pytest.mark.parametrize("name", ["../x", "A", "", "a b", "-x"])
def test_a_name_is_no_path(tmp_path: Path, name: str) -> None:
    ended = trained(written(tmp_path / "labels.csv", english()), "--name", name)
    assert ended.code == 2
    assert not (tmp_path / "classifiers").exists()


def test_a_text_with_two_labels_is_left_out_whole() -> None:
    rows = [(f"a {n}", "a") for n in range(10)] + [(f"b {n}", "b") for n in range(10)]
    found = usable([*rows, ("Same", "a"), ("same ", "b"), ("A 1", "a"), ("?!", "a"), ("x", " ")])

    assert len(found.rows) == 20
    assert found.skipped == {"contradictory": 2, "repeated": 1, "empty_text": 1, "no_label": 1}
    assert found.counts == {"a": 10, "b": 10}


def test_labels_of_the_outside_have_several_names() -> None:
    rows = [(f"{label} {n}", label) for label in "ab" for n in range(10)]
    found = usable([*rows, ("x", "oos"), ("y", "Out_Of_Scope"), ("z", "out of scope")])
    assert found.outside == 3
    assert Labelled("x", "") in found.rows


def test_too_few_is_said_of_each_label() -> None:
    with pytest.raises(UnsuitableError, match="refund has fewer than 10"):
        usable([*FEW, *[(f"b {n}", "b") for n in range(10)]])


def test_measures_are_what_they_are_called() -> None:
    told = [Told("a", "a", 0.9), Told("a", "b", 0.6), Told("b", "b", 0.8), Told("out_of_scope", "a", 0.7)]

    assert measures.accuracy(told) == 0.5
    assert measures.recall(told, "a") == 0.5
    assert measures.recall(told, "c") is None
    assert [each.f1 for each in measures.by_label(told, ["a", "b"])] == [0.5, pytest.approx(2 / 3)]
    assert measures.macro_f1(told, ["a", "b"]) == pytest.approx((0.5 + 2 / 3) / 2)
    assert measures.ece(told) == pytest.approx((0.1 + 0.6 + 0.2 + 0.7) / 4)
    assert measures.confused(told) == {("a", "b"): 1, ("out_of_scope", "a"): 1}
