"""The registry of event types: what fits, what is named of what does not, what a version may change, who may send."""

import copy
import json
import math
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from examples import tries
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tracking_cases import PROPERTIES, RECEIVED_US, saying, wire

from harken.domain.money import minor_units
from harken.errors import UnsuitableError
from harken.eventlog import compatibility, narrowing, plan, registry, upcasting
from harken.eventlog.registry import Violation
from harken.intake import enrichment
from harken.intake.tracking import TYPES, tracked
from harken.kit.nesting import MOST_DEPTH

REGISTRY = registry.load()
OPEN = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": registry.ENVELOPE}
PLAN = '[source.website]\nkey_sha256 = "{0}"\ntypes = ["track", "page"]\n[source.crm]\nkey_sha256 = "{1}"\n'
LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "number", ["string", "null"], ["integer", "boolean"], "null"]),
        "enum": st.lists(st.sampled_from([None, True, 0, 1, 2, "", "a", "ab"]), min_size=1, max_size=3),
        "minimum": st.integers(0, 2),
        "maximum": st.integers(1, 3),
        "minLength": st.integers(0, 1),
        "maxLength": st.integers(0, 2),
        "pattern": st.sampled_from(["^a", "b$"]),
    },
)
SCHEMAS = st.recursive(
    LEAVES | st.booleans(),
    lambda inner: (
        st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
                # A name that nobody declared counts as unused, so the law holds where those are closed or typed.
                "additionalProperties": st.just(False) | LEAVES.map(lambda leaf: {"type": "integer", **leaf}),
            },
            optional={"required": st.lists(st.sampled_from("xy"), max_size=2, unique=True)},
        )
        | st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional={"maxItems": st.integers(0, 2)})
    ),
    max_leaves=5,
)
VALUES = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 2, 3, 1.5, "", "a", "ab", "abc"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=5,
)


def newest(type_: str, **changed: Any) -> dict[str, Any]:
    version = REGISTRY.versions(type_)[-1]
    return wire(type_, **({"version": version} | changed))


def wrong(body: dict[str, Any]) -> list[tuple[str, str]]:
    found = REGISTRY.violations(body.get("type"), body.get("version"), body)
    return [(violation.path, violation.rule) for violation in found]


def put(folder: Path, name: str, content: Any) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def test_every_type_has_a_schema_and_the_other_way_round() -> None:
    assert set(REGISTRY.names) == TYPES


@pytest.mark.parametrize("type_", sorted(TYPES))
def test_a_good_event_of_every_type_and_version_fits(type_: str) -> None:
    assert wrong(newest(type_)) == []
    assert wrong(newest(type_, timestamp=None, context=None, sentAt="2027-01-15T07:59:59+01:00")) == []
    for version in REGISTRY.versions(type_):
        schema = REGISTRY.schema(type_, version).content
        assert jsonschema_rs.meta.is_valid(dict(schema))
        assert (schema["$id"], schema["$ref"]) == (f"harken:{type_}/{version}", registry.ENVELOPE)
        assert schema["properties"]["type"] == {"const": type_}
        assert schema["properties"]["version"] == {"const": version}


