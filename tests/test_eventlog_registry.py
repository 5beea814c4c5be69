"""The registry of event types: what fits, what is named of what does not, and what an organisation adds."""

import math
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from eventlog_cases import OPEN, REGISTRY, put, wrong
from tracking_cases import PROPERTIES, RECEIVED_US, saying, wire

from harken.errors import UnsuitableError
from harken.eventlog import compatibility, registry
from harken.eventlog.registry import Violation
from harken.intake import enrichment
from harken.intake.tracking import TYPES, tracked
from harken.kit.nesting import MOST_DEPTH


def newest(type_: str, **changed: Any) -> dict[str, Any]:
    version = REGISTRY.versions(type_)[-1]
    return wire(type_, **({"version": version} | changed))


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
