"""Solved conversations become documents, each once, and nothing personal of anybody is in them."""

from pathlib import Path

import psycopg
import pytest
from journey import ADA, BEN, CLEO, Steady, harken, rows_of, take_in
from learning_cases import MAIL, MARIA, NORA, OTTO, REOPENED, documents, dumped, shelf_on

from harken.conversations import lessons, status
from harken.conversations.lessons import Lesson, Said, Skipped
from harken.domain.conversation import Status
from harken.domain.event import Signal
from harken.errors import UnsuitableError
from harken.flow.learning import learn
from harken.privacy.tokens import TOKEN

HOW = int(Signal.OFFERS_FIX)


def test_every_rule_that_resolves_says_whether_it_teaches() -> None:
    assert set(lessons.TEACHES) == {rule.name for rule in status.RULES if rule.status is Status.RESOLVED}
    assert all(taught.because.endswith(".") for taught in lessons.TEACHES.values())


def test_a_solved_conversation_is_a_question_and_how_it_was_solved(store_url: str, tmp_path: Path) -> None:
    with shelf_on(store_url, tmp_path) as (desk, shelf):
        take_in(desk, [*ADA, *MARIA, *NORA, *OTTO, *BEN, *CLEO])
        done = learn(desk, shelf, Steady())

    found = {each["file"].split("/")[1]: each for each in documents(store_url)}
    assert found.keys() == {"twitter:100", "twitter:700"}
    assert (done.conversations, done.learned, done.unchanged, done.retired) == (6, 2, 0, 0)
    assert done.skipped == {"no-answer": 1, "silence-after-an-answer": 1, "not-resolved": 2}
    maria = found["twitter:700"]
    assert (maria["visibility"], maria["class"], maria["subject"]) == (1, "support_log", "twitter:700")
    assert TOKEN.sub("X", maria["text"]) == (
        "Question\n\nMy name is X and my card was declined abroad. You reach me at X\n\n"
        "Resolution\n\nX, please open the app, go to Cards and switch on Payments abroad. https://kestrel.example/abroad"
    )


def test_nothing_personal_is_in_any_table_of_the_knowledge(store_url: str, tmp_path: Path) -> None:
    with shelf_on(store_url, tmp_path) as (desk, shelf):
        take_in(desk, MARIA)
        learn(desk, shelf, Steady())

    said = dumped(store_url).lower()
    assert "declined" in said
    assert [word for word in (MAIL, "maria", "santos") if word in said] == []
    assert "700" not in documents(store_url)[0]["document_id"].partition(":")[0]


def test_half_a_telephone_number_is_not_left_in_a_title(store_url: str, tmp_path: Path) -> None:
    asked = "@KestrelBank my card was declined twice in the shop today, please call me back on 415 555 2671 about that"
    with shelf_on(store_url, tmp_path) as (desk, shelf):
        take_in(desk, [MARIA[0] | {"text": asked}, *MARIA[1:]])
        learn(desk, shelf, Steady())

    [found] = documents(store_url)
    assert found["title"].startswith("my card was declined twice")
    words = rows_of(
        store_url,
        "SELECT title || text AS w FROM document UNION ALL SELECT heading || text FROM passage UNION ALL SELECT term FROM posting",
    )
    assert [row["w"] for row in words if "415" in row["w"]] == []


def test_again_changes_nothing_and_opens_nothing(store_url: str, tmp_path: Path) -> None:
    with shelf_on(store_url, tmp_path) as (desk, shelf):
        take_in(desk, [*ADA, *MARIA, *NORA])
        learn(desk, shelf, Steady())
        before = dumped(store_url)
        again = learn(desk, shelf, Steady())

    assert (again.learned, again.unchanged, again.retired) == (0, 3, 0)
    assert dumped(store_url) == before


def test_what_is_opened_again_retires_and_what_is_solved_again_returns(store_url: str, tmp_path: Path) -> None:
    with shelf_on(store_url, tmp_path) as (desk, shelf):
        take_in(desk, MARIA)
        learn(desk, shelf, Steady())
        take_in(desk, REOPENED, "later.csv")
        reopened = learn(desk, shelf, Steady())
        now = documents(store_url)

    assert (reopened.retired, reopened.learned) == (1, 0)
    assert now == []


