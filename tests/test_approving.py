"""What a person approved is public and holds nothing personal, for as long as it says the same; and what was taken back is not."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from conftest import fresh_store
from journey import ADA, NOW, Steady, harken, rows_of, take_in
from learning_cases import MAIL, MARIA, REOPENED, documents, shelf_on
from psycopg.conninfo import conninfo_to_dict

from harken.domain.document import DocumentClass, Said, Visibility
from harken.errors import UnsuitableError
from harken.flow import adding, approving, learning, searching
from harken.flow.adding import Wish
from harken.flow.desk import Desk
from harken.flow.library_desk import LibraryDesk
from harken.knowledge.approvals import rule as rules

ANSWERS = Wish(said=Said(document_class=DocumentClass.SUPPORT_LOG, visibility=Visibility.INTERNAL))
RULE = """
name = "harmless"
owner = "lena@kestrel.example"
[when]
collections = ["log"]
without_personal_data = true
"""


@pytest.fixture(scope="module")
def school(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database that has learned Ada's conversation and Maria's, which has her name and address in it."""
    with fresh_store(postgres_url, _template) as url:
        with shelf_on(url, tmp_path_factory.mktemp("school")) as (desk, shelf):
            take_in(desk, [*ADA, *MARIA])
            learning.learn(desk, shelf, Steady())
        yield str(conninfo_to_dict(url)["dbname"])


@pytest.fixture
def learned_url(postgres_url: str, school: str) -> Iterator[str]:
    """A store of the test's own that has learned them."""
    with fresh_store(postgres_url, school) as url:
        yield url


@pytest.fixture
def learned(learned_url: str, tmp_path: Path) -> Iterator[tuple[Desk, LibraryDesk]]:
    with shelf_on(learned_url, tmp_path) as (desk, shelf):
        yield desk, shelf


def id_of(url: str, customer: str) -> str:
    [found] = [each["document_id"] for each in documents(url) if customer in each["file"]]
    return str(found)


def publicly(question: str, shelf: LibraryDesk) -> str:
    """Everything that a customer is shown."""
    found = searching.search(question, shelf.clearances().reader("customer", None), shelf)
    return "\n".join(str(hit) for hit in found.hits)


def rule_of(text: str, folder: Path) -> rules.Rule:
    path = folder / "rule.toml"
    path.write_text(text)
    return rules.load(path)


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


def test_a_rule_approves_what_fits_and_says_why_not_the_rest(
    learned_url: str, learned: tuple[Desk, LibraryDesk], tmp_path: Path
) -> None:
    _, shelf = learned
    before, rule = documents(learned_url), rule_of(RULE, tmp_path)

    dry = approving.approve_by(rule, shelf, Steady(), dry_run=True)
    unchanged = documents(learned_url)
    done = approving.approve_by(rule, shelf, Steady())
    again = approving.approve_by(rule, shelf, Steady())

    assert unchanged == before
    assert (dry.documents, dry.others) == (done.documents, done.others) == (1, {"it had personal data in it": 1})
    assert (again.documents, again.others) == (0, {"it is public already": 1, "it had personal data in it": 1})
    assert rows_of(learned_url, "SELECT rule FROM knowledge_approval") == [{"rule": "harmless (lena@kestrel.example)"}]


@pytest.mark.parametrize(
    ("condition", "fit", "reason"),
    [
        ('topics = ["card*", "payment*"]', 2, ""),
        ('topics = ["fraud"]', 0, "another topic"),
        ('languages = ["de"]', 0, "another language"),
        ('sources = ["tickets/*"]', 0, "another source"),
        ("older_than_days = 1", 2, ""),
        ("older_than_days = 9", 0, "not old enough"),
        ("fewest_words = 500", 0, "too few words"),
    ],
)
def test_each_condition_of_a_rule(
    condition: str, fit: int, reason: str, learned: tuple[Desk, LibraryDesk], tmp_path: Path
) -> None:
    rule = rule_of(f'name = "one"\nowner = "lena"\n[when]\n{condition}\n', tmp_path)

    found = approving.approve_by(rule, learned[1], Steady(), dry_run=True)

    assert (found.documents, set(found.others)) == (fit, {reason} - {""})


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('owner = "lena"\n[when]\ntopics = ["card"]', "name: Field required"),
        ('name = "a"\n[when]\ntopics = ["card"]', "owner: Field required"),
        ('name = "a"\nowner = "lena"\n[when]', "without any condition"),
        ('name = "a"\nowner = "lena"\n[when]\nhelpful = 3', "when.helpful: Extra inputs are not permitted"),
        ("name =", "is not TOML"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(text: str, wrong: str, tmp_path: Path) -> None:
    with pytest.raises(UnsuitableError, match=wrong):
        rule_of(text, tmp_path)


def test_a_rule_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnsuitableError, match="cannot be read"):
        rules.load(tmp_path / "none.toml")


def test_an_approval_cannot_be_rewritten(learned_url: str, learned: tuple[Desk, LibraryDesk]) -> None:
    approving.approve([id_of(learned_url, "twitter:100")], learned[1], Steady())

    with psycopg.connect(learned_url) as owner, pytest.raises(psycopg.Error):
        owner.execute("UPDATE knowledge_approval SET approved_by = 'somebody else'")


def test_age_is_that_of_the_answer(store_url: str, tmp_path: Path) -> None:
    rule = rule_of('name = "old"\nowner = "lena"\n[when]\nolder_than_days = 30\n', tmp_path)
    with shelf_on(store_url, tmp_path) as (desk, shelf):
        take_in(desk, ADA)
        learning.learn(desk, shelf, Steady())
    with shelf_on(store_url, tmp_path, now=NOW + timedelta(days=40)) as (_, shelf):
        assert approving.approve_by(rule, shelf, Steady(), dry_run=True).documents == 1


def test_the_commands(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARKEN_HOME", str(tmp_path))
    monkeypatch.setenv("HARKEN_MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    with shelf_on(store_url, tmp_path) as (desk, shelf):
        take_in(desk, [*ADA, *MARIA])
        learning.learn(desk, shelf, Steady())
    rule_of(RULE, tmp_path)
    maria, store = id_of(store_url, "twitter:700"), ("--store", store_url)

    dry = harken("knowledge", "approve", "--rule", tmp_path / "rule.toml", "--dry-run", *store)
    told = harken("knowledge", "approve", "--rule", tmp_path / "rule.toml", "--json", *store).json
    by_hand = harken("knowledge", "approve", maria, *store)
    back = harken("knowledge", "withdraw", maria, "--json", *store).json
    both = harken("knowledge", "approve", maria, "--rule", tmp_path / "rule.toml", *store)

    assert "1 documents would become public" in dry.out
    assert f"{maria}: it had personal data in it" in dry.out
    assert (told["documents"], told["others"]) == (1, {"it had personal data in it": 1})
    assert "1 documents public now" in by_hand.out
    assert back["documents"] == 1
    assert both.code == 2
