"""What is personal data and, as important, what only looks like it."""

import phonenumbers
import pytest
from examples import tries
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.privacy.scanner import DOCUMENT_REGIONS, Known, PersonalData, PersonalKind, scan

K = PersonalKind


def found(text: str) -> list[tuple[str, str]]:
    return [(str(find.kind), find.value) for find in scan(text)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("write to jo.o'neil+bank@mail.example.co.uk, please", K.EMAIL, "jo.o'neil+bank@mail.example.co.uk"),
        ("it is 'ada@example.org'.", K.EMAIL, "ada@example.org"),
        ("my card is 4111 1111 1111 1111 12/25 123", K.CARD, "4111 1111 1111 1111"),
        ("paid order 77 with 5555-5555-5555-4444.", K.CARD, "5555-5555-5555-4444"),
        ("amex 378282246310005", K.CARD, "378282246310005"),
        ("2 4111.1111.1111.1111", K.CARD, "4111.1111.1111.1111"),
        ("send it to DE89 3704 0044 0532 0130 00 please", K.IBAN, "DE89 3704 0044 0532 0130 00"),
        ("iban:gb82west12345698765432 ok", K.IBAN, "gb82west12345698765432"),
        ("my address is 203.0.113.7 now", K.IP, "203.0.113.7"),
        ("from 2001:db8:85a3::8a2e:370:7334", K.IP, "2001:db8:85a3::8a2e:370:7334"),
        ("it is 536-90-4399", K.SSN, "536-90-4399"),
        ("my SSN is 078-05-1120", K.SSN, "078-05-1120"),
        ("social security no. 536904399", K.SSN, "536904399"),
        ("call me at 555-123-4567", K.PHONE, "555-123-4567"),
        ("(415) 555-2671 is mine", K.PHONE, "(415) 555-2671"),
        ("ring 415 555 2671 x12", K.PHONE, "415 555 2671 x12"),
        ("you reach us on +49 (0) 30 901820", K.PHONE, "+49 (0) 30 901820"),
        ("07700 900123, any time", K.PHONE, "07700 900123"),
        ("0171 5550123 abends", K.PHONE, "0171 5550123"),
        ("Contact number: 7045686256.", K.PHONE, "7045686256"),
        ("no order? Our customer team: 800-555-4357", K.PHONE, "800-555-4357"),
        ("Jane Roe 415 555  2671 thanks", K.PHONE, "415 555  2671"),
        ("not answering at 785 8949", K.PHONE, "785 8949"),
        ("832 1177 office", K.PHONE, "832 1177"),
        ("+44 7400 123456 (8-16)", K.PHONE, "+44 7400 123456"),
        ("Ada,+4930901820,1980", K.PHONE, "+4930901820"),
        ("12,030 901820,5", K.PHONE, "030 901820"),
        ("(201).555-0123 on weekdays", K.PHONE, "(201).555-0123"),
        ("My name is Jane Doe and I wait", K.NAME, "Jane Doe"),
        ("my name's ludwig van dam.", K.NAME, "ludwig van dam"),
        ("my name is jane doe.", K.NAME, "jane doe"),
        ("Hi, I'm Jane Doe, and it broke", K.NAME, "Jane Doe"),
        ("This is Jane calling again", K.NAME, "Jane"),
        ("Name: Ludwig van Beethoven", K.NAME, "Ludwig van Beethoven"),
        ("Kind regards,\nJane", K.NAME, "Jane"),
        ("Thanks!\n- Jane Doe", K.NAME, "Jane Doe"),
        ("Mit freundlichen Grüßen\nJürgen Öz", K.NAME, "Jürgen Öz"),
        ("my account number is 12345678", K.ACCOUNT, "12345678"),
        ("Account #: AB-12345", K.ACCOUNT, "AB-12345"),
        ("Kundennummer 4711-0815-99", K.ACCOUNT, "4711-0815-99"),
        ("I live at 12 Baker Street, London NW1 6XE", K.ADDRESS, "12 Baker Street, London NW1 6XE"),
        ("it went to 99 elm road instead", K.ADDRESS, "99 elm road"),
        ("221 W 4th Ave Apt 5, Springfield, IL 62704", K.ADDRESS, "221 W 4th Ave Apt 5, Springfield, IL 62704"),
        ("Hauptstraße 5, 10115 Berlin", K.ADDRESS, "Hauptstraße 5, 10115 Berlin"),
        ("I was born on 12 March 1980", K.DATE_OF_BIRTH, "12 March 1980"),
        ("DOB: 03/12/1980", K.DATE_OF_BIRTH, "03/12/1980"),
        ("geboren am 3.12.1980", K.DATE_OF_BIRTH, "3.12.1980"),
        ("see https://x.example/reset?token=abcdef123 there", K.URL_SECRET, "https://x.example/reset?token=abcdef123"),
        ("postgresql://ada:pw@db.example/harken", K.URL_SECRET, "postgresql://ada:pw@db.example/harken"),
        ("thanks @115712", K.HANDLE, "@115712"),
        (".@someone look", K.HANDLE, "@someone"),
    ],
)
def test_found(text: str, kind: PersonalKind, value: str) -> None:
    assert found(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "Order 114-1234567-1234567 has not come",
        "order 4155552671, order no. 4155552671 and order number 415-555-2671",
        "tracking 1Z999AA10123456784 or 9400111899223817576152",
        "paid $1,299.00 and 15.38/10.68 at 10:30-11:30 on 2017-10-31",
        "call between 10.30 - 11.30 or on 12/11/2017 (after 5)",
        "2017-10-31T22:10:47.123456Z, 2017-10-31 22:10:47, 2016-2017",
        "iOS 11.0.3, version 8.4.22.515, version number is 5.2.4.0, Chrome 62.0.3202.75, build 10.0.15063.1",
        "iPhone 8, WH-1000XM3, model 55-1234-5678",
        "card 4111111111111112 and 4111111111111111123456",
        "12:30:45 then 00:15 and ::",
        "999.10.10.10",
        "000-12-3456 is nobody's",
        "DE89 3704 0044 0532 0130 01 fails its check",
        "customer for 5 years, member since 2009, my acct 2017",
        "45 minutes on the road, 2 way street, Spring 2017, a 5 star way",
        "I'm So Done, I'm Diamond Medallion, and I'm Very Angry, bye",
        "My name is not important. My name is on the bill",
        "Thanks, American Airlines",
        "thanks and regards",
        "it works since 12 March 1980",
        "time 0700-0925, 600 000 000 calls, 12 345 000 users",
        "the i.d. number is 1264569863",
        "DPCI 030-02-8711 and SKU: 536-90-4399",
        "Spotify 5.2.4.0 calls 127.0.0.1 and 0.8.5.1",
        "I'm OVER THIS. I'm Sad Now, I'm Pixel XL",
        "https://x.example/?q=abc&code=1",
        "sha 3f4155552671ab",
        "twitter:4155552671",
        "+999 999 999 is no country",
        "0000000000",
        "",
    ],
)
def test_only_looks_like_it(text: str) -> None:
    assert found(text) == []


