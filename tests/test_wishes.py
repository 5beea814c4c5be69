"""What customers ask to be done becomes a proposal; what they only ask about does not."""

import pytest

from harken.act.wishes import proposals
from harken.domain.proposal import Proposal

ALL = frozenset({"refund", "account_closure", "account_update"})


def refund(minor: int, currency: str = "EUR") -> dict[str, object]:
    return {"amount_minor": minor, "currency": currency}


@pytest.mark.parametrize(
    ("text", "action", "arguments"),
    [
        ("I was charged twice at Halyard Coffee, 24.50 euros. Please refund one of the two payments.", "refund", refund(2450)),
        ("Please refund me £1,234.50!", "refund", refund(123450, "GBP")),
        ("I want my money back: $12", "refund", refund(1200, "USD")),
        ("Ich möchte die 1.200,00 € zurückerstattet bekommen", "refund", refund(120000)),
        ("Remboursez-moi les 30 euros", "refund", refund(3000)),
        ("Quiero que me devuelvan 45,90 €", "refund", refund(4590)),
        ("Voglio il rimborso di 10 euro", "refund", refund(1000)),
        ("Quero o reembolso de 15 euros", "refund", refund(1500)),
        ("Ik wil graag mijn geld terug, 20 euro", "refund", refund(2000)),
        ("Proszę o zwrot 50 EUR", "refund", refund(5000)),
        ("Jag vill ha återbetalning på 12 EUR", "refund", refund(1200)),
        ("12 EUR para iadesi istiyorum", "refund", refund(1200)),
        ("12 EURの返金をお願いします", "refund", refund(1200)),
        ("请给我退款 12 EUR", "refund", refund(1200)),
        ("Please close my current account and move the rest.", "account_closure", {}),
        ("Hiermit kündige ich mein Konto.", "account_closure", {}),
        ("Je souhaite clôturer mon compte", "account_closure", {}),
        ("I moved. Please change my address to 12 Mill Lane.", "account_update", {"field": "address", "value": "12 Mill Lane"}),
        ("Bitte ändern Sie meine Adresse auf Mühlweg 12", "account_update", {"field": "address", "value": "Mühlweg 12"}),
    ],
)  # fmt: skip
def test_a_wish_is_proposed_as_it_was_said(text: str, action: str, arguments: dict[str, object]) -> None:
    [made] = proposals(text, ALL)
    assert (made.action, dict(made.arguments)) == (action, arguments)


@pytest.mark.parametrize(
    "text",
    [
        "How long does a refund of 20 euros take?",
        "When will you refund the 20 euros?",
        "Where is my refund of 24.50 euros?",
        "Do you refund fees of 8 euros?",
        "What happens to standing orders when an account is closed?",
        "Wie kündige ich mein Konto?",
        "Please refund me",
        "Please refund me 20 euros or 30 euros",
        "Please change my address",
        "How do I change my address to 12 Mill Lane?",
        "I paid 20 euros with my card.",
        "",
    ],
)
def test_a_question_or_half_a_wish_proposes_nothing(text: str) -> None:
    assert proposals(text, ALL) == ()


def test_only_what_the_catalogue_has_is_proposed() -> None:
    assert proposals("Please close my account.", frozenset({"refund"})) == ()
    assert proposals("Please close my account and refund me 5 euros.", ALL) == (
        Proposal(
            action="refund", arguments={"amount_minor": 500, "currency": "EUR"}, because="The customer asks for it."
        ),
        Proposal(action="account_closure", because="The customer asks for it."),
    )
