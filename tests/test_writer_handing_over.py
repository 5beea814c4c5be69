"""What somebody who is handed over is told of the hours: in every language, over holidays, and never within hours."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harken.adapters.writers.handing_over import _words, said_beside
from harken.adapters.writers.offline import _phrases
from harken.domain.classification import Classification
from harken.domain.decision import Back, Live
from harken.domain.ticket import Priority
from harken.tickets.desk_rules import DeskRules, load

PLAIN = Classification(category="general_inquiry", probability=0.9, model="test")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def rules(tmp_path: Path) -> DeskRules:
    own = tmp_path / "desk.toml"
    own.write_text('[hours]\nzone = "Europe/Berlin"\nholidays = ["2026-04-03", "2026-04-06", "12-25"]\n')
    return load(own)


def told(rules: DeskRules, now: datetime, language: str = "en", priority: Priority = Priority.MEDIUM) -> str:
    opens = rules.week_of(priority).next_open(now)
    back = None if opens <= now else Back(at=opens, zone=rules.week.zone.key)
    live = Live(classification=PLAIN, turns=1, verified=True, back=back)
    return said_beside(live, now.timestamp(), language)


def test_within_hours_nobody_speaks_of_hours(rules: DeskRules) -> None:
    assert told(rules, at("2026-04-02T10:00")) == ""
    assert told(rules, at("2026-04-02T02:00"), priority=Priority.URGENT) == "", "round the clock"


@pytest.mark.parametrize(
    ("now", "says"),
    [
        ("2026-04-01T02:00", " We are back on Wednesday at 09:00 (CEST)."),
        ("2026-04-02T18:00", " We are back on Tuesday at 09:00 (CEST)."),  # over Good Friday and Easter Monday
        ("2026-12-24T18:00", " We are back on Monday at 09:00 (CET)."),  # 25 December is a Friday
        ("2026-03-27T18:00", " We are back on Monday at 09:00 (CEST)."),  # clocks change in between
    ],
)
def test_outside_they_are_told_when(rules: DeskRules, now: str, says: str) -> None:
    assert told(rules, at(now)) == says


def test_a_day_that_is_more_than_a_week_away_has_its_date(tmp_path: Path) -> None:
    own = tmp_path / "desk.toml"
    days = ", ".join(f'"2026-08-{day:02}"' for day in range(1, 32))
    own.write_text(f'[hours]\nzone = "UTC"\nholidays = [{days}]\n')
    assert told(load(own), at("2026-08-03T10:00")) == " We are back on Tuesday 2026-09-01 at 09:00 (UTC)."


def test_every_language_of_the_house_says_it(rules: DeskRules) -> None:
    assert set(_words()) == set(_phrases())
    assert len(_words()) >= 12
    sunday = at("2026-07-05T10:00")
    said = {language: told(rules, sunday, language) for language in _words()}
    assert len(set(said.values())) == len(said), "each in words of its own"
    for language, words in _words().items():
        assert "09:00" in said[language]
        assert "CEST" in said[language]
        assert words["days"][0].casefold() in said[language].casefold()
        assert len(set(words["days"])) == 7
        assert "{tier}" in words["ahead"]
        assert told(rules, sunday + timedelta(days=1, hours=2), language) == ""


def test_a_zone_without_letters_is_told_by_its_distance(tmp_path: Path) -> None:
    own = tmp_path / "desk.toml"
    own.write_text('[hours]\nzone = "Asia/Dubai"\n')
    assert told(load(own), at("2026-07-05T10:00")) == " We are back on Monday at 09:00 (UTC+04:00)."
