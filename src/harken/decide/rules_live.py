"""Case -> who must be answered by a person: the rules at the top of the table while somebody waits for a live answer.

They stand before the rules that choose among answers, and hand over with a reason code: the rule's own name.
"""

from collections.abc import Callable, Sequence

from harken.decide.case import NOBODY_WAITS, Case
from harken.decide.stages import Rule, only
from harken.domain.decision import Action, Stage


def _to_a_person(name: str, when: Callable[[Case], bool], because: str, *cites: str) -> Rule:
    return Rule(
        name=name,
        stage=Stage.ELIGIBILITY,
        drops=only(Action.HAND_TO_PERSON),
        prefers=Action.HAND_TO_PERSON,
        when=lambda c: c.live is not NOBODY_WAITS and c.talk.waiting and not c.said.thanked and when(c),
        because=because,
        cites=cites,
    )


ESCALATIONS: Sequence[Rule] = (
    _to_a_person(
        "restricted-topic-goes-to-a-person",
        lambda c: c.live.restricted != "",
        "The topic is one that policy keeps from every model.",
        "restricted",
    ),
    _to_a_person("minor-goes-to-a-person", lambda c: c.live.minor, "The customer seems to be a minor."),
    _to_a_person(
        "vulnerable-goes-to-a-person",
        lambda c: c.live.vulnerable,
        "The customer is vulnerable, or says something that only a vulnerable customer says.",
    ),
    _to_a_person(
        "legal-matter-goes-to-a-person",
        lambda c: c.live.regulatory_p >= c.limits.escalate_regulatory,
        "The message is a legal or regulatory matter.",
        "regulatory_p",
    ),
    _to_a_person(
        "wants-a-person",
        lambda c: c.live.wants_person_p >= c.limits.escalate_wants_person,
        "The customer asks for a person.",
        "wants_person_p",
    ),
    _to_a_person(
        "very-unhappy-goes-to-a-person",
        lambda c: c.said.sentiment is not None and c.said.sentiment <= c.limits.escalate_sentiment,
        "The customer is very unhappy.",
    ),
    _to_a_person(
        "long-ticket-goes-to-a-person",
        lambda c: c.live.ticket_turns > c.limits.escalate_turns,
        "The customer has written many times and is not helped.",
        "ticket_turns",
    ),
    _to_a_person(
        "unverified-goes-to-a-person",
        lambda c: not c.live.verified and c.live.category in c.limits.verify_categories,
        "It concerns an account, and nobody has proved whose it is.",
        "category",
    ),
    _to_a_person(
        "budget-spent-goes-to-a-person",
        lambda c: not c.live.budget_left,
        "The budget for language models is spent.",
    ),
    _to_a_person(
        "model-down-goes-to-a-person",
        lambda c: not c.live.model_up,
        "No language model answers at the moment.",
    ),
)
