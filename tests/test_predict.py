"""From a loaded store to advice: the file that people get."""

from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from journey import ADA, BEN, CLEO, DAN, Steady, Stops, derived, quick, said, take_in, take_in_events, tweet
from predict_cases import LAST, asked, the_town, the_towns_file  # noqa: F401  fixtures among them

from harken.errors import UnsuitableError
from harken.flow import predict
from harken.flow.desk import Desk
from harken.flow.predict import Asked

COLUMNS = ["customer_id", "chat_log", "channel", "message", "send_time", "reasoning", "issue_status"]
CHANNELS = {"twitter_dm_reply", "email_reply", "scheduling_phone_call", "chat_reply", "human_agent", "no_contact"}
STATUSES = {"pending_customer_response", "escalated", "resolved", "waiting"}


def test_the_file_is_what_was_promised(town: Desk) -> None:
    tally, rows = asked(town)
    whole = (town.home / "asked.csv").read_bytes()

    assert whole.startswith((",".join(COLUMNS) + "\r\n").encode())
    assert whole.endswith(b"\r\n")
    assert b"\xef\xbb\xbf" not in whole
    assert [list(row) for row in rows] == [COLUMNS] * 4
    assert sorted(row["customer_id"] for row in rows) == ["200", "300", "400", "500"]
    assert (tally.customers, tally.skipped_resolved, tally.decisions) == (5, 1, 4)
    for row in rows:
        assert row["channel"] in CHANNELS
        assert row["issue_status"] in STATUSES
        assert datetime.fromisoformat(row["send_time"]) >= LAST
        assert row["send_time"].endswith("Z")
        assert row["reasoning"]
        assert bool(row["message"]) == (row["channel"] != "no_contact")


def test_the_tally_counts_the_rows(town: Desk) -> None:
    tally, rows = asked(town)
    report = tally.report(seconds=1.0, out="somewhere")

    assert list(report) == [
        "customers", "skipped_resolved", "decisions", "by_channel", "by_status", "by_rule", "seconds", "out",
    ]  # fmt: skip
    for name, column in (("by_channel", "channel"), ("by_status", "issue_status")):
        counts = report[name]
        assert isinstance(counts, dict)
        assert counts == {value: [row[column] for row in rows].count(value) for value in counts}
        assert sum(counts.values()) == len(rows)


def test_stolen_cards_go_to_a_person_and_questions_do_not(advised: dict[str, dict[str, str]]) -> None:
    assert (advised["200"]["channel"], advised["200"]["issue_status"]) == ("human_agent", "escalated")
    assert advised["300"]["channel"] != "human_agent"
    assert "100" not in advised, "thanked and done"


def test_the_log_tells_customer_from_agent_in_time_order(advised: dict[str, dict[str, str]]) -> None:
    assert advised["400"]["chat_log"].splitlines() == [
        "Customer: @KestrelBank same here, no statement since January",
        "Agent: @400 Please look in the app under Documents.",
        "Customer: @KestrelBank still not working, the list is empty",
    ]
    assert advised["300"]["chat_log"].startswith("Customer: ")


def test_one_customers_words_are_never_in_anothers_row(advised: dict[str, dict[str, str]]) -> None:
    assert "January" not in str(advised["300"])
    assert "February" not in str(advised["400"])


def test_a_message_of_several_lines_stays_one_line_of_the_log(store_url: str, tmp_path: Path) -> None:
    text = 'First line\nAgent: I am not an agent\r\n"quoted", and done'
    with quick(store_url, tmp_path) as desk:
        take_in(desk, [tweet(1, "1", 2, text)])
        _, [row] = asked(desk)

    assert row["chat_log"] == 'Customer: First line Agent: I am not an agent "quoted", and done'


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)"])
def test_a_cell_that_a_spreadsheet_would_run_is_marked_as_text(store_url: str, tmp_path: Path, name: str) -> None:
    with quick(store_url, tmp_path) as desk:
        take_in_events(desk, [said(1, f"crm:{name.replace(' ', '_')}", 2, "=HYPERLINK(1)")])
        _, [row] = asked(desk)

    assert row["customer_id"] == f"'{name.replace(' ', '_')}"
    assert row["chat_log"] == "Customer: =HYPERLINK(1)"


def test_a_row_for_each_open_conversation(store_url: str, tmp_path: Path) -> None:
    other = tweet(40, "200", 90, "@OtherBank where is my refund?")
    with quick(store_url, tmp_path) as desk:
        take_in(desk, [*BEN, other, *ADA])
        most_pressing, [row] = asked(desk)
        tally, rows = asked(desk, all_cases=True)

    assert row["chat_log"].startswith("Customer: @KestrelBank URGENT")
    assert (most_pressing.decisions, tally.decisions, tally.customers) == (1, 2, 2)
    assert list(rows[0]) == [*COLUMNS, "conversation_id"]
    conversations = {row["conversation_id"] for row in rows}
    assert conversations <= {row["id"] for row in derived(store_url)["conversation"]}
    assert len(conversations) == 2


@pytest.mark.parametrize(("most", "found"), [(1, 1), (2, 2), (5, 5), (99, 5)])
def test_the_first_customers_only(town: Desk, most: int, found: int) -> None:
    tally, _ = asked(town, customers=most)

    assert tally.customers == found


def test_pieces_of_any_size_give_the_same_rows(town: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = asked(town)
    monkeypatch.setattr(predict, "CUSTOMERS_A_PIECE", 2)

    assert asked(town) == whole


def test_the_file_appears_whole_or_not_at_all(town: Desk, tmp_path: Path) -> None:
    out = tmp_path / "advice.csv"
    with pytest.raises(KeyboardInterrupt):
        predict.predict(Asked(), out, town, Stops("deciding"))
    assert list(tmp_path.iterdir()) == []

    out.write_text("what was there before")
    with pytest.raises(KeyboardInterrupt):
        predict.predict(Asked(), out, town, Stops("deciding"))
    assert out.read_text() == "what was there before"
    assert list(tmp_path.iterdir()) == [out]


def test_a_folder_that_is_not_there(town: Desk, tmp_path: Path) -> None:
    with pytest.raises(UnsuitableError, match="No such file"):
        predict.predict(Asked(), tmp_path / "missing" / "advice.csv", town, Steady())


def test_an_empty_store_says_what_to_do(store_url: str, tmp_path: Path) -> None:
    with quick(store_url, tmp_path) as desk, pytest.raises(UnsuitableError, match="harken ingest"):
        asked(desk)

    assert list(tmp_path.glob("asked.csv*")) == []


def test_a_key_that_was_destroyed_leaves_a_gap_and_no_error(store_url: str, tmp_path: Path) -> None:
    with quick(store_url, tmp_path) as desk:
        take_in(desk, [*CLEO, *DAN])
        with psycopg.connect(store_url) as connection:
            connection.execute("DELETE FROM subject_key WHERE subject = 'twitter:400'")
        _, rows = asked(desk)

    by_customer = {row["customer_id"]: row for row in rows}
    assert by_customer["400"]["chat_log"].splitlines() == [
        "Customer: [erased]", "Agent: [erased]", "Customer: [erased]",
    ]  # fmt: skip
    assert "February" in by_customer["300"]["chat_log"]
