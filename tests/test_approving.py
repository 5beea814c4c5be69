"""What a person approved is public and holds nothing personal, for as long as it says the same; and what was taken back is not."""

from pathlib import Path

import psycopg
import pytest
from journey import NOW, Steady, rows_of, take_in
from learning_cases import (  # noqa: F401  fixtures among them
    MAIL,
    MARIA,
    REOPENED,
    desk_that_learned,
    documents,
    id_of,
    school_that_learned,
    shelf_on,
    url_that_learned,
)

from harken.domain.document import DocumentClass, Said, Visibility
from harken.errors import UnsuitableError
from harken.flow import adding, approving, learning, searching
from harken.flow.adding import Wish
from harken.flow.desk import Desk
from harken.flow.library_desk import LibraryDesk

ANSWERS = Wish(said=Said(document_class=DocumentClass.SUPPORT_LOG, visibility=Visibility.INTERNAL))


def publicly(question: str, shelf: LibraryDesk) -> str:
    """Everything that a customer is shown."""
    found = searching.search(question, shelf.clearances().reader("customer", None), shelf)
    return "\n".join(str(hit) for hit in found.hits)


def test_what_is_approved_is_public_and_nobody_is_in_it(learned_url: str, learned: tuple[Desk, LibraryDesk]) -> None:
    _, shelf = learned
    maria, secrets = id_of(learned_url, "twitter:700"), "SELECT count(*) AS n FROM vault"
    kept = rows_of(learned_url, secrets)
    assert publicly("card declined abroad", shelf) == ""

    done = approving.approve([maria], shelf, Steady())

    assert (done.documents, done.embedded) == (1, 1)
    [now] = [each for each in documents(learned_url) if each["document_id"] == maria]
    assert (now["visibility"], now["version"], now["subject"]) == (0, 2, None)
    assert now["text"] == (
        "Question\n\nMy name is [NAME] and my card was declined abroad. You reach me at [EMAIL]\n\n"
        "Resolution\n\n[NAME], please open the app, go to Cards and switch on Payments abroad. https://kestrel.example/abroad"
    )
    shown = publicly("card declined abroad", shelf)
    assert "Payments abroad" in shown
    assert [word for word in (MAIL, "Maria", "Santos", "twitter:700") if word in shown] == []
    assert rows_of(learned_url, secrets) == kept
    assert rows_of(learned_url, "SELECT version, public, approved_by, rule, approved_at FROM knowledge_approval") == [
        {"version": 2, "public": True, "approved_by": "lena", "rule": "", "approved_at": NOW}
    ]


def test_a_passage_of_what_was_approved_is_where_it_says(learned_url: str, learned: tuple[Desk, LibraryDesk]) -> None:
    _, shelf = learned
    approving.approve([id_of(learned_url, "twitter:700")], shelf, Steady())

    pieces = rows_of(
        learned_url,
        "SELECT p.text, substr(d.text, p.starts + 1, p.ends - p.starts) AS there FROM passage p JOIN document d ON d.no = p.document "
        "JOIN knowledge_scope s ON s.id = p.scope WHERE s.visibility = 0",
    )
    assert pieces
    assert all(piece["text"] == piece["there"] for piece in pieces)


def test_an_approval_outlives_the_next_night(learned_url: str, learned: tuple[Desk, LibraryDesk]) -> None:
    desk, shelf = learned
    maria = id_of(learned_url, "twitter:700")
    approving.approve([maria], shelf, Steady())

    done = learning.learn(desk, shelf, Steady())

    assert (done.unchanged, done.learned, done.lapsed) == (2, 0, 0)
    assert [each["visibility"] for each in documents(learned_url) if each["document_id"] == maria] == [0]


def test_an_approval_outlives_another_way_of_cutting(store_url: str, tmp_path: Path) -> None:
    with shelf_on(store_url, tmp_path) as (desk, shelf):
        take_in(desk, MARIA)
        learning.learn(desk, shelf, Steady())
        approving.approve([id_of(store_url, "twitter:700")], shelf, Steady())
    with shelf_on(store_url, tmp_path, passage_tokens=32, passage_overlap=0) as (desk, shelf):
        done = learning.learn(desk, shelf, Steady())
        shown = publicly("card declined abroad", shelf)

    [now] = documents(store_url)
    assert (done.learned, done.lapsed, now["visibility"], now["version"], now["subject"]) == (1, 0, 0, 3, None)
    assert "[EMAIL]" in now["text"]
    assert "[EMAIL_" not in shown


