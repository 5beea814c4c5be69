"""What is put aside before anything is made of it, and what only sounds like it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.privacy.scanner import DOCUMENT_REGIONS, scan
from harken.privacy.secrecy import reasons

CUSTOMERS = "id,name,email,phone\n" + "\n".join(
    f"{number},Person {number},person{number}@mail.example.org,+49 30 90182{number}" for number in range(8)
)
KEY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"
AWS = "AKIA" + "QWERTYUIOP123456"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlc2lnbmF0dXJl"


def why(text: str) -> tuple[str, ...]:
    return reasons(text, scan(text, regions=DOCUMENT_REGIONS))


@pytest.mark.parametrize(
    "text",
    [
        "STRICTLY CONFIDENTIAL\n\nFees of next year",
        "# Plan\n\n*Top Secret*\n\nWe merge.",
        "Acme Bank · TOP SECRET · Draft 3\nWe merge.",
        "Streng vertraulich\nDer Plan",
        "Strictement confidentiel\nLe plan",
        "Estrictamente confidencial\nEl plan",
        "Strettamente riservato\nIl piano",
        "Estritamente confidencial\nO plano",
        "Strikt vertrouwelijk\nHet plan",
        "Ściśle tajne\nPlan",
        "Plan\n" * 9 + "Classification: Strictly confidential\n" + "more\n" * 9,
        "Plan\n" * 9 + "| Einstufung | streng geheim |\n",
        "We merge.\n" * 30 + "— STRICTLY CONFIDENTIAL —\n",
        "(SECRET)\nWe merge.",
    ],
)
def test_what_is_marked_secret(text: str) -> None:
    assert why(text) == ("It is marked as secret.",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"How to\n-----BEGIN RSA PRIVATE KEY-----\n{KEY}\n", "It holds a private key."),
        (f"-----BEGIN PRIVATE KEY-----\n{KEY}", "It holds a private key."),
        (f"key id {AWS} in eu-west-1", "It holds a key to a cloud."),
        (f"aws_secret_access_key = {'aB3/' * 10}", "It holds a key to a cloud."),
        ("curl -H 'Authorization: Bearer a1b2c3d4e5f6a7b8c9d0e1f2'", "It holds a token that lets its bearer in."),
        (f"token: {JWT}", "It holds a token that lets its bearer in."),
        ("ghp_" + "a1B2" * 9, "It holds a token that lets its bearer in."),
        ("db: postgresql://app:tr0ub4dor@db.bank.internal/core", "It holds a password in a link."),
    ],
)
def test_credentials(text: str, reason: str) -> None:
    assert why(text) == (reason,)


def test_a_list_of_customers_is_mostly_personal_data() -> None:
    [reason] = why(CUSTOMERS)
    assert re.fullmatch(r"It is mostly personal data: 16 pieces make [67]\d% of it\.", reason)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "How do I reach you?\nCall 030 901820 from 8 to 18, or write to help@bank.example.org.",
        "Our branches\n" + "".join(f"The branch number {n} answers at 030 90182{n} on weekdays from eight to four, and after that the "
                                    "night line of the bank helps with cards that were lost or stolen.\n" for n in range(8)),
        "Top secret tips to save money\nHere they are.",
        "How we handle strictly confidential documents\nLock them away.",
        "The secret of good coffee\nWater.",
        "A letter\nWhat you tell us is strictly confidential.\nYours",
        "Confidential\nFor staff.",
        "Line\n" * 20 + "Top secret\n",
        "Classification: internal\nText",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "AKIAIOSFODNN7EXAMPLE is how one looks",
        "Authorization: Bearer YOUR_ACCESS_TOKEN_GOES_HERE",
        "the bearer of this card is insured in asiapacificoperations",
        "postgresql://me:secret@db.bank.internal/name and https://user:<password>@host/ and ftp://a:b3c@ftp.example.com",
    ],
)  # fmt: skip
def test_only_sounds_like_it(text: str) -> None:
    assert why(text) == ()


def test_each_reason_is_said_once_and_none_quotes_the_text() -> None:
    text = f"TOP SECRET\n{CUSTOMERS}\n{AWS}\n{AWS}\npostgresql://app:tr0ub4dor@db.bank.internal/core"
    found = why(text)
    assert len(found) == len(set(found)) == 4
    assert not any(secret in " ".join(found) for secret in (AWS, "tr0ub4dor", "person1", "90182"))


@given(st.text())
def test_any_text_can_be_asked(text: str) -> None:
    assert all(reason.startswith("It ") for reason in why(text))
