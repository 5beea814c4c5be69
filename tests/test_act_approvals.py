"""What people approve is done once, as it was when they looked, by whoever may."""

import json
from dataclasses import replace

import pytest
from act_cases import CAUSE, REFUND, TICKET, Counts, Noted, Ticking, outbox, proposals
from acting_cases import (  # noqa: F401  fixtures among them
    LENA,
    OMAR,
    asked,
    counted_desk,
    counting_channel,
    everything,
    proposed,
    ticking_clock,
    what_is_noted,
)
from benchmarks.hostile_proposals import MARIA
from journey import rows_of

from harken.act.approvals import ChangedError, DecidedError, ExpiredError, NotYoursError, State, UnknownActionError
from harken.domain.proposal import Proposal
from harken.errors import RefusedError
from harken.flow import acting, deciding
from harken.flow.act_desk import ActDesk
from harken.flow.deciding import NotAllowedError, Person


def test_an_approved_refund_is_paid_once(desk: ActDesk, noted: Noted, channel: Counts, store_url: str) -> None:
    id_, digest = asked(desk)
    assert everything(desk) == 0

    assert deciding.approve(id_, LENA, digest, desk) is State.APPROVED
    assert everything(desk) == 1
    assert everything(desk) == 0

    [(message, key)] = channel.calls
    assert (message.customer, message.arguments, message.url) == (
        MARIA,
        REFUND.arguments,
        "https://erp.example/actions",
    )
    [row] = outbox(store_url)
    assert (row["id"], row["state"], row["receipt"]) == (key, "delivered", "R-1")
    assert [row["state"] for row in proposals(store_url)] == ["executed"]
    assert noted.told == ["action.proposed", "action.approved", "action.executed"]


def test_approved_twice_it_is_paid_once(desk: ActDesk, channel: Counts) -> None:
    id_, digest = asked(desk)
    deciding.approve(id_, LENA, digest, desk)
    for again in (LENA, OMAR):
        with pytest.raises(DecidedError):
            deciding.approve(id_, again, digest, desk)
    with pytest.raises(DecidedError):
        deciding.deny(id_, OMAR, digest, desk)
    everything(desk)

    assert sum(channel.effects.values()) == 1


def test_approved_too_late_it_is_not_paid(desk: ActDesk, clock: Ticking, noted: Noted, store_url: str) -> None:
    id_, digest = asked(desk)
    clock.forward(hours=72)
    with pytest.raises(ExpiredError):
        deciding.approve(id_, LENA, digest, desk)

    assert deciding.expire(desk) == 1
    assert deciding.expire(desk) == 0
    with pytest.raises(ExpiredError):
        deciding.approve(id_, LENA, digest, desk)
    assert [row["state"] for row in proposals(store_url)] == ["expired"]
    assert noted.told[-1] == "action.expired"
    assert everything(desk) == 0


def test_an_edit_makes_every_word_before_it_void(desk: ActDesk, channel: Counts) -> None:
    id_, digest = asked(desk, Proposal(action="refund", arguments={"amount_minor": 15_000, "currency": "EUR"}))
    assert deciding.approve(id_, LENA, digest, desk) is State.PENDING

    edited = deciding.edit(id_, OMAR, {"amount_minor": 16_000, "currency": "EUR"}, desk)

    with pytest.raises(ChangedError):
        deciding.approve(id_, OMAR, digest, desk)
    assert deciding.approve(id_, OMAR, edited, desk) is State.PENDING
    assert deciding.approve(id_, LENA, edited, desk) is State.APPROVED
    everything(desk)
    assert [message.arguments["amount_minor"] for message, _ in channel.calls] == [16_000]


