"""What a source sends live: every type becomes a row, and every mistake has its reason."""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracking_cases import PROPERTIES, RECEIVED_US, of, saying, wire

from harken.domain.event import Channel, Kind
from harken.intake import canonical
from harken.intake.fields import InvalidEventError
from harken.intake.normalise import EVENTS
from harken.intake.quality import Reason
from harken.intake.tracking import TYPES, Tracked
from harken.profiles.columns import ATTRIBUTES

HOUR_US = 3_600_000_000
RECEIVED = datetime(2027, 1, 15, 8, tzinfo=UTC)
NESTED = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


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
