"""What was answered is made again, byte for byte, anywhere and any day; and whatever was changed is named."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
from audit_cases import audit_on
from hypothesis import given
from hypothesis import strategies as st
from journey import MASTER, harken, one_of, rows_of
from replay_cases import LARGE, RULES, all_made, contexts, made_of, replay_on

from harken.audit import canonical, codec
from harken.audit.canonical import NotCanonicalError
from harken.audit.records import parts
from harken.bootstrap import auditing as auditing_wiring
from harken.decide import policy as policies
from harken.domain.decision import Context, Draft, Exchange
from harken.domain.passage import Passage
from harken.domain.proposal import Proposal
from harken.flow import auditing, recording, replaying, sealing
from harken.flow.recording import Made, RecordId
from harken.flow.replay_desk import ReplayDesk
from harken.flow.replaying import Replayed, Result
from harken.guard import judging, rules_file
from harken.kit import db
from harken.privacy import scanner
from harken.settings import Settings

HERE = Path(__file__).parent
ELSEWHERE = {"PYTHONHASHSEED": "4711", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text())


class Keeper:
    """Whoever answers: a database as it is served, and the master key."""

    def __init__(self, url: str) -> None:
        self.database = db.Database(url, size=1)
        self.master = MASTER

    def keep(self, made: Made) -> RecordId:
        with self.database.transaction() as tx:
            return recording.keep(tx, made, self)


@pytest.fixture
def keeper(store_url: str) -> Iterator[Keeper]:
    kept = Keeper(store_url)
    yield kept
    kept.database.close()


def again(url: str, record: RecordId, **changes: Any) -> Replayed:
    with replay_on(url) as desk, desk.database.transaction() as tx:
        return asyncio.run(replaying.replay(tx, record, replace(desk, **changes)))


@contextmanager
def auditing_desk(url: str) -> Iterator[ReplayDesk]:
    """As it is wired, with the guard that ships."""
    desk = auditing_wiring.replay_desk_of(Settings(_env_file=None), url, MASTER)
    try:
        yield desk
    finally:
        desk.database.close()


@cache
def usual(*, modelled: bool = False) -> Made:
    """A live question with passages that gets an answer; worded offline, or by a model."""
    policy = policies.load()
    lively = [context for context in contexts() if context.live]
    made = (made_of(context, policy, 2) for context in lively)
    place = next(at for at, each in enumerate(made) if each.advice.draft.mode != "offline")
    return made_of(lively[place], policy, 2 if modelled else 0)


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


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every plain value inside a manifest."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, (*path, place))
    else:
        yield path, value


def mutated(value: Any) -> Any:
    """Another value of the same kind; a digest stays the length of a digest."""
    if value is None:
        return "00" * 16
    if isinstance(value, str):
        return ("1" if value[:1] == "0" else "0") + value[1:]
    return value + 1


@pytest.mark.parametrize("signed_anew", [False, True], ids=["manifest alone", "id too"])
def test_whatever_is_changed_in_a_manifest_is_named(keeper: Keeper, store_url: str, signed_anew: bool) -> None:
    record = keeper.keep(usual(modelled=True))
    before = one_of(store_url, "SELECT manifest FROM answer_record")
    fields = [path for path, _ in leaves(json.loads(before))]

    unseen = []
    for path in fields:
        found = again(store_url, tampered(store_url, before, path, signed_anew))
        name = ".".join(map(str, path))
        if found.result is not Result.MISMATCH or not name.startswith(found.field):
            unseen.append((name, found))

    assert len(fields) > 35
    assert unseen == []
    restore(store_url, record, before)
    assert again(store_url, record).result is Result.MATCH


def tampered(url: str, manifest: str, path: tuple[str | int, ...], signed_anew: bool) -> RecordId:
    """Somebody who owns the database changes one field, and the record's id with it if they are careful."""
    content = json.loads(manifest)
    inner = content
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = mutated(inner[path[-1]])
    text = canonical.text(content)
    name = parts.record_id(text if signed_anew else manifest)
    restore(url, RecordId(name), text)
    return RecordId(name)


def restore(url: str, record: RecordId, manifest: str) -> None:
    with psycopg.connect(url) as owner:
        owner.execute("ALTER TABLE answer_record DISABLE TRIGGER USER")
        owner.execute("UPDATE answer_record SET id = %s, manifest = %s", (record, manifest))
        owner.execute("ALTER TABLE answer_record ENABLE ALWAYS TRIGGER answer_record_is_final")


@pytest.mark.parametrize(
    ("statement", "field"),
    [
        ("UPDATE answer_record SET ticket = 'ticket-9'", "ticket"),
        ("UPDATE answer_record SET at = at + interval '1 microsecond'", "at"),
        ("UPDATE answer_record SET event = event + 1", "audit"),
        ("UPDATE answer_record SET manifest = ' ' || manifest", "manifest"),
        ("UPDATE answer_record SET manifest = '{}'", "manifest"),
        ("UPDATE record_text SET content = content || ' ' WHERE content LIKE 'most%'", "guard.sha256"),
        ("UPDATE record_text SET content = content || ' ' WHERE content NOT LIKE 'most%'", "policy.sha256"),
    ],
)
def test_whatever_is_changed_beside_the_manifest_is_named(
    keeper: Keeper, store_url: str, statement: str, field: str
) -> None:
    record = keeper.keep(usual())
    keeper.keep(usual(modelled=True))
    with psycopg.connect(store_url) as owner:
        for table in ("answer_record", "record_text"):
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")  # type: ignore[arg-type]
        only = f" {'AND' if 'WHERE' in statement else 'WHERE'} id = '{record}'" if "answer_record" in statement else ""
        owner.execute(statement + only)  # type: ignore[arg-type]

    found = again(store_url, record)

    assert (found.result, found.field) == (Result.MISMATCH, field)


