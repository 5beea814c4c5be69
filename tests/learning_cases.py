"""A desk with a library, conversations that were solved and some that were not, pages, and all tables of the knowledge as text."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import fresh_store
from journey import ADA, BRAND, MASTER, NOW, Steady, desk_on, rows_of, take_in, tweet
from psycopg.conninfo import conninfo_to_dict

from harken.bootstrap import library
from harken.errors import TryAgainError
from harken.flow import learning
from harken.flow.desk import Desk
from harken.flow.library_desk import LibraryDesk
from harken.kit.clock import stopped_at
from harken.settings import Settings

MAIL, NAME = "maria.santos@example.org", "Maria Santos"
TABLES = ("document", "passage", "posting", "vault", "knowledge_file", "knowledge_quarantine", "knowledge_approval")

MARIA = [
    tweet(50, "700", 40, f"@KestrelBank My name is {NAME} and my card was declined abroad. You reach me at {MAIL}"),
    tweet(51, BRAND, 39, "@700 Hi Maria, sorry to hear that!", 50),
    tweet(52, BRAND, 38, "@700 Maria, please open the app, go to Cards and switch on Payments abroad. https://kestrel.example/abroad", 50),
    tweet(53, "700", 37, "@KestrelBank It works now, thank you so much!", 52),
]  # fmt: skip
"""Asked with name and address, pitied, told how, confirmed."""

NORA = [
    tweet(60, "800", 40, "@KestrelBank I can't log in to the app since the update"),
    tweet(61, BRAND, 39, "@800 Please send us a direct message with your details.", 60),
    tweet(62, "800", 38, "@KestrelBank it works now, thanks!", 61),
]
"""Confirmed, but how was never said here."""

OTTO = [
    tweet(70, "900", 400, "@KestrelBank where do I find the IBAN of my savings account?"),
    tweet(71, BRAND, 399, "@900 Please open the app and go to Accounts, then Details.", 70),
]
"""Answered, and silent since."""

REOPENED = [tweet(54, "700", 36, "@KestrelBank No, the card is still not working! What now?", 53)]


@contextmanager
def shelf_on(url: str, home: Path, *, now: datetime = NOW, **settings: Any) -> Iterator[tuple[Desk, LibraryDesk]]:
    """The real parts on a clock that stands still."""
    home.mkdir(parents=True, exist_ok=True)
    shelf = library.desk_of(Settings(_env_file=None, home=home, **settings), url, MASTER, "lena")
    shelf = replace(shelf, clock=stopped_at(now))
    try:
        with desk_on(url, home, engine="polars", now=now) as desk:
            yield replace(desk, open_library=lambda: shelf), shelf
    finally:
        shelf.reading.close()
        shelf.keeping.close()


def dumped(url: str) -> str:
    """Every row of every table of the knowledge, old versions too."""
    return "\n".join(str(row) for table in TABLES for row in rows_of(url, f"SELECT t::text FROM {table} t"))


def documents(url: str) -> list[dict[str, Any]]:
    """What serves now."""
    return rows_of(
        url,
        "SELECT d.document_id, d.version, d.title, d.text, d.file, d.subject, d.redacted, d.language, s.visibility, s.class "
        "FROM document d JOIN knowledge_scope s ON s.id = d.scope WHERE d.valid_to IS NULL ORDER BY d.document_id",
    )


def page(folder: Path, name: str, words: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"# {name}\n\n{words}\n")
    return folder


def texts(url: str) -> str:
    return " ".join(each["text"] for each in documents(url))


class AwayOnce:
    """An embedder that does not answer the first time."""

    def __init__(self, then: object) -> None:
        self._then, self.asked = then, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._then, name)

    def embed(self, said: list[str]) -> object:
        self.asked += 1
        if self.asked == 1:
            raise TryAgainError("The model did not answer.", after_s=0)
        return self._then.embed(said)  # type: ignore[attr-defined]


@pytest.fixture(name="school", scope="module")
def school_that_learned(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database that has learned Ada's conversation and Maria's, which has her name and address in it."""
    with fresh_store(postgres_url, _template) as url:
        with shelf_on(url, tmp_path_factory.mktemp("school")) as (desk, shelf):
            take_in(desk, [*ADA, *MARIA])
            learning.learn(desk, shelf, Steady())
        yield str(conninfo_to_dict(url)["dbname"])


@pytest.fixture(name="learned_url")
def url_that_learned(postgres_url: str, school: str) -> Iterator[str]:
    """A store of the test's own that has learned them."""
    with fresh_store(postgres_url, school) as url:
        yield url


@pytest.fixture(name="learned")
def desk_that_learned(learned_url: str, tmp_path: Path) -> Iterator[tuple[Desk, LibraryDesk]]:
    with shelf_on(learned_url, tmp_path) as (desk, shelf):
        yield desk, shelf


def id_of(url: str, customer: str) -> str:
    [found] = [each["document_id"] for each in documents(url) if customer in each["file"]]
    return str(found)