def test_an_erased_customer_teaches_nothing(store_url: str, tmp_path: Path) -> None:
    with shelf_on(store_url, tmp_path) as (desk, shelf):
        take_in(desk, [*ADA, *MARIA])
        with psycopg.connect(store_url) as owner:
            owner.execute("DELETE FROM subject_key WHERE subject = 'twitter:700'")
        done = learn(desk, shelf, Steady())

    assert done.skipped["erased"] == 1
    assert [each["subject"] for each in documents(store_url)] == [None]
    assert done.learned == 1


def test_who_is_erased_later_is_forgotten(store_url: str, tmp_path: Path) -> None:
    with shelf_on(store_url, tmp_path) as (desk, shelf):
        take_in(desk, [*ADA, *MARIA])
        learn(desk, shelf, Steady())
        with psycopg.connect(store_url) as owner:
            owner.execute("DELETE FROM subject_key WHERE subject = 'twitter:700'")
        done = learn(desk, shelf, Steady())

    assert (done.retired, done.skipped["erased"], done.unchanged) == (1, 1, 1)
    assert len(documents(store_url)) == 1


def test_a_conversation_that_is_no_more_retires(store_url: str, tmp_path: Path) -> None:
    with shelf_on(store_url, tmp_path) as (desk, shelf):
        take_in(desk, [*ADA, *MARIA])
        learn(desk, shelf, Steady())
        with psycopg.connect(store_url) as owner:
            owner.execute("UPDATE conversation SET id = id || '#2' WHERE identity = 'twitter:100'")
        done = learn(desk, shelf, Steady())

    assert (done.learned, done.retired) == (1, 1)
    assert len(documents(store_url)) == 2


def test_an_empty_store_is_told(store_url: str, tmp_path: Path) -> None:
    with shelf_on(store_url, tmp_path) as (desk, shelf), pytest.raises(UnsuitableError, match="The store is empty"):
        learn(desk, shelf, Steady())


def test_the_command_prints_one_object(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARKEN_HOME", str(tmp_path))
    monkeypatch.setenv("HARKEN_MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    with shelf_on(store_url, tmp_path) as (desk, _):
        take_in(desk, [*ADA, *MARIA, *OTTO])

    told = harken("knowledge", "learn", "--store", store_url, "--json").json
    shown = harken("knowledge", "learn", "--store", store_url)

    assert {"conversations", "learned", "unchanged", "retired", "skipped", "seconds"} <= told.keys()
    assert (told["learned"], told["skipped"]["silence-after-an-answer"]) == (2, 1)
    assert "3 conversations: 0 learned, 2 unchanged, 0 retired" in shown.out
    assert len(rows_of(store_url, "SELECT 1 FROM passage_vector")) > 0


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([(True, 0, "")], Skipped.NO_QUESTION),
        ([(True, 0, "help"), (False, int(Signal.APOLOGY), "We are so sorry about that")], Skipped.NO_ANSWER),
        ([(True, 0, "help"), (False, HOW | int(Signal.MOVES_PRIVATE), "We replied to your DM")], Skipped.NO_ANSWER),
        ([(True, 0, "help"), (False, HOW, "Restart the router, please"), (True, 0, "ok")], ["Restart the router, please"]),
        # In a language without word lists a sentence of ours is an answer.
        ([(True, 0, "hjälp"), (False, 0, "Starta om routern och vänta"), (True, 0, "tack")], ["Starta om routern och vänta"]),
        # What we said after they thanked us is not what helped them.
        ([(True, 0, "help"), (True, 0, "never mind"), (False, HOW, "Restart the router, please")], Skipped.NO_ANSWER),
    ],
)  # fmt: skip
def test_what_counts_as_an_answer(messages: list[tuple[bool, int, str]], expected: object) -> None:
    found = lessons.lesson("customer-confirmed-fix", [Said(*each) for each in messages])
    assert (list(found.resolution) if isinstance(found, Lesson) else found) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Hi Maria, we are on it", ["Maria"]),
        ("Thanks Tom Baker! Please restart it", ["Tom Baker"]),
        ("Please restart it. ^Anna", ["Anna"]),
        ("Sehr gern! Hallo Frau Weber, bitte starten Sie neu", ["Weber"]),
        ("Hi there, thanks for the note", []),
        ("Hello All, the app is back", []),
    ],
)
def test_whom_we_call_by_name(said: str, expected: list[str]) -> None:
    assert list(lessons.names([Said(False, 0, said)])) == expected


def test_the_page_has_the_table() -> None:
    page = (Path(__file__).parent.parent / "docs" / "howto" / "learn.md").read_text("utf-8")
    for name, taught in lessons.TEACHES.items():
        assert f"| `{name}` | {'yes' if taught.solved else 'no'} | {taught.because} |" in page