def test_what_a_javascript_library_adds_is_taken() -> None:
    extra = {"integrations": {"All": True}, "_metadata": {"bundled": []}, "writeKey": "k", "userId": None}
    assert wrong(wire("page", anonymousId="a-1") | extra) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (newest("page", version=7), [("/version", "unknown")]),
        (wire("page", type="sneeze"), [("/type", "unknown")]),
        (newest("page", version=[1]), [("/version", "type")]),
        (newest("page", version=True), [("/version", "type")]),
        (newest("page", version=2**70), [("/version", "unknown")]),
        (newest("page", type=None), [("/type", "required")]),
        (newest("page", type=["page"]), [("/type", "type")]),
        (newest("page", messageId=None), [("/messageId", "required")]),
        (newest("page", messageId=True), [("/messageId", "type")]),
        (newest("page", messageId=""), [("/messageId", "minLength")]),
        (newest("page", userId=["a"]), [("/userId", "type")]),
        (newest("page", userId="x" * 191), [("/userId", "maxLength")]),
        (newest("page", timestamp="yesterday"), [("/timestamp", "format")]),
        (newest("page", timestamp=7), [("/timestamp", "type")]),
        (newest("page", properties="x"), [("/properties", "type"), ("/properties", "type")]),
        (newest("page", properties={"url": 7}), [("/properties/url", "type")]),
        (newest("page", properties={"a": {"b": ["x" * 10_000_000]}}), [("/properties/a/b/0", "maxLength")]),
        (newest("page", properties={"ada@x.org": "x" * 20_000}), [("/properties/*", "maxLength")]),
        (newest("page", properties={str(n): n for n in range(201)}), [("/properties", "maxProperties")]),
        (newest("page", context={"ip": 7}), [("/context/ip", "type")]),
        (newest("page", context={"externalIds": [{"id": "1"}]}), [("/context/externalIds/0/type", "required")]),
        (newest("page", colour="red"), [("/colour", "additionalProperties")]),
        (newest("page", **{"ada@x.org": 1}), [("/*", "additionalProperties")]),
        (newest("identify", traits={"email": 7}), [("/traits/email", "type")]),
        (newest("identify", traits={"phone": "1" * 65}), [("/traits/phone", "maxLength")]),
        (newest("track", event=None), [("/event", "required")]),
        (newest("alias", previousId=None), [("/previousId", "required")]),
        (saying("message", direction="sideways"), [("/properties/direction", "enum")]),
        (saying("message", text=None), [("/properties/text", "required")]),
        (saying("login", success=1), [("/properties/success", "type")]),
        (saying("consent", granted="yes"), [("/properties/granted", "type")]),
        (saying("risk_signal", score=True), [("/properties/score", "type")]),
        (saying("risk_signal", score=5000), [("/properties/score", "maximum")]),
        (saying("transaction", amount_minor=True), [("/properties/amount_minor", "type")]),
        (saying("transaction", amount_minor=10**16), [("/properties/amount_minor", "maximum")]),
        (saying("transaction", amount_minor=2**70), [("/properties/amount_minor", "maximum")]),
        (saying("transaction", amount_minor=math.nan), [("/properties/amount_minor", "type")]),
        (saying("transaction", currency="€"), [("/properties/currency", "pattern")]),
        (saying("payment", amount=1), []),
        (wire("payment"), [("/properties/amount", "required")]),
    ],
)
def test_a_violation_names_the_place_and_the_rule(body: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert wrong(body) == expected


def test_no_more_violations_than_somebody_reads() -> None:
    found = wrong(newest("page", context={f"a{n}": "x" * 20_000 for n in range(90)}))
    assert len(found) == registry.MOST_VIOLATIONS


@pytest.mark.parametrize("levels", [MOST_DEPTH, 900])
def test_a_deep_nesting_is_refused_before_anything_descends_into_it(levels: int) -> None:
    deep: Any = 1
    for _ in range(levels):
        deep = [deep]
    assert wrong(newest("page", properties={"deep": deep})) == [("", "depth")]


def test_the_words_of_a_schema_are_those_that_enrichment_reads() -> None:
    for type_, name, words in (
        ("credit_decision", "outcome", enrichment.OUTCOMES),
        ("dispute", "status", enrichment.DISPUTE_STATUSES),
    ):
        properties = REGISTRY.schema(type_, 1).content["properties"]["properties"]["properties"]
        assert set(properties[name]["enum"]) == words


@pytest.mark.parametrize("type_", sorted(TYPES))
def test_what_fits_its_schema_is_taken_by_the_next_stage(type_: str) -> None:
    row = tracked(newest(type_), source="web", received_us=RECEIVED_US, blind=lambda kind, value: value).row
    assert row["identity"] == "customer:ada"


def test_what_a_schema_does_not_name_is_told_for_the_plan() -> None:
    body = newest("payment", traits={"email": "a@b.c", "shoe": 44})
    body["properties"] = {**PROPERTIES["payment"], "colour": "red", "a b": 1}
    assert REGISTRY.undeclared("payment", 2, body) == ("/properties/colour", "/properties/*", "/traits/shoe")


AMOUNTS = st.decimals(-(10**9), 10**9, places=2).map(str) | st.integers(-(10**9), 10**9)


@given(AMOUNTS, st.sampled_from(["EUR", "jpy", "KWD", "CLF", "ZZZ"]))
def test_every_payment_of_the_first_version_is_one_of_the_newest_or_says_why_not(amount: Any, currency: str) -> None:
    body = wire("payment", properties={"amount": amount, "currency": currency, "merchant": "Shop"})
    before = copy.deepcopy(body)
    assert wrong(body) == []
    try:
        newer = dict(upcasting.newest("payment", None, body))
    except upcasting.NotUpcastError as refused:
        reason = refused.violation
        newer = {}
    assert body == before
    if newer:
        assert wrong(newer) == []
        assert newer["version"] == REGISTRY.versions("payment")[-1]
        assert newer["properties"]["amount_minor"] == minor_units(amount, currency)
        assert newer["properties"]["merchant"] == "Shop"
    else:
        assert reason == Violation("/properties/amount", "minor_units")
        assert currency == "jpy"


def test_steps_follow_each_other_to_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    def said(word: str) -> upcasting.Upcaster:
        return lambda body: {**body, "said": [*body.get("said", ()), word]}

    monkeypatch.setattr(upcasting, "UPCASTERS", {("page", 1): said("one"), ("page", 2): said("two")})

    assert upcasting.newest("page", None, {}) == {"said": ["one", "two"], "version": 3}
    assert upcasting.newest("page", 2, {"version": 2}) == {"said": ["two"], "version": 3}
    assert upcasting.newest("screen", 1, {"version": 1}) == {"version": 1}


def test_every_upcaster_leads_from_one_version_to_the_next() -> None:
    for name, version in upcasting.UPCASTERS:
        assert {version, version + 1} <= set(REGISTRY.versions(name))


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("12.50", "EUR", 1250),
        (0.1, "GBP", 10),
        (-3, "usd", -300),
        ("7", "JPY", 7),
        ("1.005", "BHD", 1005),
        ("1", "", 100),
    ],
)
def test_minor_units(amount: Any, currency: str, minor: int) -> None:
    assert minor_units(amount, currency) == minor


