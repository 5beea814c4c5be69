"""What was answered is made again, byte for byte, anywhere and any day; of an erased customer nothing is left but the proof."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from audit_cases import audit_on
from journey import MASTER, harken, one_of, rows_of
from replay_cases import RULES, Keeper, again, all_made, contexts, keeper_of_answers, leaves, made_of, usual  # noqa: F401  a fixture among them

from harken.audit.records import parts
from harken.bootstrap import auditing as auditing_wiring
from harken.decide import policy as policies
from harken.flow import auditing, recording, replaying, sealing
from harken.flow.replay_desk import ReplayDesk
from harken.flow.replaying import Result
from harken.guard import judging, rules_file
from harken.privacy import scanner
from harken.settings import Settings

HERE = Path(__file__).parent
ELSEWHERE = {"PYTHONHASHSEED": "4711", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}


@contextmanager
def auditing_desk(url: str) -> Iterator[ReplayDesk]:
    """As it is wired, with the guard that ships."""
    desk = auditing_wiring.replay_desk_of(Settings(_env_file=None), url, MASTER)
    try:
        yield desk
    finally:
        desk.database.close()


@pytest.mark.parametrize("least", [100, pytest.param(1_000, marks=pytest.mark.long)])
def test_a_hundred_answers_are_made_again_in_another_process(
    keeper: Keeper, store_url: str, tmp_path: Path, least: int
) -> None:
    """Another hash seed, another zone and locale, another day, no model and no network."""
    made = list(all_made(tmp_path, least))
    records = {keeper.keep(each) for each in made}

    ended = subprocess.run(
        [sys.executable, HERE / "replay_elsewhere.py", store_url],
        capture_output=True,
        text=True,
        check=False,
        cwd=HERE.parent,
        env={**os.environ, **ELSEWHERE, "PYTHONPATH": str(HERE)},
    )

    assert ended.returncode == 0, ended.stderr
    assert len(records) == len(made) >= least
    exchanges = [each for answer in made for each in answer.advice.draft.exchanges]
    assert {bool(each.failure) for each in exchanges} == {True, False}
    assert {each.advice.draft.mode for each in made} == {"offline", "test:obedient"}
    assert json.loads(ended.stdout) == {"replayed": len(made), "match": len(made), "mismatch": [], "incomplete": []}


def test_keeping_an_answer_twice_is_keeping_it_once(keeper: Keeper, store_url: str) -> None:
    assert keeper.keep(usual()) == keeper.keep(usual())

    assert one_of(store_url, "SELECT count(*) FROM audit_event WHERE action = 'answer.recorded'") == 1
    assert one_of(store_url, "SELECT count(*) FROM record_text") == 2


def test_an_answer_that_was_undone_leaves_no_record(keeper: Keeper, store_url: str) -> None:
    with keeper.database.transaction() as tx:
        recording.keep(tx, usual(), keeper)
        raise psycopg.Rollback

    counted = "SELECT (SELECT count(*) FROM audit_event) + (SELECT count(*) FROM answer_record) AS n"
    assert one_of(store_url, counted) == 0


def test_a_destroyed_key_leaves_the_proof_and_nothing_else(keeper: Keeper, store_url: str, tmp_path: Path) -> None:
    record = keeper.keep(usual())
    with audit_on(store_url, tmp_path) as audit:
        sealing.seal_all(audit)
        with psycopg.connect(store_url) as owner:
            owner.execute("DELETE FROM subject_key")
        found = again(store_url, record)
        verified = auditing.verify(audit)
        proof = auditing.prove(one_of(store_url, "SELECT event FROM answer_record"), audit)

    assert (found.result, found.reason) == (Result.INCOMPLETE, "erased")
    assert verified.ok
    assert proof["ok"]
    assert json.loads(proof["event"]["body"])["record"] == record
    assert parts.record_id(one_of(store_url, "SELECT manifest FROM answer_record")) == record


def test_sealed_parts_that_were_deleted_are_erased_too(keeper: Keeper, store_url: str) -> None:
    record = keeper.keep(usual())
    with psycopg.connect(store_url) as owner:
        owner.execute("DELETE FROM record_blob")

    assert again(store_url, record).reason == "erased"


def test_the_shipped_guard_judges_as_it_did(keeper: Keeper, store_url: str) -> None:
    rules, made = rules_file.load(), usual()
    verdict = judging.judge(made.advice, made.context, rules)
    record = keeper.keep(replace(made, verdict=verdict, guard=rules))
    stricter = keeper.keep(replace(made, verdict=replace(verdict, coverage=0.123), guard=rules))

    with auditing_desk(store_url) as desk, desk.database.transaction() as tx:
        same, other = (asyncio.run(replaying.replay(tx, each, desk)) for each in (record, stricter))

    assert same.result is Result.MATCH
    assert other.field == "verdict.coverage"


def test_without_a_guard_an_answer_that_was_judged_is_incomplete(keeper: Keeper, store_url: str) -> None:
    assert again(store_url, keeper.keep(usual()), judge=None).reason == "there is no guard here"


def test_a_policy_decides_as_it_did_whatever_the_file_says_now(keeper: Keeper, store_url: str, tmp_path: Path) -> None:
    own = tmp_path / "policy.toml"
    own.write_text("[limits]\nlong_conversation_turns = 3\n")
    record = keeper.keep(made_of(contexts()[2], policies.load(own)))
    own.unlink()

    assert again(store_url, record).result is Result.MATCH


def test_nothing_personal_is_in_clear_in_audit_and_manifests(keeper: Keeper, store_url: str) -> None:
    made = usual()
    turns = made.context.conversation.turns
    told = "I am Maria Santos, maria.santos@example.org, +49 170 7654321, DE89370400440532013000, born 1980-02-03"
    spoken = (*turns[:-1], replace(turns[-1], text=told))
    keeper.keep(
        replace(made, context=replace(made.context, conversation=replace(made.context.conversation, turns=spoken)))
    )

    kept = [row["body"] for row in rows_of(store_url, "SELECT body FROM audit_event")]
    kept += [row["manifest"] for row in rows_of(store_url, "SELECT manifest FROM answer_record")]
    kept += [str(bytes(row["sealed"])) for row in rows_of(store_url, "SELECT sealed FROM record_blob")]
    for word in ("Maria", "Santos", "example.org", "7654321", "37040044", "1980-02", "twitter:ada"):
        assert [(word, text) for text in kept if word in text] == []
    personal = [each for text in kept[:2] for value in strings(json.loads(text)) for each in scanner.scan(value)]
    assert personal == []


def strings(value: Any) -> Iterator[str]:
    """The texts inside, digests left out: they are hexadecimal and may look like an account's number."""
    for _, inner in leaves(value):
        if isinstance(inner, str) and not (len(inner) in (20, 32, 64) and set(inner) <= set("0123456789abcdef")):
            yield inner


def test_the_command_replays_by_id_and_all(keeper: Keeper, store_url: str, command_line: None) -> None:
    made = replace(usual(), verdict=None, guard=None)
    record = keeper.keep(made)
    other = keeper.keep(
        replace(made, advice=replace(made.advice, decision=replace(made.advice.decision, rule="older")))
    )

    one = harken("replay", record, "--store", store_url, "--json")
    every = harken("replay", "--all", "--store", store_url, "--json")
    unknown = harken("replay", "f" * 64, "--store", store_url)

    assert (one.code, one.json) == (0, {"replayed": 1, "match": 1, "mismatch": [], "incomplete": []})
    assert every.code == 1
    assert every.json["mismatch"] == [{"id": other, "field": "decision.rule"}]
    assert unknown.refusal.startswith("harken: There is no record ffff")
    assert harken("replay", "--store", store_url).code == 2


def test_rules_of_the_guard_are_kept_as_they_were(keeper: Keeper, store_url: str) -> None:
    keeper.keep(usual())

    assert one_of(store_url, "SELECT content FROM record_text WHERE content LIKE 'most%%'") == RULES.text
