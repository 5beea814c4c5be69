"""Lists and tables become drafts, one a row, or one line why not."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from documents_cases import all_of, one_apart, reason, titles, written  # noqa: F401  a fixture among them

from harken.domain.document import DocumentClass, Draft, Heading, Said, Unreadable, Visibility
from harken.knowledge.reading.apart import Apart
from harken.knowledge.reading.read import read


def test_json_one_a_list_and_one_a_line(tmp_path: Path, apart: Apart) -> None:
    one = {"id": "A-1", "title": "Fees", "content": "## Abroad\n\n1 %", "visibility": "public", "language": None}
    two = {"title": "Cards", "content": "None.", "owner": "Ops"}
    written(tmp_path, "single.json", json.dumps(one | {"id": 7}, indent=2))
    written(tmp_path, "list.json", json.dumps([one, two], indent=1))
    written(tmp_path, "lines.jsonl", json.dumps(one | {"id": "B"}) + '\n{"id": }\n\n' + json.dumps(two) + "\n[]\n")

    found = {each.source: each for each in all_of([tmp_path], apart)}

    single, second = found["single.json"], found["list.json:9"]
    assert isinstance(single, Draft)
    assert isinstance(second, Draft)
    assert (single.document_id, single.said.visibility, titles(single)) == ("7", Visibility.PUBLIC, [(2, "Abroad")])
    assert second.document_id.startswith("list.json#")
    assert second.said.owner == "Ops"
    kinds = {source: type(each).__name__ for source, each in found.items()}
    assert kinds == {
        "lines.jsonl:1": "Draft",
        "lines.jsonl:2": "Unreadable",
        "lines.jsonl:4": "Draft",
        "lines.jsonl:5": "Unreadable",
        "list.json:2": "Draft",
        "list.json:9": "Draft",
        "single.json": "Draft",
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"id": "a",\n "title" "b"}', "broken JSON in line 2"),
        ('{"content": "a"} {"content": "b"}', "something follows the object"),
        ('{"content": "a", "visibility": "restricted", "visibility": "public"}', "says a key twice"),
        ('{"content": "a", "visibility": null}', "its `visibility` is empty"),
        ('{"content": "a", "visibility": 0}', "`visibility` that is not a word"),
        ('{"content": "a", "id": ["x"]}', "`id` that is not a word"),
        ('{"title": "a"}', "is not an object with"),
        ("[" * 100_000, "nested deeper"),
        ('{"content": ' * 100_000, "nested deeper"),
        ('{"content": "a", "more": ' + "[" * 70 + "]" * 70 + "}", "nested deeper"),
        ('{"content": ' + "9" * 5_000 + "}", "number that is too long"),
        ("[]", "no documents"),
        ('"words"', "is not an object with"),
    ],
)
def test_broken_json_says_where(tmp_path: Path, apart: Apart, text: str, says: str) -> None:
    assert says in reason(written(tmp_path, "a.json", text), apart)


def test_a_broken_list_keeps_what_came_before(tmp_path: Path, apart: Apart) -> None:
    found = all_of([written(tmp_path, "a.json", '[{"content": "a"},\n{"content": 1},\n{"content" "c"}]')], apart)
    assert [each.reason if isinstance(each, Unreadable) else each.text for each in found] == [
        "a",
        "is not an object with `id`, `title` and `content`",
        "is broken JSON in line 3",
    ]


def test_questions_and_answers_in_a_table(tmp_path: Path, apart: Apart) -> None:
    rows = 'Question;ANSWER;Class\n"Fees; abroad?";"1 %\nalways";cards\n\nOpen?;;cards\n Fees;  ABROAD? ;x\n'
    path = written(tmp_path, "faq/a.csv", rows)

    first, empty, wide = all_of([tmp_path], apart)

    assert isinstance(first, Draft)
    assert (first.title, first.text) == ("Fees; abroad?", "Fees; abroad?\n\n1 %\nalways")
    assert first.headings == (Heading(start=0, level=1, title="cards"),)
    assert first.said.document_class is None
    assert isinstance(empty, Unreadable)
    assert (empty.source, empty.reason) == ("faq/a.csv:5", "has no question or no answer")
    assert isinstance(wide, Draft)
    assert wide.title == "Fees"
    written(tmp_path, "faq/a.csv", 'question,answer\n"fees;  ABROAD? ",2 %\n')
    [moved] = read(path, tmp_path, apart)
    assert isinstance(moved, Draft)
    assert moved.document_id == first.document_id
    assert moved.document_id.startswith("faq/a.csv#")


def test_tickets_are_never_for_customers(tmp_path: Path, apart: Apart) -> None:
    public = Said(visibility=Visibility.PUBLIC)
    rows = (
        "Ticket_ID,subject,body,answer,language,resolved_at,visibility\n"
        "T-1,Card,Lost\\n\\nit,Blocked.,en,2026-02-03 10:00:00,public\n"
        "T-2,,Stolen,Blocked.,,,restricted\n"
        "T-3,Open,Still open,,,,\n"
        "T-4,Odd,Body,Answer,,,everyone\n"
        "T-5,Late,Body,Answer,,03/02/2026,\n"
    )
    one, two, still_open, odd, late = all_of([written(tmp_path, "t.csv", rows)], apart, public)

    assert isinstance(one, Draft)
    assert (one.document_id, one.title, one.text) == ("T-1", "Card", "Card\n\nLost\n\nit\n\nBlocked.")
    resolved = datetime(2026, 2, 3, 10, tzinfo=UTC)
    log, internal = DocumentClass.SUPPORT_LOG, Visibility.INTERNAL
    assert one.said == Said(visibility=internal, document_class=log, language="en", effective_from=resolved)
    assert isinstance(two, Draft)
    assert (two.title, two.said.visibility) == ("Stolen", Visibility.RESTRICTED)
    assert isinstance(still_open, Unreadable)
    assert isinstance(odd, Unreadable)
    assert "its `visibility` is not one of" in odd.reason
    assert isinstance(late, Unreadable)
    assert "its `resolved_at` is not" in late.reason


def test_tickets_without_an_id_are_told_apart_by_what_they_say(tmp_path: Path, apart: Apart) -> None:
    rows = "subject,description,resolution\nCard,Lost,Blocked\nCard,Stolen,Blocked\nCard,Lost,Again\n"
    found = all_of([written(tmp_path, "t.csv", rows)], apart)
    assert [type(each).__name__ for each in found] == ["Draft", "Draft", "Unreadable"]


def test_tables_that_are_broken(tmp_path: Path, apart: Apart) -> None:
    huge = "word " * 2_000_000
    rows = f'question,answer\nOne?,{huge}\nTwo?,2\nThree?,3,3\nFour?,"4" 4\nFive?,5\nSix?,"6\nSeven?,7\n'
    found = all_of([written(tmp_path, "a.csv", rows)], apart)

    said_of = [each.reason if isinstance(each, Unreadable) else each.title for each in found]
    assert said_of == [
        "has more than 4,000,000 characters: split it",
        "Two?",
        "has 3 cells, and the header 2",
        "has a quote that is not closed, or is closed in the middle of a cell",
        "Five?",
        "has a quote that is not closed, or is closed in the middle of a cell",
    ]
    assert "has no columns" in reason(written(tmp_path, "b.csv", "name,age\na,1\n"), apart)
    assert "two columns" in reason(written(tmp_path, "c.csv", "question,answer,Answer\na,1,2\n"), apart)
    assert "no documents" in reason(written(tmp_path, "d.csv", "question,answer\n"), apart)
    assert "has no columns" in reason(written(tmp_path, "e.csv", b"\xef\xbb\xbf"), apart)
