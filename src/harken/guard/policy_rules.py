"""A reply and the organisation's rules -> which of them it breaks: what is forbidden, and what must be said and is not."""

from collections.abc import Iterator

from harken.guard.literals import plain
from harken.guard.quotes import flat
from harken.guard.rules_tables import Forbidden, Required
from harken.guard.seen import UNKNOWN, Seen


def broken(seen: Seen) -> Iterator[Forbidden]:
    """Whole message for what may never be said; the own words for what may be said where a cited passage says it."""
    whole, own = plain(seen.message), seen.spoken
    for rule, expression in seen.rules.forbidden:
        if seen.holds_in(rule.jurisdictions, unknown=True) and expression.search(own if rule.unless_cited else whole):
            yield rule


def missing(seen: Seen) -> Iterator[Required]:
    """Only where the customer's jurisdiction is known: a sentence of another country's law misleads."""
    said = plain(seen.message)
    topic = seen.context.conversation.facts.topic
    for rule, speaks_of in seen.rules.required:
        if not seen.holds_in(rule.jurisdictions, unknown=False) or (rule.topics and topic not in rule.topics):
            continue
        if speaks_of.search(said) and not _told(seen, rule):
            yield rule


def _told(seen: Seen, rule: Required) -> bool:
    language = seen.language if seen.language in rule.text and seen.language != UNKNOWN else next(iter(rule.text), "")
    return flat(rule.text[language]).casefold() in flat(seen.message).casefold() if language else True
