"""Facts and a moment -> where the issue stands, with the rule and the words that say so.

Read RULES to a support lead: the first row that fits decides. If they disagree with a row, it is wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from harken.conversations.view import DEFAULT_SILENCE, Silence, View
from harken.domain.conversation import Facts, Standing, Status

__all__ = ["DEFAULT_SILENCE", "RULES", "Rule", "Silence", "how_long", "standing"]

_UNITS = ((365 * 86_400, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class Rule:
    """When it fits, the status is this. `because` may name `{quiet}`, the time since the last word."""

    name: str
    status: Status
    when: Callable[[View], bool]
    because: str
    cites: tuple[str, ...] = ()  #: signals of the customer's last message whose words are the evidence


RULES: tuple[Rule, ...] = (
    Rule(
        "closed-by-a-person",
        Status.RESOLVED,
        lambda v: v.facts.closed_at is not None,
        "Somebody closed it, and nothing has been said since.",
    ),
    Rule(
        "customer-confirmed-fix",
        Status.RESOLVED,
        lambda v: v.fix_is_confirmed(),
        "The customer said that it works now.",
        ("confirms_fix",),
    ),
    Rule(
        "spoke-to-somebody-else",
        Status.RESOLVED,
        lambda v: v.spoke_to_others(),
        "They neither named us nor answered us, while we spoke with others in the thread.",
    ),
    Rule(
        "wrote-in-private",
        Status.OPEN,
        lambda v: v.wrote_in_private() and not (v.calm_in_private() and v.quiet_long()),
        "The customer said {quiet} ago that they wrote to us in private.",
        ("moves_private", "did_it"),
    ),
    Rule(
        "moved-to-private",
        Status.RESOLVED,
        lambda v: v.wrote_in_private(),
        "The customer took it to private messages {quiet} ago, and nothing has come here since.",
        ("moves_private", "did_it"),
    ),
    Rule(
        "thanks-after-our-question",
        Status.PENDING,
        lambda v: v.theirs_is_last and v.thanked() and v.we_asked() and not v.quiet_long(),
        "The customer thanked us, but what we asked for has not come.",
        ("thanks",),
    ),
    Rule(
        "customer-said-thanks",
        Status.RESOLVED,
        lambda v: v.thanked() and (v.theirs_is_last or v.we_said_goodbye()),
        "The customer's last word was a thank-you that asks nothing.",
        ("thanks",),
    ),
    Rule(
        "praise-needs-no-answer",
        Status.RESOLVED,
        lambda v: v.kind_words_only() and (v.theirs_is_last or v.we_said_goodbye()),
        "The customer's last word was a kind one that asks nothing.",
        ("praise", "thanks"),
    ),
    Rule(
        "customer-acknowledged",
        Status.PENDING,
        lambda v: v.acknowledged() and v.acknowledgement_holds(),
        "The customer acknowledged our last word {quiet} ago and asks nothing.",
        ("acknowledges",),
    ),
    Rule(
        "acknowledged-and-silent",
        Status.RESOLVED,
        lambda v: v.acknowledged(),
        "The customer acknowledged our last word {quiet} ago and has not come back.",
        ("acknowledges",),
    ),
    Rule(
        "small-talk-has-passed",
        Status.RESOLVED,
        lambda v: v.small_talk() and v.quiet_long(),
        "The customer's last word, {quiet} ago, asks nothing and names no problem.",
    ),
    Rule(
        "small-talk",
        Status.OPEN,
        lambda v: v.small_talk(),
        "The customer spoke last, {quiet} ago, but asks nothing and names no problem.",
    ),
    Rule(
        "too-old-to-answer",
        Status.RESOLVED,
        lambda v: v.theirs_is_last and v.lapsed(),
        "Nobody answered for {quiet}; a word of ours would come out of the blue.",
    ),
    Rule(
        "customer-spoke-last",
        Status.OPEN,
        lambda v: v.theirs_is_last,
        "The customer spoke last, {quiet} ago, and has no answer.",
        ("still_broken", "question", "wants_person", "regulatory", "angry"),
    ),
    Rule(
        "abandoned-after-a-question",
        Status.RESOLVED,
        lambda v: v.we_asked() and v.quiet_very_long(),
        "We asked the customer something {quiet} ago and never heard back.",
    ),
    Rule(
        "we-asked",
        Status.PENDING,
        lambda v: v.we_asked(),
        "We asked the customer something {quiet} ago and wait for the answer.",
    ),
    Rule(
        "apology-without-an-answer",
        Status.PENDING,
        lambda v: v.only_sorry() and not v.quiet_very_long(),
        "The customer was unhappy, and our last word, {quiet} ago, was only an apology.",
        ("still_broken", "angry"),
    ),
    Rule(
        "silence-after-an-answer",
        Status.RESOLVED,
        lambda v: v.quiet_long(),
        "We answered {quiet} ago and the customer has not come back.",
    ),
    Rule(
        "we-spoke-last",
        Status.PENDING,
        lambda _: True,
        "We spoke last, {quiet} ago; the customer may still come back.",
    ),
)


def standing(facts: Facts, now: datetime, silence: Silence = DEFAULT_SILENCE) -> Standing:
    """Where the issue stands as of `now`, which is not before its last turn."""
    quiet_s = max(0, int(now.timestamp()) - facts.last_at)
    view = View(facts, quiet_s, silence)
    rule = next(rule for rule in RULES if rule.when(view))
    return Standing(
        status=rule.status,
        rule=rule.name,
        because=rule.because.format(quiet=how_long(quiet_s)),
        evidence=_words(rule.cites, facts),
        since=datetime.fromtimestamp(_since(rule, view), UTC),
    )


def settled_by_silence(customer_spoke_last: bool, last_at: int, now_s: int, silence: Silence) -> bool:
    """Whatever else the facts say, RULES come to resolved: we spoke last, longer ago than any row waits.

    The quick question before `standing`: most conversations of a store ended long ago. A test holds the two together.
    """
    return not customer_spoke_last and now_s - last_at >= max(silence.resolves_after_s, silence.abandoned_after_s)


def how_long(seconds: int) -> str:
    """90 -> `1 minute`: the largest unit that fits, rounded down."""
    size, unit = next((one for one in _UNITS if seconds >= one[0]), _UNITS[-1])
    count = seconds // size
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _words(cites: tuple[str, ...], facts: Facts) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for name in cites for word in facts.evidence.get(name, ())))


def _since(rule: Rule, view: View) -> int:
    facts = view.facts
    if rule.name == "silence-after-an-answer":
        return facts.last_at + view.silence.resolves_after_s
    if rule.name == "abandoned-after-a-question":
        return facts.last_at + view.silence.abandoned_after_s
    if rule.status is Status.OPEN and facts.unanswered_since is not None:
        return facts.unanswered_since
    glad = rule.status is Status.RESOLVED and facts.closed_at is None and facts.last_customer_at is not None
    return facts.last_customer_at if glad and facts.last_customer_at is not None else facts.last_at