def test_a_sealed_part_that_was_changed_is_named(keeper: Keeper, store_url: str) -> None:
    record = keeper.keep(usual(modelled=True))
    manifest = json.loads(one_of(store_url, "SELECT manifest FROM answer_record"))
    named = {
        "around": manifest["around"],
        "context": manifest["context"],
        "decision.digest": manifest["decision"]["digest"],
        "draft": manifest["draft"],
        "verdict": manifest["verdict"],
        "exchanges.0.digest": manifest["exchanges"][0]["digest"],
    }
    for field, digest in named.items():
        with psycopg.connect(store_url) as owner:
            flip = "UPDATE record_blob SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) WHERE digest = %s"
            owner.execute(flip, (bytes.fromhex(digest),))
            owner.commit()
            found = again(store_url, record)
            owner.execute(flip, (bytes.fromhex(digest),))
        assert (found.result, found.field) == (Result.MISMATCH, field)
    assert again(store_url, record).result is Result.MATCH


def test_code_that_decides_or_judges_otherwise_is_named(keeper: Keeper, store_url: str) -> None:
    made = usual()
    other = replace(made.advice.decision, rule="some-older-rule")
    worded = replace(made.advice.draft, message="As it was worded by older code.")

    by_rule = keeper.keep(replace(made, advice=replace(made.advice, decision=other)))
    by_words = keeper.keep(replace(made, advice=replace(made.advice, draft=worded)))
    assert made.verdict is not None
    by_guard = keeper.keep(replace(made, verdict=replace(made.verdict, our_confidence=0.5)))

    assert again(store_url, by_rule).field == "decision.rule"
    assert again(store_url, by_words).field == "draft.message"
    assert again(store_url, by_guard).field == "verdict.our_confidence"


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


def test_a_model_that_would_be_asked_something_else_is_named(keeper: Keeper, store_url: str) -> None:
    made = usual(modelled=True)
    [exchange] = made.advice.draft.exchanges
    draft = replace(made.advice.draft, exchanges=(replace(exchange, asked="00" * 32),))
    record = keeper.keep(replace(made, advice=replace(made.advice, draft=draft)))

    found = again(store_url, record)

    assert (found.result, found.field) == (Result.MISMATCH, "exchanges")


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


@pytest.mark.parametrize("place", range(0, 20, 3))
def test_contexts_come_back_equal(place: int) -> None:
    context = contexts()[place]
    text = codec.encode(context)

    assert codec.decode(Context, text) == context
    assert codec.encode(codec.decode(Context, text)) == text


def test_a_large_number_and_half_a_letter_come_back() -> None:
    context = contexts()[2]
    half = replace(context, passages=(replace(context.passages[0], text="Limits \ud83d"),))
    back = codec.decode(Context, codec.encode(half))

    assert back == half
    assert back.profile.features["cents"] == LARGE
    assert type(back.profile.features["share"]) is float


@given(
    st.builds(
        Passage, id=st.text(), text=st.text(), source=st.text(), score=st.floats(allow_nan=False, allow_infinity=False)
    )
)
def test_law_a_passage_comes_back(passage: Passage) -> None:
    assert codec.decode(Passage, codec.encode(passage)) == passage


@given(
    st.builds(
        Draft,
        message=st.text(),
        reasoning=st.text(),
        mode=st.text(),
        usage=st.dictionaries(st.text(), st.integers() | st.floats(allow_nan=False, allow_infinity=False)),
        citations=st.lists(st.integers()).map(tuple),
        confidence=st.none() | st.floats(0, 1),
        proposals=st.lists(st.builds(Proposal, action=st.text(), arguments=st.dictionaries(st.text(), VALUES))).map(
            tuple
        ),
        exchanges=st.lists(st.builds(Exchange, model=st.text(), asked=st.text(), answered=st.text())).map(tuple),
    )
)
def test_law_a_draft_comes_back_with_every_type(draft: Draft) -> None:
    text = codec.encode(draft)
    back = codec.decode(Draft, text)

    assert back == draft
    assert codec.encode(back) == text
    assert [{name: type(value) for name, value in each.arguments.items()} for each in back.proposals] == [
        {name: type(value) for name, value in each.arguments.items()} for each in draft.proposals
    ]


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 2**53, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(PLAIN)
def test_law_canonical_text_is_read_as_the_same_value(value: Any) -> None:
    assert canonical.read(canonical.text(value)) == value


@pytest.mark.parametrize(
    "value", [2**53, -(2**53), float("nan"), float("inf"), {1: 2}, {"a": b"x"}, object(), {"a": {2, 3}}]
)
def test_what_has_no_one_text_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonicalError):
        canonical.text(value)


@pytest.mark.parametrize(
    "text", ["{ }", '{"b":1,"a":2}', '{"a":1,"a":1}', '"é"', "1e2", "NaN", "[1,]", "", "[" * 100_000]
)
def test_what_is_spelled_otherwise_is_refused(text: str) -> None:
    with pytest.raises(NotCanonicalError):
        canonical.read(text)


def test_rules_of_the_guard_are_kept_as_they_were(keeper: Keeper, store_url: str) -> None:
    keeper.keep(usual())

    assert one_of(store_url, "SELECT content FROM record_text WHERE content LIKE 'most%%'") == RULES.text
