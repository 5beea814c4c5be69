"""Lists of words that grew in many pieces are joined, and find what they found before."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from journey import rows_of
from knowledge_cases import add, library_on

from harken.flow import adding, searching
from harken.flow.library_desk import LibraryDesk
from harken.kit.terms import terms
from harken.knowledge.postings import store as postings
from harken.knowledge.postings.entries import ENTRY, invert, joined, unpacked

WORDS = ["card", "transfer", "branch", "refund", "abroad", "limit", "statement", "letter"]


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[LibraryDesk]:
    with library_on(store_url, tmp_path / "home") as made:
        yield made


def page(number: int) -> str:
    said = " ".join(word for place, word in enumerate(WORDS) if number >> place & 1)
    return f"# Page {number}\n\nAbout {said or 'nothing'}, told on page p-{number:04}.\n"


def found(desk: LibraryDesk, question: str) -> list[tuple[str, float]]:
    hits = searching.search(question, desk.clearances().reader("admin"), desk).hits
    return [(hit.passage.document_id, round(hit.score, 6)) for hit in hits]


def kept(url: str) -> dict[str, dict[int, tuple[int, int]]]:
    """Term -> passage -> how often, and how long it is; a passage that stands twice in a term's lists is a mistake."""
    lists: dict[str, dict[int, tuple[int, int]]] = {}
    for row in rows_of(url, "SELECT term, passages, entries FROM posting"):
        entries = unpacked(bytes(row["entries"]))
        assert len(entries) == row["passages"]
        for entry in entries:
            assert int(entry["passage"]) not in lists.setdefault(row["term"], {})
            lists[row["term"]][int(entry["passage"])] = (int(entry["times"]), int(entry["length"]))
    return lists


def expected(url: str) -> dict[str, dict[int, tuple[int, int]]]:
    """The same from the texts that serve, by counting."""
    query = (
        "SELECT p.no, p.heading, p.text, d.title, d.language FROM passage p JOIN document d ON d.no = p.document "
        "WHERE d.valid_to IS NULL"
    )
    lists: dict[str, dict[int, tuple[int, int]]] = {}
    for row in rows_of(url, query):
        spoken = row["language"]
        said = terms(row["title"], spoken) * 3 + terms(row["heading"], spoken) + terms(row["text"], spoken)
        for term, times in Counter(said).items():
            lists.setdefault(term, {})[row["no"]] = (times, len(said))
    return lists


def test_many_pieces_become_one_and_what_is_gone_leaves(desk: LibraryDesk, store_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    for number in range(100):
        (folder / f"{number}.md").write_text(page(number))
        if number % 10 == 0:
            add(desk, folder)
    add(desk, folder)
    for number in range(90):
        (folder / f"{number}.md").unlink()
    (folder / "95.md").write_text("# Page 95\n\nSomething else altogether.\n")
    add(desk, folder)

    segments = rows_of(store_url, "SELECT scope, count(*) AS segments FROM posting_segment GROUP BY scope")
    assert all(row["segments"] <= postings.MOST_SEGMENTS for row in segments)
    assert kept(store_url) == expected(store_url), "after most of it is gone, nothing of it is left"
    assert rows_of(store_url, "SELECT sum(dead)::int AS dead FROM scope_size") == [{"dead": 0}]
    assert [id_ for id_, _ in found(desk, "p-0097")][:1] == ["97.md"]


def test_joining_changes_no_answer(desk: LibraryDesk, store_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adding, "tidy", lambda _: None)
        for number in range(12):
            (folder / f"{number}.md").write_text(page(number))
            add(desk, folder)
    pieces = rows_of(store_url, "SELECT count(*)::int AS n FROM posting_segment")
    before = [found(desk, word) for word in [*WORDS, "refund of a transfer abroad"]]

    adding.tidy(desk)

    assert pieces == [{"n": 12}]
    assert rows_of(store_url, "SELECT count(*)::int AS n FROM posting_segment") == [{"n": 1}]
    assert [found(desk, word) for word in [*WORDS, "refund of a transfer abroad"]] == before
    assert kept(store_url) == expected(store_url)


def test_lists_are_joined_by_term_and_without_the_dead() -> None:
    one, two = invert([(1, ["card", "card", "limit"]), (3, ["card"])]), invert([(2, ["card"]), (4, ["limit"])])
    rows = sorted((term, part.tobytes()) for lists in (one, two) for term, part in lists.items())
    alive = np.array([False, True, True, False, False])

    made = {term: part.tolist() for term, part in joined(rows, alive)}

    assert made == {"card": [(1, 2, 3), (2, 1, 1)], "limit": [(1, 1, 3)]}
    assert all(part.dtype == ENTRY for part in one.values())
