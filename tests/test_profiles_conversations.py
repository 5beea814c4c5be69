"""What a profile says of a customer's conversations."""

from dataclasses import replace

from harken.domain.conversation import Facts, Standing, Status
from harken.profiles.conversations import from_conversations
from harken.profiles.features import CONVERSATION_FEATURES

NOW_S = 1_512_000_000
NOW_US = NOW_S * 1_000_000
DAY_S = 86_400

QUIET = Facts(
    opened_at=NOW_S - 3_600,
    last_at=NOW_S - 600,
    last_customer_at=NOW_S - 600,
    last_brand_at=None,
    customer_turns=1,
    brand_turns=0,
    unanswered=1,
    unanswered_since=NOW_S - 600,
    customer_spoke_last=True,
    closed_at=None,
    reopened=0,
    first_reply_s=None,
    reply_s=(),
    brand_at=(),
    last_customer_signals=0,
    last_brand_signals=0,
    all_customer_signals=0,
    unanswered_signals=0,
    last_sentiment=None,
    worst_sentiment=None,
    urgency=0,
    language="en",
    topic="other",
)


def case(status: Status, **facts: object) -> tuple[Facts, Standing]:
    return replace(QUIET, **facts), Standing(status=status, rule="told", because="Told by the test.")  # type: ignore[arg-type]


def test_without_conversations_everything_is_empty() -> None:
    values = from_conversations([], NOW_US)

    assert list(values) == [feature.name for feature in CONVERSATION_FEATURES]
    assert {value for name, value in values.items() if not name.startswith(("reply", "last", "longest"))} == {0, None}
    assert values["resolution_rate_90d"] is None


def test_cases_count_by_standing() -> None:
    cases = [
        case(Status.OPEN, unanswered_since=NOW_S - 900),
        case(Status.OPEN, unanswered_since=NOW_S - 300),
        case(Status.PENDING, unanswered_since=None),
        case(Status.RESOLVED, reopened=2),
    ]

    values = from_conversations(cases, NOW_US)

    assert (values["open_conversations"], values["pending_conversations"], values["conversations_90d"]) == (2, 1, 4)
    assert (values["resolved_90d"], values["resolution_rate_90d"], values["reopened_90d"]) == (1, 0.25, 2)
    assert values["longest_wait_s"] == 900


def test_a_solved_case_waits_for_nobody() -> None:
    assert from_conversations([case(Status.RESOLVED)], NOW_US)["longest_wait_s"] is None


def test_old_cases_leave_their_windows_but_stay_open() -> None:
    values = from_conversations([case(Status.OPEN, last_at=NOW_S - 120 * DAY_S, reply_s=(60,))], NOW_US)

    assert (values["conversations_90d"], values["open_conversations"]) == (0, 1)
    assert values["reply_s_mean_30d"] is None


def test_contacts_count_at_their_own_time() -> None:
    told = case(Status.PENDING, brand_at=(NOW_S - 6 * DAY_S, NOW_S - 3_600, NOW_S - 60), reply_s=(120, 60))

    values = from_conversations([told], NOW_US)

    assert (values["contacts_24h"], values["contacts_7d"], values["last_contact_at"]) == (2, 3, NOW_S - 60)
    assert values["reply_s_mean_30d"] == 90.0
    assert 120 <= (values["reply_s_p90_30d"] or 0) <= 126  # type: ignore[operator]