@pytest.mark.parametrize("amount", ["", "1,5", "1e3", "٣", "nan", "0.001", True, 0.1 + 0.2, float("inf"), 1e300])
def test_an_amount_is_never_guessed_or_rounded(amount: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the caller needs to know no more
        minor_units(amount, "EUR")


def test_the_shipped_schemas_keep_their_promises() -> None:
    assert compatibility.checked(REGISTRY) == []


CHANGES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"required": ["a"]}, "/a: is required now."),
    ({"type": ["string", "null"]}, {"type": "string"}, "/: no longer takes null."),
    ({"type": "number"}, {"type": "integer"}, "/: no longer takes number."),
    ({}, {"type": "object"}, "/: takes only object now."),
    ({"enum": ["a", "b"]}, {"enum": ["b"]}, "/: no longer takes 'a'."),
    ({"enum": [1, True]}, {"enum": [1]}, "/: no longer takes True."),
    ({}, {"const": 1}, "/: takes only 1 now."),
    ({"minimum": 0}, {"minimum": 1}, "/: has a minimum of 1 instead of 0."),
    ({}, {"maximum": 1}, "/: has a maximum of 1 now."),
    ({"maxLength": 9}, {"maxLength": 8}, "/: has a maxLength of 8 instead of 9."),
    ({"minItems": 0}, {"minItems": 2}, "/: has a minItems of 2 instead of 0."),
    ({}, {"format": "email"}, "/: has a format now."),
    ({}, {"pattern": "b"}, "/: has a pattern now."),
    ({}, {"additionalProperties": False}, "/: no longer takes other names."),
    ({}, {"additionalProperties": {"maxLength": 3}}, "/*: has a maxLength of 3 now."),
    (
        {"properties": {"a": {}}, "additionalProperties": False},
        {"additionalProperties": False},
        "/a: is no longer taken.",
    ),
    (
        {"properties": {"a": {"type": ["string", "null"]}}},
        {"properties": {"a": {"type": "null"}}},
        "/a: no longer takes string.",
    ),
    ({"items": {"maximum": 2}}, {"items": {"maximum": 1}}, "/0: has a maximum of 1 instead of 2."),
    ({}, {"anyOf": [{}]}, "/: has a anyOf now."),
    ({}, {"$ref": "urn:other"}, "/: refers to urn:other now."),
    (
        {"$ref": "#/$defs/a", "$defs": {"a": {}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"maximum": 1}}},
        "/: has a maximum of 1 now.",
    ),
]


