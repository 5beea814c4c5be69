"""The commands as people and scripts use them: what they print, where, and how they end."""

import io
from contextlib import redirect_stderr
from pathlib import Path

import psycopg
import pytest
from cli_cases import expect_usage, home_of_its_own, whole_town  # noqa: F401  fixtures among them
from journey import TOWN, derived, harken, tweet, write_csv

from harken import __version__
from harken.cli import printing

INGEST = [
    "run_id", "source", "rows_read", "accepted", "duplicates", "quarantined", "repaired", "watermark", "threads",
    "largest_thread", "conversations", "customers", "seconds",
]  # fmt: skip


# Words


def test_help_names_every_command() -> None:
    ended = harken("--help")

    assert ended.code == 0
    for name in ("demo", "ingest", "predict", "profile", "serve", "doctor"):
        assert name in ended.out
        assert harken(name, "--help").code == 0


def test_the_version() -> None:
    assert harken("--version").out == f"harken, version {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nothing"], "No such command"),
        (["ingest"], "PATH"),
        (["ingest", "file.csv", "--format", "xml"], "xml"),
        (["ingest", "file.csv", "--engine", "sparkle"], "sparkle"),
        (["predict", "--as-of", "yesterday"], "ISO 8601"),
        (["predict", "--as-of", "9999-01-01"], "between 1970 and 2200"),
        (["predict", "--customers", "0"], "0"),
        (["predict", "--unknown"], "unknown"),
        (["profile", "show"], "CUSTOMER"),
        (["serve", "--port", "70000"], "70000"),
    ],
)
def test_wrong_usage_ends_with_two(arguments: list[str], word: str) -> None:
    expect_usage(harken(*arguments), word)


# What comes in


def test_ingest_says_what_came_of_it(store_url: str, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "town.csv", [*TOWN, tweet(90, "1", 5, " "), tweet(91, "1", 5, "I canâ€™t log in")])
    first = harken("ingest", path, "--store", store_url, "--json")
    again = harken("ingest", path, "--store", store_url)

    assert (first.code, first.err) == (0, "")
    assert list(first.json)[: len(INGEST)] == INGEST
    assert first.json["accepted"] == 12
    assert first.json["quarantined"] == {"empty_text": 1}
    assert first.json["repaired"] == {"mojibake": 1}
    assert first.json["watermark"] == "2025-03-14T10:00:00Z"
    assert again.code == 0
    assert "13 rows read: 0 accepted, 12 known already, 1 in quarantine" in again.out


