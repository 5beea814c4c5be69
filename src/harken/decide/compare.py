"""Decisions of two policies over the same contexts -> what would change, counted, with examples."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from harken.decide.decide import decide
from harken.decide.policy import Policy
from harken.domain.decision import Context, Decision

EXAMPLES = 20
ASPECTS = ("action", "channel", "send_at", "issue_status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One decision that would change."""

    conversation: str
    changed: tuple[str, ...]  #: which of the four aspects
    action_before: str
    action_after: str
    rule_before: str
    rule_after: str
    because_after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    decisions: int
    changed: int
    by_aspect: Mapping[str, int]  #: action, channel, send_at, issue_status -> decisions in which it differs
    by_action: Mapping[str, int]  #: `answer -> wait` -> decisions
    by_rule: Mapping[str, int]  #: `rule before -> rule after` -> decisions
    examples: tuple[Example, ...]  #: at most 20


def both(contexts: Iterable[Context], before: Policy, after: Policy) -> Iterator[tuple[Decision, Decision]]:
    for context in contexts:
        yield decide(context, before), decide(context, after)


def changes(pairs: Iterable[tuple[Decision, Decision]]) -> Changes:
    """Each pair: the decision before and after, on the same context."""
    decisions, changed = 0, 0
    by_aspect: Counter[str] = Counter(dict.fromkeys(ASPECTS, 0))
    by_action: Counter[str] = Counter()
    by_rule: Counter[str] = Counter()
    examples: list[Example] = []
    for before, after in pairs:
        decisions += 1
        differing = tuple(aspect for aspect in ASPECTS if getattr(before, aspect) != getattr(after, aspect))
        if not differing:
            continue
        changed += 1
        by_aspect.update(differing)
        by_rule[f"{before.rule} -> {after.rule}"] += 1
        if "action" in differing:
            by_action[f"{before.action} -> {after.action}"] += 1
        if len(examples) < EXAMPLES:
            examples.append(_example(before, after, differing))
    return Changes(
        decisions=decisions,
        changed=changed,
        by_aspect=dict(by_aspect),
        by_action=dict(by_action.most_common()),
        by_rule=dict(by_rule.most_common()),
        examples=tuple(examples),
    )


def _example(before: Decision, after: Decision, differing: tuple[str, ...]) -> Example:
    return Example(
        conversation=after.conversation,
        changed=differing,
        action_before=before.action,
        action_after=after.action,
        rule_before=before.rule,
        rule_after=after.rule,
        because_after=after.because,
    )
