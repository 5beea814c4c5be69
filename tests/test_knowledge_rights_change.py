"""What changes: rights that are taken back, what is withdrawn, and what others add, seen by the next search."""

from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.canaries import SHARED, Away
from documents_cases import written
from journey import one_of
from knowledge_cases import add, cold, library_on
from rights_cases import MANY, draw_graph

from harken.flow import searching
from harken.flow.searching import Limits

SECRET_WORD = "gorvexim"


def page(folder: Path, name: str, text: str = SECRET_WORD, **front: str) -> Path:
    head = "".join(f"{key}: {value}\n" for key, value in {"visibility": "public", **front}.items())
    return written(folder, f"{name}.md", f"---\n{head}---\n# The {name}\n\nThe kestrel pays for {text} on Mondays.\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"visibility": "internal"}),
        ({}, {"risk": "high"}),
        ({"jurisdiction": "DE"}, {"jurisdiction": "US"}),
        ({}, {"jurisdiction": "US-CA"}),
        ({}, None),
    ],
)
def test_rights_that_were_taken_are_gone_with_the_next_search(
    store_url: str, tmp_path: Path, before: dict[str, str], after: dict[str, str] | None
) -> None:
    """For this process and for another, both of which have the answer in memory."""
    folder = tmp_path / "docs"
    page(folder, "other", text="nothing")
    path = page(folder, "matter", **before)
    with library_on(store_url, tmp_path) as here, library_on(store_url, tmp_path) as there:
        add(here, folder)
        reader = here.clearances().reader("customer", "DE")
        for desk in (here, there):
            assert SECRET_WORD in searching.search(SECRET_WORD, reader, desk).hits[0].passage.text
            assert searching.search("the matter", reader, desk).visible == 2

        path.unlink() if after is None else page(folder, "matter", **after)
        add(here, folder)

        for desk in (here, there, cold(here, shared=True), replace(cold(here), embedder=Away())):
            for question in (SECRET_WORD, "the matter", "who pays on Mondays"):
                found = searching.search(question, reader, desk)
                assert found.visible == 1
                assert SECRET_WORD not in str(searching.told(found))
            assert searching.document("matter.md", None, reader, desk) is None


def test_what_was_withdrawn_does_not_stand_before_what_serves(store_url: str, tmp_path: Path) -> None:
    """More of it than candidates are taken, and too little for the lists to be written anew."""
    folder = tmp_path / "docs"
    gone = [page(folder, f"{SECRET_WORD}-{n}", text=SECRET_WORD * 2) for n in range(70)]
    for n in range(300):
        page(folder, f"page-{n}", text="other things")
    page(folder, "left", text=f"many things, and somewhere among them {SECRET_WORD}, too")
    with library_on(store_url, tmp_path) as desk:
        add(desk, folder)
        for path in gone:
            path.unlink()
        add(desk, folder)
        assert one_of(store_url, "SELECT dead FROM scope_size") == len(gone)

        found = searching.search(SECRET_WORD, desk.clearances().reader("customer"), replace(desk, embedder=Away()))

    assert [hit.passage.document_id for hit in found.hits] == ["left.md"]


@pytest.mark.parametrize("exact_up_to", [searching.EXACT_UP_TO, 0])
def test_scores_do_not_depend_on_what_one_may_not_read(store_url: str, tmp_path: Path, exact_up_to: int) -> None:
    """Neither on how much there is, nor in which words, nor in which languages."""
    mine, theirs, limits = tmp_path / "mine", tmp_path / "theirs", Limits(results=MANY, exact_up_to=exact_up_to)
    for n in range(12):
        page(mine, f"page-{n}", text=f"{'fees ' * (n % 4 + 1)}abroad and {SHARED if n % 2 else 'cards'}")
    for n in range(40):
        page(theirs, f"hidden-{n}", text=f"{SHARED} {SHARED} fees abroad", visibility="restricted")
        page(
            theirs,
            f"versteckt-{n}",
            text="die Gebühren der Überweisung ins Ausland und der Karte",
            visibility="internal",
        )
    asks = ("fees abroad", SHARED, "what does a card cost", "Gebühren der Karte")
    with library_on(store_url, tmp_path) as desk:
        customer = desk.clearances().reader("customer")
        add(desk, mine)
        draw_graph(desk)
        before = [searching.search(question, customer, desk, limits) for question in asks]
        add(desk, theirs)
        after = [searching.search(question, customer, desk, limits) for question in asks]

    for was, now in zip(before, after, strict=True):
        assert now.version > was.version  # so none of it was remembered
        assert now.visible == was.visible == 12
        assert scores(now) == pytest.approx(scores(was), abs=1e-6)
        assert [hit.why for hit in now.hits] == [hit.why for hit in was.hits]


def scores(found: searching.Found) -> dict[str, float]:
    return {hit.passage.document_id: hit.score for hit in found.hits}


def test_rights_that_are_taken_back_are_taken_back_for_old_versions_too(store_url: str, tmp_path: Path) -> None:
    with library_on(store_url, tmp_path / "home") as desk:
        customer, lead = desk.clearances().reader("customer"), desk.clearances().reader("lead")
        folder = tmp_path / "handbook"
        folder.mkdir()
        page = folder / "fees.md"
        page.write_text("---\nid: fees\nvisibility: public\n---\n# Fees\n\nA transfer costs ten dollars.\n")
        add(desk, folder)
        page.write_text("---\nid: fees\nvisibility: public\n---\n# Fees\n\nA transfer costs twelve dollars.\n")
        add(desk, folder)
        assert "ten" in str(searching.document("fees", 1, customer, desk)), (
            "the same people may read what it said before"
        )

        page.write_text("---\nid: fees\nvisibility: restricted\n---\n# Fees\n\nA transfer costs twelve dollars.\n")
        add(desk, folder)

        for version in (1, 2, 3):
            assert searching.document("fees", version, customer, desk) is None
            assert searching.around(("fees", version, 0), 1, customer, desk) == []
            assert searching.document("fees", version, lead, desk) is not None

        page.write_text("---\nid: fees\nvisibility: public\n---\n# Fees\n\nA transfer costs nothing.\n")
        add(desk, folder)
        page.unlink()
        (folder / "other.md").write_text("# Other\n\nSomething else.\n")
        add(desk, folder)
        assert searching.document("fees", 4, customer, desk) is None, "what is gone is gone for customers"
        assert "nothing" in str(searching.document("fees", 4, lead, desk))
