"""Whatever was changed of an answer on record is named: in its manifest, beside it, in what is sealed, and in the code."""

import json
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from journey import one_of
from replay_cases import Keeper, again, keeper_of_answers, leaves, usual  # noqa: F401  a fixture among them

from harken.audit import canonical
from harken.audit.records import parts
from harken.flow.recording import RecordId
from harken.flow.replaying import Result


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


def test_a_model_that_would_be_asked_something_else_is_named(keeper: Keeper, store_url: str) -> None:
    made = usual(modelled=True)
    [exchange] = made.advice.draft.exchanges
    draft = replace(made.advice.draft, exchanges=(replace(exchange, asked="00" * 32),))
    record = keeper.keep(replace(made, advice=replace(made.advice, draft=draft)))

    found = again(store_url, record)

    assert (found.result, found.field) == (Result.MISMATCH, "exchanges")