@pytest.mark.parametrize(("old", "new", "sentence"), CHANGES)
def test_a_break_is_a_sentence_with_its_place(old: dict[str, Any], new: dict[str, Any], sentence: str) -> None:
    place, _, what = sentence.partition(": ")

    assert compatibility.breaks(old, new) == (sentence,)
    assert compatibility.breaks(new, old) == ()
    assert compatibility.breaks(old, new, "none") == ()
    assert compatibility.breaks(new, old, "forward") == (f"{place}: for who reads the old version, it {what}",)
    assert compatibility.breaks(old, new, "full") == (sentence,)


def test_what_can_not_be_compared_breaks_both_ways() -> None:
    assert compatibility.breaks({"pattern": "a"}, {"pattern": "b"}, "full") == (
        "/: has another pattern.",
        "/: for who reads the old version, it has another pattern.",
    )


def test_a_new_optional_name_and_a_bound_of_another_type_break_nothing() -> None:
    assert compatibility.breaks({}, {"properties": {"a": {"type": "string"}}}, "full") == ()
    assert compatibility.breaks({"type": "string"}, {"type": "string", "maximum": 3}) == ()

    page = REGISTRY.schema("page", 1).content
    with_one_more = copy.deepcopy(dict(page))
    with_one_more["properties"]["properties"]["properties"]["colour"] = {"type": "string", "maxLength": 20}
    assert compatibility.breaks(page, with_one_more, "full") == ()


@settings(
    max_examples=tries(400), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None
)
@given(SCHEMAS, SCHEMAS, st.lists(VALUES, min_size=1, max_size=12), st.booleans())
def test_without_a_break_whatever_fitted_still_fits(old: Any, new: Any, values: list[Any], related: bool) -> None:
    new = {**old, **new} if related and isinstance(old, dict) and isinstance(new, dict) else new
    if narrowing.between(old, new):
        return
    before, after = jsonschema_rs.Draft202012Validator(old), jsonschema_rs.Draft202012Validator(new)
    for value in values:
        assert after.is_valid(value) or not before.is_valid(value)


def test_an_organisation_adds_events_and_versions(tmp_path: Path) -> None:
    own = {**OPEN, "properties": {"properties": {"type": "object", "required": ["plan"]}}}
    put(tmp_path, "track/Plan chosen/1.json", own)
    put(tmp_path, "page/2.json", {**OPEN, "properties": {"version": {"const": 2}, "name": {"maxLength": 5}}})
    put(tmp_path, "page/1.json", dict(REGISTRY.schema("page", 1).content))
    known = registry.load(tmp_path)

    assert known.versions("page") == [1, 2]
    assert known.violations("track", None, wire("track")) == ()
    assert known.violations("track", None, wire("track", properties={})) == (Violation("/properties/plan", "required"),)
    assert known.violations("track", None, wire("track", event="other", properties={})) == ()
    [broken] = compatibility.checked(known)
    assert (broken.name, broken.old, broken.new) == ("page", 1, 2)
    assert broken.sentence == "/name: has a maxLength of 5 instead of 1000."


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("page/1.json", OPEN, "differs from the shipped one"),
        ("sneeze/1.json", OPEN, "no such type"),
        ("page/two.json", OPEN, "called by its version"),
        ("page/2.json", "{", "not JSON"),
        ("page/2.json", "[]", "no object"),
        ("page/2.json", {"type": "nothing"}, "cannot be used"),
        ("page/2.json", {"pattern": "("}, "cannot be used"),
        ("page/2.json", {"pattern": "(?=a)"}, "cannot be used"),
        ("page/2.json", {"$ref": "https://example.org/schema.json"}, "cannot be used"),
        ("page/2.json", {"$ref": "file:///etc/hostname"}, "cannot be used"),
    ],
)
def test_a_schema_that_cannot_be_used_is_one_line(tmp_path: Path, file: str, content: Any, said: str) -> None:
    with pytest.raises(UnsuitableError, match=said) as refused:
        registry.load(put(tmp_path, file, content))
    assert "\n" not in str(refused.value)