def test_what_says_something_else_waits_for_approval_again(store_url: str, tmp_path: Path) -> None:
    answers = tmp_path / "answers"
    answers.mkdir()
    (answers / "limits.md").write_text("# Limits\n\nOpen the app and go to Cards, then Limits.\n")
    with shelf_on(store_url, tmp_path) as (_, shelf):
        adding.add([answers], ANSWERS, shelf, Steady())
        [found] = documents(store_url)
        approving.approve([found["document_id"]], shelf, Steady())
        same = adding.add([answers], ANSWERS, shelf, Steady())
        (answers / "limits.md").write_text("# Limits\n\nAsk Ben in the basement.\n")
        other = adding.add([answers], ANSWERS, shelf, Steady())
        [then] = documents(store_url)
        (answers / "limits.md").write_text("# Limits\n\nAsk Ben in the attic.\n")
        later = adding.add([answers], ANSWERS, shelf, Steady())

    assert (same.changed, same.lapsed) == (0, 0)
    assert (other.changed, other.lapsed, then["visibility"]) == (1, 1, 1)
    assert (later.changed, later.lapsed) == (1, 0)


def test_what_is_reopened_is_public_no_more(learned_url: str, learned: tuple[Desk, LibraryDesk]) -> None:
    desk, shelf = learned
    approving.approve([id_of(learned_url, "twitter:700")], shelf, Steady())
    take_in(desk, REOPENED, "later.csv")

    learning.learn(desk, shelf, Steady())

    assert "Payments abroad" not in publicly("card declined abroad", shelf)


def test_what_is_withdrawn_is_as_it_was_before(learned_url: str, learned: tuple[Desk, LibraryDesk]) -> None:
    desk, shelf = learned
    before = documents(learned_url)
    maria = id_of(learned_url, "twitter:700")
    approving.approve([maria], shelf, Steady())

    done = approving.withdraw([maria], shelf, Steady())
    again = learning.learn(desk, shelf, Steady())

    assert (done.documents, again.learned) == (1, 0)
    assert [{**each, "version": 0} for each in documents(learned_url)] == [{**each, "version": 0} for each in before]
    assert publicly("card declined abroad", shelf) == ""
    words = rows_of(learned_url, "SELECT version, public FROM knowledge_approval ORDER BY version")
    assert words == [{"version": 2, "public": True}, {"version": 3, "public": False}]


@pytest.mark.parametrize(
    ("said", "because"),
    [
        (Said(document_class=DocumentClass.SUPPORT_LOG, visibility=Visibility.RESTRICTED), "it is restricted"),
        (Said(document_class=DocumentClass.SUPPORT_LOG, visibility=Visibility.PUBLIC), "it is public already"),
        (Said(document_class=DocumentClass.POLICY), "it is no answer that people gave"),
    ],
)
def test_what_may_not_be_approved_is_refused(said: Said, because: str, store_url: str, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A\n\nOpen the app.\n")
    with shelf_on(store_url, tmp_path) as (_, shelf):
        adding.add([tmp_path / "a.md"], Wish(said=said), shelf, Steady())
        [before] = documents(store_url)
        with pytest.raises(UnsuitableError, match=f"{because}. Nothing was approved"):
            approving.approve([before["document_id"]], shelf, Steady())

    assert documents(store_url) == [before]


def test_all_that_are_named_or_none(learned_url: str, learned: tuple[Desk, LibraryDesk]) -> None:
    _, shelf = learned
    before, maria = documents(learned_url), id_of(learned_url, "twitter:700")

    with pytest.raises(UnsuitableError, match=r"There is no document conversation:none\. Nothing was approved"):
        approving.approve([maria, "conversation:none"], shelf, Steady())
    with pytest.raises(UnsuitableError, match=r"is not public by an approval\. Nothing was withdrawn"):
        approving.withdraw([maria], shelf, Steady())

    assert documents(learned_url) == before


def test_an_approval_cannot_be_rewritten(learned_url: str, learned: tuple[Desk, LibraryDesk]) -> None:
    approving.approve([id_of(learned_url, "twitter:100")], learned[1], Steady())

    with psycopg.connect(learned_url) as owner, pytest.raises(psycopg.Error):
        owner.execute("UPDATE knowledge_approval SET approved_by = 'somebody else'")
