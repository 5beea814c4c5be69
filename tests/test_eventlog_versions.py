"""What a version of an event type may change, and how an event of an old one is led to the newest."""

import copy
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from eventlog_cases import OPEN, REGISTRY, put, wrong
from examples import tries
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tracking_cases import wire

from harken.domain.money import minor_units
from harken.eventlog import compatibility, narrowing, registry, upcasting
from harken.eventlog.registry import Violation

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
