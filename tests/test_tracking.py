"""What a source sends live: every type becomes a row, every mistake has its reason, and nothing personal stays open."""

import json
import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracking_cases import PROPERTIES, RECEIVED_US, saying, wire

from harken.domain.event import Channel, Kind
from harken.domain.link import Link
from harken.intake import canonical, enrichment, identifiers, products
from harken.intake.fields import InvalidEventError
from harken.intake.normalise import EVENTS
from harken.intake.quality import Reason
from harken.intake.tracking import TYPES, Tracked, tracked
from harken.profiles.columns import ATTRIBUTES, attributes_of

HOUR_US = 3_600_000_000
RECEIVED = datetime(2027, 1, 15, 8, tzinfo=UTC)
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def of(body: dict[str, Any]) -> Tracked:
    return tracked(body, source="web", received_us=RECEIVED_US, blind=lambda kind, value: f"<{kind}|{value}>")


def facts(body: dict[str, Any]) -> dict[str, Any]:
    attributes = of(body).row["attributes"]
    return json.loads(attributes) if attributes else {}


def reason(body: dict[str, Any]) -> str:
    with pytest.raises(InvalidEventError) as wrong:
        of(body)
    return wrong.value.reason.value


def kept_or_reason(body: dict[str, Any]) -> Tracked | str:
    try:
        return of(body)
    except InvalidEventError as wrong:
        return wrong.reason.value


def iso(moment: datetime) -> str:
    return moment.isoformat()


@pytest.mark.parametrize("type_", sorted(TYPES))
def test_every_type_becomes_a_row_of_the_log(type_: str) -> None:
    row = of(wire(type_)).row

    assert {*row, "line"} == set(EVENTS.names)
    assert row["kind"] == ("message_received" if type_ == "message" else type_)
    assert (row["id"], row["identity"], row["author"], row["source"]) == ("web:m1", "customer:ada", "ada", "web")
    assert row["at"] == RECEIVED_US - HOUR_US
    assert row["channel"] in set(Channel)


def test_the_types_are_the_kinds_with_the_two_directions_of_a_message_as_one() -> None:
    assert set(PROPERTIES) == TYPES == {*Kind, "message"} - {"message_received", "message_sent"}


@pytest.mark.parametrize(
    ("ids", "identity"),
    [
        ({"identity": "twitter:115712"}, "twitter:115712"),
        ({"identity": "ada"}, "customer:ada"),
        ({"anonymousId": "a-1"}, "customer:ada"),
        ({"userId": None, "anonymousId": "a-1"}, "device:a-1"),
        ({"userId": None, "anonymousId": "customer:ada"}, "device:customer:ada"),
        ({"userId": "customer:ada"}, "customer:ada"),
        ({"userId": 42}, "customer:42"),
        ({"userId": "Ærø-ユーザ"}, "customer:Ærø-ユーザ"),
    ],
)
def test_whom_it_concerns(ids: dict[str, Any], identity: str) -> None:
    assert of(wire("page", **ids)).row["identity"] == identity


def test_an_id_of_another_source_stays_as_it_is() -> None:
    assert of(wire("page", messageId="crm:7")).row["id"] == "crm:7"


def test_a_message_of_theirs_and_one_of_ours() -> None:
    theirs = of(saying("message", thread="t7", brand="Harbour", text="a\0b ünï 😀")).row
    ours = of(saying("message", direction="outbound", brand="Harbour", in_reply_to="m0") | {"userId": None}).row

    assert (theirs["kind"], theirs["channel"], theirs["text"]) == ("message_received", "chat", "ab ünï 😀")
    assert (theirs["in_reply_to"], theirs["addressed_to"], theirs["author"]) == ("thread:t7", "harbour", "ada")
    assert (ours["kind"], ours["identity"], ours["author"]) == ("message_sent", None, "Harbour")
    assert (ours["in_reply_to"], ours["addressed_to"]) == ("web:m0", None)


def test_a_closed_issue_names_its_thread() -> None:
    assert of(wire("issue_resolved", userId=None)).row["in_reply_to"] == "web:m0"


