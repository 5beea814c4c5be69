"""Personal data that the scanner finds where it was labelled, in telephone numbers of every region, and in real tweets.

    python -m benchmarks.q_personal_data --data FOLDER [--list] [--json]

FOLDER holds `pii_presidio/generated_large.json` and `twcs/twcs_merged.csv`; what it lacks is left out and said.

A label counts as found when one find covers it from the first character to the last. Numbers with check digits are counted
twice: all labels, and those whose digits hold, because a made-up number that fails them is no card. Not attempted, and
shown for that reason only: names merely mentioned, places, organisations, titles, dates that are no birthdays.

`--list` prints every find in the tweets, for a person to judge by one rule: a find is a false alarm when what it covers is
not what it says (an order number called PHONE). Whose it is does not matter: a company's hotline is a telephone number.
"""

import argparse
import csv
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import phonenumbers
from stdnum import iban, luhn
from stdnum.us import ssn

from benchmarks import measure
from harken.privacy.scanner import DOCUMENT_REGIONS, PersonalData, scan

STRUCTURED = {
    "EMAIL_ADDRESS": "EMAIL",
    "CREDIT_CARD": "CARD",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "US_SSN": "SSN",
    "PHONE_NUMBER": "PHONE",
}
OTHERS = {"PERSON": "NAME", "ADDRESS": "ADDRESS"}
CHECKS = {"CREDIT_CARD": luhn.is_valid, "IBAN_CODE": iban.is_valid, "US_SSN": ssn.is_valid}
FRAMES = ("{}", "Hours: {} (8-16).", "Berlin | {} | open", "Call us on {} if needed.")
"""Beside nothing, hours, cells, and a word that says what it is."""


def labelled(path: Path) -> dict[str, Any]:
    """Recall by the labels' own types; `.98 (.97 of its kind, 44)`: covered, covered as that kind, labels."""
    labels, covered, as_kind, holding, held = (
        Counter[str](),
        Counter[str](),
        Counter[str](),
        Counter[str](),
        Counter[str](),
    )
    for example in json.loads(path.read_text("utf-8")):
        found = scan(example["full_text"], regions=DOCUMENT_REGIONS)
        for label in example["spans"]:
            kind = label["entity_type"]
            over = [find for find in found if covers(find, label["start_position"], label["end_position"])]
            valid = kind in CHECKS and CHECKS[kind](label["entity_value"])
            labels[kind] += 1
            covered[kind] += bool(over)
            as_kind[kind] += any(find.kind == {**STRUCTURED, **OTHERS}.get(kind) for find in over)
            holding[kind] += valid
            held[kind] += valid and bool(over)
    shown = {}
    for kind in [*STRUCTURED, *OTHERS, *sorted(labels.keys() - STRUCTURED.keys() - OTHERS.keys())]:
        said = f"{covered[kind] / labels[kind]:.3f} of {labels[kind]}, {as_kind[kind] / labels[kind]:.3f} as that kind"
        if kind in CHECKS:
            said += f"; {held[kind]} of {holding[kind]} whose check digits hold"
        shown["labelled, " + ("" if kind in STRUCTURED else "not attempted in general, ") + kind] = said
    return shown


def covers(find: PersonalData, start: int, end: int) -> bool:
    return find.start <= start and find.end >= end


def phones() -> dict[str, Any]:
    """The example number of every region's mobile and fixed lines, as people write it, in several surroundings."""
    asked, found = Counter[str](), Counter[str]()
    for shape, written in numbers():
        for frame in FRAMES:
            text = frame.format(written)
            start = text.index(written)
            asked[shape] += 1
            found[shape] += any(
                covers(find, start, start + len(written)) for find in scan(text, regions=DOCUMENT_REGIONS)
            )
    shown = {f"telephone numbers, {shape}": f"{found[shape] / asked[shape]:.3f} of {asked[shape]}" for shape in asked}
    return {**shown, "telephone numbers, all": f"{found.total() / asked.total():.3f} of {asked.total()}"}


def numbers() -> Iterator[tuple[str, str]]:
    forms = phonenumbers.PhoneNumberFormat
    for region in DOCUMENT_REGIONS:
        for line in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
            number = phonenumbers.example_number_for_type(region, line)
            if number is None:
                continue
            national = phonenumbers.format_number(number, forms.NATIONAL)
            international = phonenumbers.format_number(number, forms.INTERNATIONAL)
            yield "+49 30 …", international
            yield "+4930…", phonenumbers.format_number(number, forms.E164)
            yield "0049 30 …", "00" + international[1:]
            yield "national", national
            yield "national with points", national.replace(" ", ".")
            yield "national with dashes", national.replace(" ", "-")
            yield "national with a slash", national.replace(" ", "/", 1)
            yield "national, digits alone", "".join(filter(str.isdigit, national))


def tweets(path: Path, *, listed: bool) -> dict[str, Any]:
    with path.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    started = time.process_time()
    found = [(text, find) for text in texts for find in scan(text, handles=False, regions=DOCUMENT_REGIONS)]
    seconds = time.process_time() - started
    for text, find in found if listed else ():
        print(f"{find.kind:14}{text[max(find.start - 40, 0) : find.start]!r} >{find.value!r}<")
    kinds = Counter(str(find.kind) for _, find in found)
    return {
        "tweets": len(texts),
        "tweets, µs each": round(seconds / len(texts) * 1e6, 1),
        "tweets, finds": f"{len(found)}: " + ", ".join(f"{number} {kind}" for kind, number in kinds.most_common()),
        "tweets, finds in 1,000": round(len(found) / len(texts) * 1000, 2),
    }


def figures(folder: Path, *, listed: bool) -> dict[str, Any]:
    shown = phones()
    labels, said = folder / "pii_presidio" / "generated_large.json", folder / "twcs" / "twcs_merged.csv"
    shown |= labelled(labels) if labels.is_file() else {"labelled": f"left out: there is no {labels.name}"}
    shown |= tweets(said, listed=listed) if said.is_file() else {"tweets": f"left out: there is no {said.name}"}
    return shown


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, required=True, help="the folder of real data")
    asked.add_argument("--list", action="store_true", help="every find in the tweets, to be judged")
    asked.add_argument("--json", action="store_true", help="one JSON object instead of text")
    given = asked.parse_args()
    measure.show("q_personal_data", figures(given.data, listed=given.list), as_json=given.json)


if __name__ == "__main__":
    main()