def test_ingest_with_other_columns_and_a_retry(store_url: str, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "town.csv", [*TOWN, tweet(90, "1", 5, " ")], {"tweet_id": "number"})
    first = harken("ingest", path, "--columns", "tweet_id=number", "--store", store_url, "--no-mood")
    again = harken("ingest", "--retry-quarantine", "--store", store_url, "--json")

    assert (first.code, again.code) == (0, 0)
    assert again.json["rows_read"] == 1
    assert again.json["quarantined"] == {"empty_text": 1}


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "does not exist"), (b"", "empty"), (b"\x00\x01", "binary"), (b"a,b\n1,2\n", "no column tweet_id")],
)
def test_a_file_that_is_none_is_one_line(town: str, tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "file.csv"
    if content is not None:
        path.write_bytes(content)

    assert words in harken("ingest", path).refusal
    assert words in harken("ingest", path, "--json").refusal


def test_columns_that_are_none(town: str, tmp_path: Path) -> None:
    assert "OURS=THEIRS" in harken("ingest", write_csv(tmp_path / "a.csv", TOWN), "--columns", "nonsense").refusal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_shown_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with redirect_stderr(Terminal()) as err, printing.progress(quiet=False) as shown:
        shown.advance(1)
        for step in ("reading", "threads"):
            shown.step(step, 2)
            shown.advance(1)

    assert "reading" in err.getvalue()
    assert "threads" in err.getvalue()


@pytest.mark.parametrize("quiet", [True, False])
def test_a_script_is_not(quiet: bool) -> None:
    with redirect_stderr(Terminal() if quiet else io.StringIO()) as err, printing.progress(quiet) as shown:
        shown.step("reading", 2)
        shown.advance(1)

    assert err.getvalue() == ""


# What goes out


def test_predict(town: str, tmp_path: Path) -> None:
    ended = harken("predict", "--json", "--out", tmp_path / "advice.csv")

    assert (ended.code, ended.err) == (0, "")
    assert list(ended.json) == [
        "customers", "skipped_resolved", "decisions", "by_channel", "by_status", "by_rule", "seconds", "out",
    ]  # fmt: skip
    assert (ended.json["customers"], ended.json["decisions"], ended.json["skipped_resolved"]) == (5, 4, 1)
    assert (tmp_path / "advice.csv").read_text().startswith("customer_id,chat_log,")


def test_predict_in_words_writes_where_it_is_called(town: str, tmp_path: Path) -> None:
    ended = harken("predict", "--customers", "2", "--all-cases", "--as-of", "2025-03-14")

    assert ended.code == 0
    assert "decisions for 2 customers" in ended.out
    assert "Written to nba_predictions.csv" in ended.out
    assert (tmp_path / "nba_predictions.csv").exists()


def test_predict_into_a_folder_that_is_not_there(town: str, tmp_path: Path) -> None:
    refusal = harken("predict", "--out", tmp_path / "missing" / "advice.csv").refusal

    assert "No such file or directory" in refusal


@pytest.mark.parametrize("as_json", [True, False])
def test_compare(town: str, tmp_path: Path, as_json: bool) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('off = ["fraud-goes-to-a-person", "urgent-goes-to-a-person"]\n')
    ended = harken("predict", "--compare", policy, *(["--json"] if as_json else []))

    assert ended.code == 0
    assert not (tmp_path / "nba_predictions.csv").exists()
    if as_json:
        assert list(ended.json) == ["decisions", "changed", "by_aspect", "by_action", "by_rule", "examples"]
        assert ended.json["changed"] == 1
    else:
        assert "1 of 4 decisions would change." in ended.out


def test_a_policy_that_is_not_there(town: str) -> None:
    assert "missing.toml" in harken("predict", "--compare", "missing.toml").refusal


def test_profile_show(town: str) -> None:
    shown = harken("profile", "show", "400", "--json").json
    words = harken("profile", "show", "twitter:400", "--as-of", "2025-03-14T09:00:00+01:00")

    assert list(shown) == ["customer", "identities", "as_of", "features", "freshness_s", "events"]
    assert (shown["customer"], shown["identities"], shown["events"]) == ("400", ["twitter:400"], 2)
    assert shown["as_of"] == "2025-03-14T10:00:00Z"
    assert len(shown["features"]) >= 20
    assert words.code == 0
    assert "as of 2025-03-14 08:00:00 UTC" in words.out


def test_profile_show_before_the_first_event(town: str) -> None:
    ended = harken("profile", "show", "400", "--as-of", "2024-01-01")

    assert ended.code == 0
    assert "0 events, the newest none" in ended.out


def test_a_customer_whom_nobody_ever_mentioned(town: str) -> None:
    assert "No event has ever mentioned the customer whoever" in harken("profile", "show", "whoever").refusal


def test_rebuild_and_check(store_url: str, tmp_path: Path) -> None:
    harken("ingest", write_csv(tmp_path / "town.csv", TOWN), "--store", store_url)
    before = derived(store_url)
    rebuilt = harken("profile", "rebuild", "--store", store_url, "--json").json
    checked = harken("profile", "rebuild", "--check", "--store", store_url)

    assert list(rebuilt) == ["customers", "features", "values", "mismatches", "seconds"]
    assert (rebuilt["customers"], rebuilt["mismatches"]) == (5, 0)
    assert checked.code == 0
    assert "compared, 0 mismatches" in checked.out
    assert derived(store_url) == before


def test_a_check_that_finds_something_ends_with_one(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATA_ENGINE", "polars")  # quickest with a handful of rows
    harken("ingest", write_csv(tmp_path / "town.csv", TOWN), "--store", store_url)
    with psycopg.connect(store_url) as connection:
        connection.execute("DELETE FROM profile WHERE identity = 'twitter:400'")
    checked = harken("profile", "rebuild", "--check", "--store", store_url, "--json")

    assert checked.code == 1
    assert checked.json["mismatches"] > 0
    assert harken("profile", "rebuild", "--store", store_url).code == 0
    assert harken("profile", "rebuild", "--check", "--store", store_url).code == 0