@pytest.mark.parametrize(
    ("body", "channel"),
    [
        (wire("page"), "web"),
        (wire("screen"), "app"),
        (wire("track"), "app"),
        (wire("login"), "app"),
        (wire("support_call"), "phone"),
        (wire("branch_visit"), "branch"),
        (wire("risk_signal"), "system"),
        (saying("payment", channel="web"), "web"),
        (saying("payment", channel="Facebook Ads"), "system"),
        (wire("payment", context={"channel": "branch"}), "branch"),
        (wire("consent"), "system"),
        (wire("consent", context={"channel": "phone"}), "phone"),
    ],
)
def test_by_which_channel_it_came(body: dict[str, Any], channel: str) -> None:
    assert of(body).row["channel"] == channel


@pytest.mark.parametrize("wrong_by_h", [-3, 0, 3, 24 * 365 * 40])
def test_a_wrong_clock_is_corrected_by_what_it_said_when_it_sent(wrong_by_h: int) -> None:
    clock = RECEIVED + timedelta(hours=wrong_by_h)
    said = {"timestamp": iso(clock - timedelta(minutes=20)), "sentAt": iso(clock)}

    assert of(wire("page", **said)).row["at"] == RECEIVED_US - 20 * 60_000_000


@pytest.mark.parametrize(
    ("said", "ago_s"),
    [
        ({"timestamp": None}, 0),
        ({"timestamp": None, "originalTimestamp": iso(RECEIVED - timedelta(seconds=9))}, 9),
        ({"timestamp": iso(RECEIVED - timedelta(seconds=7)), "originalTimestamp": "2020-01-01T00:00:00Z"}, 7),
        ({"timestamp": None, "sentAt": iso(RECEIVED)}, 0),
        ({"timestamp": iso(RECEIVED + timedelta(minutes=5))}, 0),
        ({"timestamp": "2027-01-15T09:59:00+02:00"}, 60),
    ],
)
def test_when_it_happened(said: dict[str, Any], ago_s: int) -> None:
    assert of(wire("page", **said)).row["at"] == RECEIVED_US - ago_s * 1_000_000


