"""A draft and what it was made of -> the verdict: what may become of it, with every reason.

The last look before a customer sees anything, of the final words of every writer, with personal data in them. Pure: the same advice,
context and rules give the same verdict. A verdict only ever moves down: send, clarify, suggest, hold, hand over, block.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from harken.domain.decision import Advice, Context, OutChannel
from harken.domain.event import Signal
from harken.domain.verdict import Finding, Outcome, Verdict, strictest
from harken.guard import canaries, checks, confidence, content, form, others, policy_rules, tone
from harken.guard.checks import Suspect
from harken.guard.coverage import Covering
from harken.guard.grounded import Grounding
from harken.guard.reasons import Reason
from harken.guard.rules_file import GuardRules
from harken.guard.seen import Seen
from harken.privacy.tokens import TOKEN

OFFLINE = "offline"


class Check(NamedTuple):
    """One question to a draft. `name` is what findings, figures and the documentation call it."""

    name: str
    reason: Reason
    detail: str
    fails: Callable[[Seen], bool]


def _words(check: Callable[[Suspect], str | None], seen: Seen) -> bool:
    """A check that a model's words pass already, of the writer's own words."""
    return check(seen.suspect_words) is not None


def _whole(check: Callable[[Suspect], str | None], seen: Seen) -> bool:
    """The same, of the whole message."""
    return check(seen.suspect) is not None


def _token(seen: Seen) -> bool:
    return bool(TOKEN.search(seen.message))


def _injected(seen: Seen) -> bool:
    return len(seen.grounds) < len(seen.cited)


CHECKS: Sequence[Check] = (
    Check("says-something", Reason.EMPTY, "The message is empty.", form.says_nothing),
    Check("fits-the-channel", Reason.LENGTH, "The message is too long for its channel.", form.too_long),
    Check("is-plain-text", Reason.RENDER, "It has markup, or characters that nobody sees.", form.not_plain),
    Check("keeps-our-canaries", Reason.CANARY, "It repeats words that were planted to be recognised.", canaries.planted),
    Check("has-no-data-of-others", Reason.OTHERS_DATA, "It has an address or number of nobody here.", others.of_others),
    Check("links-are-cited", Reason.LINK, "It has a link that no cited passage has.", partial(_whole, checks.links_are_ours)),
    Check("asks-for-no-secret", Reason.SECRET, "It asks for a secret or for money.", partial(_words, checks.asks_for_no_secret)),
    Check("is-decent", Reason.CONTENT, "It has words that no message of ours has.", content.indecent),
    Check("does-not-refuse", Reason.REFUSAL, "It says that it cannot help.", form.refuses),
    Check("promises-nothing", Reason.POLICY_PROMISE, "It promises something.", partial(_words, checks.promises_nothing)),
    Check("rests-on-no-orders", Reason.INJECTED, "A cited passage gives orders to a machine.", _injected),
    Check("has-no-token", Reason.TOKEN, "A personal value stands there as a token.", _token),
    Check("addresses-are-ours", Reason.UNCONFIRMED, "Only the customer wrote an address or number in it.", others.unconfirmed),
    Check("names-are-known", Reason.NAME, "It has a name that stands nowhere.", partial(_words, checks.names_are_known)),
    Check("numbers-are-grounded", Reason.NUMBER, "It has a number that stands nowhere.", partial(_whole, checks.numbers_are_grounded)),
    Check("claims-no-act", Reason.ACT, "It claims that something was done.", partial(_words, checks.claims_no_act)),
    Check("keeps-the-channel", Reason.CHANNEL, "It speaks of a way of contact that was not decided.", partial(_words, checks.keeps_the_channel)),
    Check("keeps-the-time", Reason.TIME, "It says when we will do something.", partial(_words, checks.keeps_the_time)),
    Check("keeps-the-status", Reason.STATUS, "It speaks of another status than was decided.", partial(_words, checks.keeps_the_status)),
    Check("is-polite", Reason.TONE, "It blames, mocks or is curt.", tone.impolite),
    Check("does-not-shout", Reason.TONE, "It shouts.", tone.shouts),
    Check("speaks-their-language", Reason.LANGUAGE, "It is in another language than the customer's.", form.another_language),
)  # fmt: skip


WEIGHED_CHECKS: Sequence[tuple[str, Reason]] = (
    ("is-grounded", Reason.UNGROUNDED),
    ("cites-something", Reason.NO_PASSAGE),
    ("contradicts-nothing", Reason.CONTRADICTS),
    ("numbers-count-the-same", Reason.NUMBER),
    ("covers-the-question", Reason.UNCOVERED),
    ("regrets", Reason.TONE),
    ("is-sure-enough", Reason.LOW_CONFIDENCE),
    ("breaks-no-rule", Reason.POLICY_PROMISE),
    ("discloses", Reason.MISSING_DISCLOSURE),
)
"""Those that look at several things at once. A rule of `breaks-no-rule` names its own reason."""

_Found = tuple[Reason, Finding]


def judge(advice: Advice, context: Context, rules: GuardRules) -> Verdict:
    """Every check looks, whatever the others found, except at a text too long to be worth it."""
    if advice.decision.channel is OutChannel.NONE and not advice.draft.message:
        return Verdict(
            outcome=Outcome.SEND, drafter_confidence=1.0, our_confidence=1.0, coverage=1.0, rules=rules.version
        )
    seen = Seen(advice=advice, context=context, rules=rules)
    if form.too_long(seen):
        long = next(check for check in CHECKS if check.reason is Reason.LENGTH)
        return _verdict([_found(long.name, long.reason, long.detail, rules)], Weighed(0.0, 0.0, 0.0), rules)
    grounding, covering = Grounding(seen), Covering(seen)
    weighed = _weighed(seen, grounding, covering)
    found = [
        *(_found(check.name, check.reason, check.detail, rules) for check in CHECKS if check.fails(seen)),
        *_policy(seen),
        *_ground(seen, grounding, weighed),
        *_unsure(weighed, rules),
    ]
    return _verdict([_clarified(each, seen, covering) for each in found], weighed, rules)


class Weighed(NamedTuple):
    drafter: float
    ours: float
    coverage: float


def _weighed(seen: Seen, grounding: Grounding, covering: Covering) -> Weighed:
    """A message that claims nothing cannot be wrong, whatever it rests on."""
    if not grounding.claims:
        ours, coverage = 1.0, 1.0
    else:
        coverage = 0.0 if covering.by_chance else round(covering.share, 4)
        ours = confidence.ours(confidence.evidence(seen, grounding, coverage), seen.rules.content.confidence)
    draft = seen.advice.draft
    said = draft.confidence if draft.confidence is not None else (ours if draft.mode == OFFLINE else 0.0)
    return Weighed(round(min(max(said, 0.0), 1.0), 4), ours, coverage)


def _policy(seen: Seen) -> Iterator[_Found]:
    for forbidden in policy_rules.broken(seen):
        yield _found("breaks-no-rule", forbidden.reason, forbidden.because, seen.rules, forbidden.name)
    for required in policy_rules.missing(seen):
        yield _found("discloses", Reason.MISSING_DISCLOSURE, required.because, seen.rules, required.name)


def _ground(seen: Seen, grounding: Grounding, weighed: Weighed) -> Iterator[_Found]:
    limits, rules = seen.rules.content.grounded, seen.rules
    if grounding.weakest < limits.least_support:
        yield _found("is-grounded", Reason.UNGROUNDED, "It claims what nothing that it cites supports.", rules)
        if not seen.grounds:
            yield _found("cites-something", Reason.NO_PASSAGE, "It claims something and cites nothing for it.", rules)
    if grounding.miscounts:
        yield _found(
            "numbers-count-the-same", Reason.NUMBER, "It has a number with another unit than its source.", rules
        )
    if any(claim.denied for claim in grounding.claims):
        yield _found("contradicts-nothing", Reason.CONTRADICTS, "It says the opposite of what it cites.", rules)
    if grounding.claims and tone.lacks_regret(seen):
        yield _found("regrets", Reason.TONE, "They are unhappy, and it answers without a word of regret.", rules)
    if seen.grounds and weighed.coverage < limits.least_coverage:
        yield _found(
            "covers-the-question", Reason.UNCOVERED, "What it cites speaks of too little of the question.", rules
        )


def _unsure(weighed: Weighed, rules: GuardRules) -> Iterator[_Found]:
    least = rules.content.confidence.least
    if min(weighed.drafter, weighed.ours) < least:
        who = "Our" if weighed.ours <= weighed.drafter else "The writer's own"
        yield _found("is-sure-enough", Reason.LOW_CONFIDENCE, f"{who} confidence is below {least:g}.", rules)


def _clarified(found: _Found, seen: Seen, covering: Covering) -> _Found:
    """A question back helps only where theirs was vague, and not a third time; a person looks otherwise."""
    reason, finding = found
    if finding.outcome is not Outcome.CLARIFY:
        return found
    asked = sum(
        bool(turn.reading.signals & int(Signal.ASKS_DETAILS)) or turn.text.rstrip().endswith(("?", "？"))
        for turn in seen.context.conversation.turns
        if not turn.from_customer
    )
    helps = covering.vague and asked < seen.rules.content.clarify.most_asked
    return found if helps else (reason, replace(finding, outcome=Outcome.SUGGEST))


def _found(name: str, reason: Reason, detail: str, rules: GuardRules, rule: str = "") -> _Found:
    return reason, Finding(check=name, detail=detail, outcome=rules.content.outcomes[reason], rule=rule)


def _verdict(found: Sequence[_Found], weighed: Weighed, rules: GuardRules) -> Verdict:
    return Verdict(
        outcome=strictest([finding.outcome for _, finding in found]),
        findings=tuple(finding for _, finding in found),
        drafter_confidence=weighed.drafter,
        our_confidence=weighed.ours,
        coverage=weighed.coverage,
        rules=rules.version,
        reasons=tuple(dict.fromkeys(reason.value for reason, _ in found)),
    )
