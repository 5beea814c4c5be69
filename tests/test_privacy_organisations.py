"""What a company prints on its own pages stays readable; what is somebody's does not."""

import pytest

from harken.privacy.organisations import of_people
from harken.privacy.scanner import DOCUMENT_REGIONS, scan


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Call us on 1-800-275-2273, day and night.", []),
        ("Call us on +1 888 280 4331.", []),
        ("Freephone +44 800 800 151", []),
        ("Rufen Sie an: +49 800 3301000", []),
        ("Write to support@northbank.example or Complaints@northbank.example.", []),
        ("Her mobile is +44 7400 123456.", ["+44 7400 123456"]),
        ("Call me on (212) 555-0187 please", ["(212) 555-0187"]),
        ("Ask ada.lovelace@northbank.example", ["ada.lovelace@northbank.example"]),
        ("Ask supportive.sam@northbank.example", ["supportive.sam@northbank.example"]),
    ],
)
def test_hotlines_and_mailboxes_are_nobodys(text: str, hidden: list[str]) -> None:
    found = of_people(scan(text, regions=DOCUMENT_REGIONS), DOCUMENT_REGIONS)
    assert [each.value for each in found] == hidden