@given(
    st.integers(-(180 * 365), 180 * 365).map(lambda days: RECEIVED + timedelta(days=days)),
    st.none() | st.integers(-(10**9), 10**9).map(lambda seconds: RECEIVED + timedelta(seconds=seconds)),
)
def test_no_event_is_later_than_its_coming_or_older_than_1990(said: datetime, sent: datetime | None) -> None:
    kept = kept_or_reason(wire("page", timestamp=iso(said), sentAt=sent and iso(sent)))
    if isinstance(kept, Tracked):
        assert datetime(1990, 1, 1, tzinfo=UTC).timestamp() * 1_000_000 <= kept.row["at"] <= RECEIVED_US
    else:
        assert kept in {"time_in_future", "time_too_old"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({}, "missing_field"),
        (wire("page", type=None), "missing_field"),
        (wire("page", type="sneeze"), "unknown_kind"),
        (wire("page", type="message_received"), "unknown_kind"),
        (wire("page", type=["page"]), "wrong_type"),
        (wire("page", messageId=None), "missing_field"),
        (wire("page", messageId="two words"), "bad_id"),
        (wire("page", messageId=True), "wrong_type"),
        (wire("page", userId=None), "missing_field"),
        (wire("page", userId="a b"), "bad_id"),
        (wire("page", userId={"id": 1}), "wrong_type"),
        (wire("page", userId="\ud800"), "wrong_type"),
        (wire("page", userId="x" * 300), "bad_id"),
        (wire("page", properties=[1]), "wrong_type"),
        (wire("page", context="web"), "wrong_type"),
        (wire("identify", traits=7), "wrong_type"),
        (wire("identify", traits={"email": ["a@b"]}), "wrong_type"),
        (wire("page", context={"externalIds": {"id": "1"}}), "wrong_type"),
        (wire("page", context={"externalIds": [{"type": "crm"}]}), "missing_field"),
        (wire("page", context={"externalIds": [{"type": "no good", "id": "1"}]}), "bad_id"),
        (wire("page", context={"externalIds": [{"type": "crm", "id": str(n)} for n in range(21)]}), "out_of_range"),
        (wire("page", timestamp="1970-01-01T00:00:00Z"), "time_too_old"),
        (wire("page", timestamp="2100-01-01T00:00:00Z"), "time_in_future"),
        (wire("page", timestamp=iso(RECEIVED + timedelta(minutes=5, seconds=1))), "time_in_future"),
        (wire("page", timestamp="yesterday"), "unreadable_time"),
        (wire("page", timestamp="2027-01-15T07:00:00"), "unreadable_time"),
        (wire("page", timestamp=1_800_000_000), "wrong_type"),
        (wire("page", sentAt=False), "wrong_type"),
        (wire("page", properties={"blob": "x" * 10_000_000}), "out_of_range"),
        (wire("page", properties={"k" * 300: 1}), "out_of_range"),
        (wire("page", properties={1: 1}), "wrong_type"),
        (wire("page", properties={"n": math.nan}), "wrong_type"),
        (wire("page", properties={"n": -math.inf}), "wrong_type"),
        (wire("page", properties={"n": 2**64}), "wrong_type"),
        (wire("page", properties={"n": {1, 2}}), "wrong_type"),
        (wire("track", event=None), "missing_field"),
        (wire("group", groupId=""), "missing_field"),
        (wire("alias", previousId=None), "missing_field"),
        (saying("unmerge", other=None), "missing_field"),
        (saying("message", text=" \0"), "empty_text"),
        (saying("message", text=None), "empty_text"),
        (saying("message", direction=None), "missing_field"),
        (saying("message", direction="sideways"), "wrong_type"),
        (saying("message", channel=None), "missing_field"),
        (saying("message", channel="pigeon"), "wrong_type"),
        (saying("payment", amount_minor=True), "wrong_type"),
        (saying("payment", amount_minor=9.5), "wrong_type"),
        (saying("payment", amount_minor="995"), "wrong_type"),
        (saying("payment", amount_minor=10**16), "out_of_range"),
        (saying("payment", amount_minor=None, amount=9.999), "wrong_type"),
        (saying("payment", amount_minor=None, amount="1_000"), "wrong_type"),
        (saying("payment", amount_minor=None, amount=[9]), "wrong_type"),
        (saying("payment", amount_minor=None, amount=True), "wrong_type"),
        (saying("payment", amount_minor=None, amount=1.5, currency="JPY"), "wrong_type"),
        (saying("payment", amount_minor=None, amount=10**16), "out_of_range"),
        (saying("login", success=1), "wrong_type"),
        (saying("consent", granted=None), "missing_field"),
        (saying("consent", granted="yes"), "wrong_type"),
        (saying("consent", channel=None), "missing_field"),
        (saying("consent", channel="pigeon"), "wrong_type"),
        (saying("credit_decision", outcome="Ada is too poor"), "wrong_type"),
        (saying("dispute", status=None), "missing_field"),
        (saying("risk_signal", score=None), "missing_field"),
        (saying("risk_signal", score=True), "wrong_type"),
        (saying("risk_signal", score=1.01), "out_of_range"),
        (saying("risk_signal", score=-0.1), "out_of_range"),
        (saying("risk_signal", score=5, scale=10), "out_of_range"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], why: str) -> None:
    assert reason(body) == why


def test_a_nesting_without_end_is_refused() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]

    assert reason(wire("page", properties={"deep": deep})) == "out_of_range"
    with pytest.raises(InvalidEventError):
        canonical.check({"deep": deep})


@given(st.dictionaries(st.text(max_size=8), NESTED, max_size=5), st.sampled_from(sorted(TYPES)), st.booleans())
def test_whatever_comes_is_a_row_or_has_a_reason(rest: dict[str, Any], type_: str, inside: bool) -> None:
    properties = PROPERTIES[type_] | rest if inside else PROPERTIES[type_]
    kept = kept_or_reason(({} if inside else rest) | wire(type_, properties=properties))
    if isinstance(kept, Tracked):
        assert json.loads(kept.same_as)["type"] == type_
        assert set(json.loads(kept.row["attributes"] or "{}")) <= {name for name, _ in ATTRIBUTES.values()}
    else:
        assert kept in set(Reason)


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
