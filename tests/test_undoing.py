"""What was done is taken back by a lead, in time, once, and by the way that any action goes."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from access_cases import bearing, guarded
from act_cases import Ticking
from journey import NOW, rows_of
from starlette.testclient import TestClient
from ticket_cases import Office, office_on

from harken.act.approvals import NotYoursError
from harken.bootstrap import acting as wiring
from harken.domain.proposal import Proposal
from harken.domain.ticket import StatusCategory, Ticket
from harken.flow import acting, deciding, undoing
from harken.flow.act_desk import ActDesk
from harken.flow.acting import Cause, Done
from harken.flow.deciding import Person
from harken.flow.undoing import NotDoneError, NothingUndoesError, TooLateError
from harken.settings import Settings

OWN = """
[tag]
undo = "untag"
undo_within_h = 2
[untag]
title = "Take a tag away"
tier = "approve"
effect = "transactional"
executor = "ticket"
arguments = { type = "object", required = ["tag"], properties = { tag = { type = "string" } } }
"""
LEAD, OTHER, AGENT = (
    Person(who=who, roles=frozenset({role})) for who, role in (("lena", "lead"), ("max", "lead"), ("ann", "agent"))
)


@pytest.fixture
def office(store_url: str, tmp_path: Path) -> Iterator[Office]:
    with office_on(store_url, tmp_path) as made:
        yield made


@pytest.fixture
def acts(office: Office, tmp_path: Path) -> ActDesk:
    file = tmp_path / "actions.toml"
    file.write_text(OWN)
    return wiring.desk_of(Settings(_env_file=None, actions=file), office.desk)


def done(acts: ActDesk, ticket: Ticket, action: str, **arguments: str) -> Done:
    with acts.database.transaction() as tx:
        return acting.order(tx, Proposal(action=action, arguments=arguments), Cause(ticket=ticket, id="kb:1"), acts)


def test_a_close_is_taken_back_once(office: Office, acts: ActDesk, store_url: str) -> None:
    ticket = office.open()
    closed = done(acts, ticket, "close")
    assert office.now(ticket).status is StatusCategory.RESOLVED

    back = undoing.undo(closed.id, LEAD, acts)
    assert (back.action, back.state) == ("reopen", "executed")
    assert office.now(ticket).status is StatusCategory.OPEN
    version = office.now(ticket).version
    assert undoing.undo(closed.id, LEAD, acts) == back
    assert office.now(ticket).version == version
    told = rows_of(store_url, "SELECT actor, action FROM audit_event ORDER BY id")
    assert ("lena", "action.undone") in [(row["actor"], row["action"]) for row in told]


def test_what_takes_back_waits_for_its_own_approval(office: Office, acts: ActDesk) -> None:
    ticket = office.open()
    tagged = done(acts, ticket, "tag", tag="vip")
    back = undoing.undo(tagged.id, LEAD, acts)
    assert back.state == "pending"
    shown = deciding.shown(back.id, acts)
    assert shown.message
    assert dict(shown.message.arguments) == {"tag": "vip"}, "of the same thing"
    with pytest.raises(NotYoursError):
        deciding.approve(back.id, LEAD, shown.waiting.arguments_hash, acts)
    deciding.approve(back.id, OTHER, shown.waiting.arguments_hash, acts)


def test_what_cannot_be_taken_back(office: Office, acts: ActDesk) -> None:
    ticket = office.open()
    noted, tagged = done(acts, ticket, "note", text="Looked at it."), done(acts, ticket, "tag", tag="vip")
    with pytest.raises(NothingUndoesError):
        undoing.undo(noted.id, LEAD, acts)
    with pytest.raises(NotYoursError):
        undoing.undo(tagged.id, AGENT, acts)
    waiting = undoing.undo(tagged.id, LEAD, acts)
    with pytest.raises(NothingUndoesError):
        undoing.undo(waiting.id, LEAD, acts)
    office.clock.pass_(hours=2)
    with pytest.raises(TooLateError):
        undoing.undo(tagged.id, LEAD, acts)


def test_what_was_not_done_is_not_taken_back(office: Office, acts: ActDesk, tmp_path: Path) -> None:
    file = tmp_path / "more.toml"
    file.write_text('[close]\ntier = "approve"\n')
    acts = replace(acts, catalogue=wiring.catalogue.load(file))
    pending = done(acts, office.open(), "close")
    with pytest.raises(NotDoneError):
        undoing.undo(pending.id, LEAD, acts)


def test_over_http_by_leads_of_that_jurisdiction(office: Office, acts: ActDesk) -> None:
    assert Ticking(NOW)() == office.clock()
    ticket = office.open(jurisdiction="DE")
    closed = done(acts, ticket, "close")
    with guarded(replace(office.whole, open_acts=partial(_same, acts))) as web:
        path = f"/api/v1/actions/{closed.id}"
        assert _status(web, f"{path}/undo", bearing("agent")) == 403
        assert _status(web, f"{path}/undo", bearing("customer", customer="ada")) == 403
        french = bearing("lead", jurisdiction=["FR"])
        assert _status(web, f"{path}/undo", french) == 404
        assert web.get(path, headers=french).status_code == 404
        assert web.get("/api/v1/actions?state=executed", headers=french).json()["actions"] == []
        told = web.post(f"{path}/undo", headers=bearing("lead", jurisdiction=["DE"]))
        assert (told.status_code, told.json()["action"], told.json()["state"]) == (200, "reopen", "executed")
        assert _status(web, "/api/v1/actions/00000000-0000-0000-0000-000000000000/undo", bearing("lead")) == 404


def _status(web: TestClient, path: str, headers: dict[str, str]) -> int:
    return web.post(path, headers=headers).status_code


def _same(acts: ActDesk) -> ActDesk:
    return acts