def test_an_edit_has_the_same_limits(desk: ActDesk) -> None:
    id_, digest = asked(desk)
    for arguments in (
        {"amount_minor": 20_001, "currency": "EUR"},
        {"amount_minor": 5, "currency": "ZZZ"},
        {"amount_minor": 5, "currency": "EUR", "to": "me"},
        {"amount_minor": 5},
    ):
        with pytest.raises(NotAllowedError):
            deciding.edit(id_, LENA, arguments, desk)
    with pytest.raises(NotYoursError):
        deciding.edit(id_, Person(who="ann", roles=frozenset({"agent"})), dict(REFUND.arguments), desk)
    assert deciding.shown(id_, desk).waiting.arguments_hash == digest


def test_over_a_limit_two_different_people_are_needed(desk: ActDesk, channel: Counts) -> None:
    id_, digest = asked(desk, Proposal(action="refund", arguments={"amount_minor": 10_001, "currency": "EUR"}))

    assert deciding.approve(id_, OMAR, digest, desk) is State.PENDING
    for same in (OMAR, Person(who="omar", roles=frozenset({"admin"}))):
        with pytest.raises(DecidedError):
            deciding.approve(id_, same, digest, desk)
    assert everything(desk) == 0
    assert deciding.approve(id_, LENA, digest, desk) is State.APPROVED
    everything(desk)
    assert sum(channel.effects.values()) == 1


def test_nobody_approves_what_they_proposed_nor_without_the_role(desk: ActDesk) -> None:
    with desk.database.transaction() as tx:
        mine = acting.order(tx, REFUND, replace(CAUSE, proposer="lena"), desk)
    digest = deciding.shown(mine.id, desk).waiting.arguments_hash
    for nobody in (LENA, Person(who="ann", roles=frozenset({"agent"})), Person(who="ann", roles=frozenset())):
        with pytest.raises(NotYoursError):
            deciding.approve(mine.id, nobody, digest, desk)
    with pytest.raises(UnknownActionError):
        deciding.approve("nothing", OMAR, digest, desk)

    assert deciding.approve(mine.id, OMAR, digest, desk) is State.APPROVED


def test_what_was_changed_in_the_database_after_the_approval_is_not_done(
    desk: ActDesk, noted: Noted, channel: Counts, store_url: str
) -> None:
    id_, digest = asked(desk)
    deciding.approve(id_, LENA, digest, desk)
    rows_of(store_url, "UPDATE action_proposal SET arguments_hash = decode(repeat('00', 16), 'hex') RETURNING id")

    everything(desk)

    assert channel.calls == []
    assert outbox(store_url)[0]["error"].startswith("changed")
    assert noted.people[-1] == (TICKET.id, "undeliverable")


def test_of_an_erased_customer_nothing_is_done(desk: ActDesk, channel: Counts, store_url: str) -> None:
    id_, digest = asked(desk)
    deciding.approve(id_, LENA, digest, desk)
    later, digest = asked(desk, REFUND, cause=replace(CAUSE, id="kb:2"))
    rows_of(store_url, "DELETE FROM subject_key RETURNING subject")

    everything(desk)
    with pytest.raises(RefusedError):
        deciding.approve(later, LENA, digest, desk)

    assert channel.calls == []
    assert deciding.shown(later, desk).message is None
    assert [row["state"] for row in outbox(store_url)] == ["failed"]


def test_nothing_personal_rests_in_clear_nor_in_the_audit(desk: ActDesk, noted: Noted, store_url: str) -> None:
    secret = "Sophie-Scholl-Ring 7"
    proposed(desk, Proposal(action="account_update", arguments={"field": "address", "value": secret}, because=secret))
    with desk.database.transaction() as tx:
        acting.order(tx, Proposal(action="reply", arguments={"text": secret}), replace(CAUSE, proposer="lena"), desk)
    everything(desk)

    kept = [
        str(row)
        for table in ("action_proposal", "action_approval", "outbox")
        for row in rows_of(store_url, f"SELECT t::text FROM {table} t")
    ]
    assert len(kept) == 3
    assert secret not in "".join(kept)
    assert "Scholl" not in json.dumps(noted.audit)
    assert MARIA not in json.dumps(noted.audit)