def test_handles_of_organisations_are_not_personal() -> None:
    text = "@BankHelp and @115712"
    assert [find.value for find in scan(text, public=frozenset({"bankhelp"}))] == ["@115712"]
    assert scan(text, handles=False) == []


def test_an_address_is_not_a_handle() -> None:
    assert found("ada@example.org") == [("EMAIL", "ada@example.org")]


def test_the_region_says_how_a_number_is_read() -> None:
    assert [find.value for find in scan("91 555 01 23 and 070 123 45 67", regions=("SE",))] == ["070 123 45 67"]
    assert scan("070 123 45 67", regions=("US",)) == []
    assert scan("070 123 45 67", regions=("ZZ",)) == []


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("+49 30 901820 +49 30 901821", ["+49 30 901820", "+49 30 901821"]),
        ("0171 5550123 0171 5550124", ["0171 5550123", "0171 5550124"]),
        ("030 901820 / 030 901821", ["030 901820", "030 901821"]),
        ("Horario: 612 34 56 78 (8-16), 612345678", ["612 34 56 78"]),
        ("512 345 678 | 21 234 5678 | 078.123.45.67", ["512 345 678", "21 234 5678", "078.123.45.67"]),
        ("612 34 56 7, 6 123 456 78, €612 34 56 78", []),
    ],
)
def test_numbers_of_a_document(text: str, numbers: list[str]) -> None:
    """From any country, side by side, with hours behind them; grouped otherwise they may be anything."""
    assert [find.value for find in scan(text, regions=DOCUMENT_REGIONS)] == numbers


@settings(max_examples=tries(300))
@given(st.from_regex(r"[1-9]\d{9,10}", fullmatch=True), st.sampled_from(DOCUMENT_REGIONS))
def test_what_a_numbering_plan_calls_valid_is_found(digits: str, region: str) -> None:
    valid = phonenumbers.is_valid_number(phonenumbers.parse(digits, region))
    assert not valid or [find.value for find in scan(digits, regions=(region,))] == [digits]


def test_digits_and_dashes_of_other_scripts() -> None:
    assert found("call me ٠٧٧٠٠ ٩٠٠١٢٣") == [("PHONE", "٠٧٧٠٠ ٩٠٠١٢٣")]
    assert found("call 555‑123‑4567") == [("PHONE", "555‑123‑4567")]
    assert found("４１１１\u00a01111 1111 1111") == [("CARD", "４１１１\u00a01111 1111 1111")]


def test_values_of_the_profile() -> None:
    known = (
        Known("Jane Doe", K.NAME),
        Known("Jane", K.NAME),
        Known("+1 415 555 2671", K.PHONE),
        Known("AB (77)", K.ACCOUNT),
        Known("J", K.NAME),
    )
    text = "JANE  doe? Janet, jane's order: 1-415-555.2671, ab (77), J"
    assert [(find.kind, find.value) for find in scan(text, known=known)] == [
        (K.NAME, "JANE  doe"),
        (K.NAME, "jane"),
        (K.PHONE, "1-415-555.2671"),
        (K.ACCOUNT, "ab (77)"),
    ]


def test_overlapping_finds_are_hidden_from_end_to_end() -> None:
    known = (Known("ada", K.NAME), Known("mail ada", K.NAME))
    assert scan("mail ada@example.org", known=known) == [PersonalData(0, 20, K.EMAIL, "mail ada@example.org")]


alphabet = st.sampled_from(
    [*"0123456789 @.-+/:()\n#=&?", "my name is ", "Jane", "call ", "http://", "4111", "born ", "٣", "–"]
)


@settings(max_examples=tries(300))
@given(st.lists(alphabet, max_size=40).map("".join))
def test_finds_are_sorted_apart_and_say_what_stands_there(text: str) -> None:
    past = 0
    for find in scan(text):
        assert past <= find.start < find.end
        assert text[find.start : find.end] == find.value
        past = find.end
