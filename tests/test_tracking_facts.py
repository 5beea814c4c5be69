"""What a live event brings besides its row: the facts that features read, who is tied to whom, and what is sealed."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracking_cases import of, saying, wire

from harken.domain.link import Link
from harken.intake import enrichment, identifiers, products
from harken.profiles.columns import ATTRIBUTES, attributes_of


def facts(body: dict[str, Any]) -> dict[str, Any]:
    attributes = of(body).row["attributes"]
    return json.loads(attributes) if attributes else {}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (saying("payment", amount_minor=-500), {"amount_minor": -500}),
        (saying("payment", amount_minor=None, amount=9.95), {"amount_minor": 995}),
        (saying("payment", amount_minor=None, amount="12.5", currency="eur"), {"amount_minor": 1250}),
        (saying("payment", amount_minor=None, amount=1200, currency="JPY"), {"amount_minor": 1200}),
        (saying("payment", amount_minor=None, amount=1.234, currency="KWD"), {"amount_minor": 1234}),
        (saying("payment", amount_minor=None, amount=None), {}),
        (saying("transaction", product="Credit Card"), {"amount_minor": 1250, "product": "card"}),
        (saying("transaction", product="frobnicator"), {"amount_minor": 1250, "product": "groceries"}),
        (saying("transaction", merchant_category=3005), {"amount_minor": 1250, "product": "travel"}),
        (saying("transaction", merchant_category="0001"), {"amount_minor": 1250}),
        (saying("transaction", merchant_category="9999"), {"amount_minor": 1250}),
        (wire("login"), {"success": True}),
        (wire("consent"), {"channel": "email", "granted": False}),
        (saying("credit_decision", outcome="Counter offered"), {"outcome": "counter_offered"}),
        (saying("dispute", status="Under review"), {"status": "under_review"}),
        (saying("risk_signal", score=1), {"risk": 1000}),
        (saying("risk_signal", score=73.5, scale=100), {"risk": 735}),
        (saying("risk_signal", score=735, scale=1000), {"risk": 735}),
        (wire("page", context={"timezone": "Europe/Berlin"}), {"zone": "Europe/Berlin"}),
        (wire("page", context={"timezone": "Ada's kitchen"}), {}),
        (wire("page"), {}),
    ],
)
def test_the_facts_that_features_read(body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert facts(body) == expected


def test_every_fact_is_one_that_a_feature_reads_in_its_own_type() -> None:
    read = {name for name, _ in ATTRIBUTES.values()}
    assert {each.name for each in enrichment.ENRICHMENTS} == read

    shown = attributes_of(of(wire("consent")).row["attributes"])
    assert (shown["consent_to"], shown["granted"]) == ("email", 0)


def test_every_merchant_code_is_in_one_range_and_has_a_known_category() -> None:
    ranges = products._MERCHANT_CODES
    assert all(first <= last for first, last, _ in ranges)
    assert all(before[1] < after[0] for before, after in pairwise(ranges))
    assert {category for _, _, category in ranges} <= set(products.CATEGORIES)


def test_who_signs_in_is_tied_to_the_device_and_to_hidden_identifiers() -> None:
    traits = {"email": " Ada.L+x@Example.ORG ", "phone": "+44 20 7946 0958", "twitter": "@Ada_L", "name": "Ada"}
    context = {"externalIds": [{"id": "42", "type": "crm"}, {"id": "ADA.L+x@example.org", "type": "email"}]}

    links = of(wire("identify", traits=traits, context=context)).links

    assert links == tuple(
        Link("tie", "customer:ada", other)
        for other in (
            "device:a-1",
            "email:<email|ada.l+x@example.org>",
            "phone:<phone|+442079460958>",
            "twitter:ada_l",
            "crm:42",
        )
    )


def test_a_named_identity_is_tied_to_the_user_too() -> None:
    links = of(wire("identify", identity="twitter:7", traits={})).links
    assert links == (Link("tie", "twitter:7", "device:a-1"), Link("tie", "twitter:7", "customer:ada"))


@pytest.mark.parametrize("email", ["", "ada", "@example.org", "a@b@c", "a b@c.d", "x" * 300 + "@c.d", "a@\0"])
@pytest.mark.parametrize(
    "phone", ["", "020 7946 0958", "+44 20 7946 0958 ext. 5", "+999", "call me", "+1" + "2" * 400, "٠١٢", 12]
)
def test_a_broken_address_or_number_ties_nothing_and_costs_nothing_else(email: str, phone: Any) -> None:
    kept = of(wire("identify", anonymousId=None, traits={"email": email, "phone": phone}))
    assert kept.links == ()
    assert json.loads(kept.content)["traits"] == {"email": email, "phone": phone}


@given(st.text(max_size=40))
def test_normalising_an_identifier_twice_changes_nothing(written: str) -> None:
    for normalised in (identifiers.email, identifiers.phone):
        once = normalised(written)
        assert once is None or normalised(once) == once


def test_a_group_ties_nobody_and_only_those_who_know_say_same_or_other() -> None:
    assert of(wire("group", context={"externalIds": [{"id": "1", "type": "crm"}]})).links == ()
    assert of(wire("track", anonymousId="a-1", traits={"email": "a@b.c"})).links == ()
    assert of(wire("alias")).links == (Link("alias", "customer:old-ada", "customer:ada"),)
    assert of(wire("alias", previousId="ada")).links == ()
    assert of(wire("unmerge", userId=None)).links == (Link("part", "customer:ada", "twitter:115712"),)


def test_what_is_personal_goes_into_the_sealed_content_alone() -> None:
    kept = of(wire("track", properties={"z": 1, "name": "Ada"}, traits={"mail": "a@b.c"}))

    assert kept.content == (
        '{"context":{"library":{"name":"analytics.js","version":"2.0"},"locale":"en-GB"},'
        '"event":"Plan chosen","properties":{"name":"Ada","z":1},"traits":{"mail":"a@b.c"}}'
    )
    assert kept.row["text"] == ""
    assert kept.row["attributes"] is None


def test_the_words_of_a_message_are_kept_once_and_an_event_without_a_rest_has_none() -> None:
    message = json.loads(of(wire("message")).content)
    assert message["properties"] == {"channel": "chat", "direction": "inbound"}
    assert of(wire("page", name=None, properties=None, context=None)).content == ""


def test_a_redelivery_is_told_from_another_event_of_the_same_id() -> None:
    first = wire("track", sentAt="2027-01-15T07:00:01Z", writeKey="secret")
    again = dict(reversed(first.items())) | {"sentAt": "2027-01-15T07:59:01Z", "_metadata": {"retryCount": 2}}
    other = first | {"event": "Plan left"}

    assert of(first).same_as == of(again).same_as != of(other).same_as
    assert b"secret" not in of(first).same_as


def test_what_was_given_is_not_changed() -> None:
    body = saying("message", text="hello")
    before = json.dumps(body)
    of(body)
    assert json.dumps(body) == before
