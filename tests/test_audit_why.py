"""A person asks why a customer was told something, and one command answers: words, reasons, proof; and leaves a line that they asked."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from audit_cases import audit_on
from click.testing import CliRunner
from journey import MASTER, Steady, harken, one_of, rows_of
from replay_cases import contexts, made_of, replay_on
from ticket_cases import Office, office_on

from harken.cli import main
from harken.cli.audit_why import Stretch, _page
from harken.decide import policy as policies
from harken.domain.decision import Context
from harken.domain.ticket import Owner, OwnerType
from harken.flow import explaining, recording, replaying, sealing, ticketing
from harken.flow.desk import Desk
from harken.flow.explaining import NothingToldError, Why
from harken.flow.recording import Made, RecordId
from harken.flow.ticket_words import Words
from harken.kit.clock import FIRST, LAST
from harken.privacy.audited import customer_token

ASKED = "My card was declined in the shop."


@pytest.fixture
def office(store_url: str, tmp_path: Path) -> Iterator[Office]:
    with (
        office_on(store_url, tmp_path) as made,
        audit_on(store_url, tmp_path) as audit,
        replay_on(store_url) as replays,
    ):
        whole = replace(made.whole, open_audit=lambda: audit, open_replay=lambda: replays)
        yield replace(made, whole=whole)


def answered(office: Office, customer: str = "ada") -> tuple[Made, RecordId]:
    """A ticket that was opened, thought about and recorded."""
    ticket = office.open(ASKED, customer)
    assert ticket.newest_turn is not None
    context = next(each for each in contexts() if each.live and each.conversation.turns)
    made = made_of(asked_by(context, str(ticket.customer), str(ticket.newest_turn), office), policies.load())
    made = replace(made, ticket=ticket.id, event=ticket.newest_turn)
    with office.desk.live.database.transaction() as tx:
        return made, recording.keep(tx, made, office.desk.live)


def asked_by(context: Context, customer: str, event: str, office: Office) -> Context:
    turns = context.conversation.turns
    last = replace(turns[-1], id=event, text=ASKED)
    talk = replace(context.conversation, turns=(*turns[:-1], last), identity=customer)
    return replace(context, conversation=talk, now=office.clock())


async def why(desk: Desk, customer: str = "ada") -> list[Why]:
    return await explaining.why(customer, FIRST, LAST, desk)


def asked(desk: Desk, customer: str = "ada") -> list[Why]:
    return asyncio.run(why(desk, customer))


def test_an_answer_is_told_with_all_that_it_was_made_of(office: Office, store_url: str) -> None:
    made, record = answered(office)
    assert office.whole.open_audit
    sealing.seal_all(office.whole.open_audit())

    [told] = asked(office.whole)

    draft, decision = made.advice.draft, made.advice.decision
    assert (told.record, told.ticket, told.asked) == (record, made.ticket, ASKED)
    assert told.ticket_number == one_of(store_url, "SELECT number FROM ticket")
    assert (told.decision["rule"], told.decision["because"]) == (decision.rule, decision.because)
    assert told.decision["facts"] == dict(decision.cited)
    assert [each["text"] for each in told.passages] == [each.text for each in made.context.passages]
    assert (told.guard["outcome"], told.guard["confidence"]) == (made.verdict.outcome, made.verdict.confidence)  # type: ignore[union-attr]
    assert (told.made_by["draft"], told.made_by["policy"]) == (draft.message, made.policy.version)
    assert (told.proof["sealed"], told.proof["ok"]) == (True, True)
    assert told.replay["result"] == "match"
    page = "\n".join(_page(told, 1, 1))
    for word in (
        ASKED,
        decision.rule,
        decision.because,
        made.policy.version,
        "has not been changed",
        "the same decision",
    ):
        assert word in page, word


def test_what_was_said_until_they_wrote_again_is_what_they_were_told(office: Office) -> None:
    made, _ = answered(office)
    office.clock.pass_(minutes=1)
    ticket = ticketing.found(made.ticket, office.desk)
    ticketing.reply(
        ticket.id, Words(text="Have you tried chip and PIN?"), Owner(type=OwnerType.PERSON, id="lena"), office.desk
    )
    office.clock.pass_(minutes=1)
    office.say(ticket, "Yes.")
    office.clock.pass_(minutes=1)
    ticketing.reply(ticket.id, Words(text="Then we look."), Owner(type=OwnerType.PERSON, id="lena"), office.desk)

    [told] = asked(office.whole)

    assert [(each["by"], each["text"]) for each in told.told][-1] == ("lena", "Have you tried chip and PIN?")
    assert "Then we look." not in repr(told.told)


def test_whoever_asks_is_in_the_audit(office: Office, store_url: str) -> None:
    answered(office)
    asked(office.whole)
    with pytest.raises(NothingToldError):
        asked(office.whole, "ben")

    rows = rows_of(store_url, "SELECT actor, body FROM audit_event WHERE action = 'access.read' ORDER BY id")
    whose = [json.loads(row["body"]) for row in rows]
    assert [each["customers"] for each in whose] == [
        [customer_token(MASTER, f"customer:{name}")] for name in ("ada", "ben")
    ]
    assert {each["route"] for each in whose} == {"harken audit why"}
    assert {row["actor"].partition(":")[0] for row in rows} == {"local"}


def test_a_record_that_was_changed_or_erased_says_so(office: Office, store_url: str) -> None:
    answered(office)
    with psycopg.connect(store_url) as owner:
        owner.execute("UPDATE record_blob SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)")
    [changed] = asked(office.whole)
    with psycopg.connect(store_url) as owner:
        owner.execute("DELETE FROM subject_key")
    [erased] = asked(office.whole)

    assert (changed.replay["result"], changed.decision) == ("mismatch", {})
    assert (erased.replay["reason"], erased.decision, erased.asked) == ("erased", {}, "")
    for each in (changed, erased):
        page = "\n".join(_page(each, 1, 1))
        assert "it can no longer be read" in page
        assert "not sealed yet" in page


def test_where_there_is_nothing_it_says_when_there_was(office: Office) -> None:
    made, _ = answered(office)
    day = made.context.now

    def at(since: timedelta) -> list[Why]:
        return asyncio.run(explaining.why("ada", day + since, day + since + timedelta(days=1), office.whole))

    assert len(at(timedelta())) == 1
    with pytest.raises(NothingToldError, match=f"There are some of {day:%Y-%m-%d}"):
        at(timedelta(days=2))
    with pytest.raises(NothingToldError, match="No answer to ben is on record"):
        asked(office.whole, "ben")


@pytest.mark.parametrize(
    ("said", "since", "until"),
    [
        ("2026-03-12", "2026-03-12", "2026-03-13"), ("2026-03", "2026-03-01", "2026-04-01"),
        ("2026-12", "2026-12-01", "2027-01-01"), ("2026", "2026-01-01", "2027-01-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
    ],
)  # fmt: skip
def test_a_day_a_month_and_a_year_are_understood(said: str, since: str, until: str) -> None:
    found = Stretch().convert(said, None, None)
    assert tuple(f"{each:%Y-%m-%d}" for each in found) == (since, until)


@pytest.mark.parametrize("said", ["yesterday", "2026-13", "2025-02-29", "12.03.2026", "1800", "2026-3-1", ""])
def test_what_is_no_day_is_wrong_usage(said: str) -> None:
    ended = CliRunner().invoke(main, ["audit", "why", "ada", "--on", said])
    assert (ended.exit_code, "is no day" in ended.output) == (2, True)


def test_the_command_without_an_answer_is_one_line(store_url: str, command_line: None) -> None:
    ended = harken("audit", "why", "ada", "--store", store_url)
    assert ended.refusal.startswith("harken: No answer to ada is on record.")


def test_the_first_digits_of_a_record_are_enough(office: Office) -> None:
    _, record = answered(office)
    assert office.whole.open_replay

    tally = asyncio.run(replaying.replay_all([RecordId(f"{record[:10]}…")], office.whole.open_replay(), Steady()))

    assert (tally.replayed, tally.match) == (1, 1)
    with pytest.raises(replaying.UnknownRecordError):
        asyncio.run(replaying.replay_all([RecordId("0" * 12)], office.whole.open_replay(), Steady()))