def test_a_folder_that_is_none_and_a_promise_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UnsuitableError, match="no folder"):
        registry.load(tmp_path / "missing")
    with pytest.raises(UnsuitableError, match="has no version 9: it has 1"):
        REGISTRY.schema("page", 9)
    known = registry.load(put(tmp_path, "page/2.json", {**OPEN, "x-compatibility": "sideways"}))
    with pytest.raises(UnsuitableError, match="is one of backward"):
        compatibility.checked(known)


def test_a_promise_of_none_is_not_checked_and_a_forward_one_is_not_bridged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = {**OPEN, "properties": {"name": {"maxLength": 5}}, "x-compatibility": "none"}
    assert compatibility.checked(registry.load(put(tmp_path, "page/2.json", narrow))) == []

    monkeypatch.setattr(compatibility, "UPCASTERS", {**upcasting.UPCASTERS, ("page", 1): dict})
    full = {**narrow, "x-compatibility": "full"}
    sentences = [found.sentence for found in compatibility.checked(registry.load(put(tmp_path, "page/2.json", full)))]
    assert sentences
    assert all("reads the old version" in sentence for sentence in sentences)


def planned(folder: Path, text: str) -> plan.Plan:
    return plan.load(put(folder, "plan.toml", text) / "plan.toml", REGISTRY.names)


def test_a_source_is_known_by_its_key_and_sends_what_the_plan_says(tmp_path: Path) -> None:
    site, crm = plan.write_key(secrets.token_bytes), plan.write_key(lambda size: b"\1" * size)
    ours = planned(tmp_path, PLAN.format(site.sha256, crm.sha256))
    found = ours.source_of(site.key)

    assert found is not None
    assert (found.name, found.events_per_second, found.additional) == ("website", 100, "keep")
    assert found.allows("page")
    assert found.allows("track/Plan chosen")
    assert not found.allows("payment")
    assert ours.sources["crm"].allows("payment")
    assert [ours.source_of(key) for key in ("", site.sha256, f"{site.key} ", "\ud800")] == [None] * 4


def source(line: str) -> str:
    return f'[source.a]\nkey_sha256 = "{"0" * 64}"\n{line}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no source"),
        ("[source]", "names no source"),
        ("source = 1", "names no source"),
        ("[source", "not TOML"),
        ("[sauce.a]", "no such table as sauce"),
        ("[source]\na = 1", "source.a is no table"),
        ("[source.a]", "source.a.key_sha256: Field required"),
        ('[source.a]\nkey_sha256 = "abc"', "source.a.key_sha256: String should match"),
        (source("").replace("source.a", 'source."A b"'), "source.A b.name"),
        (source('types = ["sneeze"]'), "there is no type sneeze"),
        (source("types = []"), "source.a.types"),
        (source('types = "some"'), "source.a.types"),
        (source("events_per_second = 0"), "source.a.events_per_second"),
        (source("events_per_second = true"), "source.a.events_per_second"),
        (source('additional = "maybe"'), "source.a.additional"),
        (source("colour = 1"), "source.a.colour: Extra inputs"),
        (PLAN.format("0" * 64, "0" * 64), "source.crm has the key of source.website"),
    ],
)
def test_a_plan_that_cannot_be_used_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UnsuitableError) as refused:
        planned(tmp_path, text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.write_bytes(b"\xff"), "not UTF-8"),
        (lambda path: path.write_bytes(b"#" * 1_000_001), "too large"),
    ],
)
def test_a_plan_that_cannot_be_read_is_one_line(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    make(tmp_path / "plan.toml")
    with pytest.raises(UnsuitableError, match=said):
        plan.load(tmp_path / "plan.toml", REGISTRY.names)
