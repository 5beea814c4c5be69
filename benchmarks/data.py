"""A seed and a number of customers -> a twcs-shaped CSV of short threads in our own words.

Usage: python -m benchmarks.data OUT.csv [--customers N] [--seed S]
"""

import argparse
import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random

HEADER = ("tweet_id", "author_id", "inbound", "created_at", "text", "response_tweet_id", "in_response_to_tweet_id")
FORMAT = "%a %b %d %H:%M:%S +0000 %Y"
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
SPAN_S = 60 * 86_400
FIRST_CUSTOMER = 100_001

BRANDS = ("NorthbankHelp", "FernMobile", "ParcelLark", "TidewaterAir", "OakEnergy")
COMPLAINTS = (
    "my {thing} has not worked since {when}, can somebody look into it?",
    "I was charged twice for my {thing}. Please refund one of them.",
    "still waiting for an answer about my {thing} from {when}",
    "how do I change the address on my {thing}?",
    "URGENT my {thing} is blocked and I am abroad",
    "this is the third time my {thing} fails. Really disappointed.",
    "your app shows an error when I open my {thing} :(",
    "quick question about the {thing}: is it available at weekends?",
    "the {thing} I ordered {when} arrived broken, what now?",
)
ANSWERS = (
    "@{customer} We are sorry to read that. Could you send us a DM with your postcode?",
    "@{customer} Thank you for telling us. Please restart the {thing} and try again: https://help.example/{n}",
    "@{customer} We have found the mistake and put it right. Let us know if anything else comes up.",
    "@{customer} Which {thing} is it about? We will look straight away.",
)
REPLIES = (
    "@{brand} thanks, that works now!",
    "@{brand} I did that {when} and it still does not work",
    "@{brand} sent you a DM just now",
    "@{brand} it is the blue one, bought {when}",
    "@{brand} nobody helps me here. I want to speak to a person.",
    "@{brand} great, thank you for the quick help",
)
THINGS = ("card", "contract", "parcel", "router", "seat booking", "meter", "statement", "voucher", "phone line")
WHENS = ("yesterday", "Monday", "last week", "this morning", "the weekend", "2 days ago")
TURNS = (1, 2, 2, 2, 2, 3, 3, 4, 4, 6)
"""How long threads are. With these, about a third of the customers have an open issue at the end; a quarter in public data."""


def write_twcs(path: Path, *, customers: int, seed: int = 7) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        out.writerows(conversations(customers, Random(seed)))
    return path


def conversations(customers: int, chance: Random) -> Iterator[tuple[object, ...]]:
    """One thread a customer, two for every fifth."""
    ids = count(1)
    for customer in range(FIRST_CUSTOMER, FIRST_CUSTOMER + customers):
        for _ in range(2 if chance.random() < 0.2 else 1):
            yield from _thread(customer, ids, chance)


def _thread(customer: int, ids: Iterator[int], chance: Random) -> Iterator[tuple[object, ...]]:
    brand, at = chance.choice(BRANDS), BEGIN + timedelta(seconds=chance.randrange(SPAN_S))
    parent: int | str = ""
    for turn in range(chance.choice(TURNS)):
        theirs = turn % 2 == 0
        text = chance.choice((REPLIES if turn else COMPLAINTS) if theirs else ANSWERS)
        words = {"thing": chance.choice(THINGS), "when": chance.choice(WHENS), "n": chance.randrange(1000)}
        said = text.format(brand=brand, customer=customer, **words)
        number = next(ids)
        author = customer if theirs else brand
        opening = f"@{brand} {said}" if turn == 0 else said
        yield number, author, theirs, at.strftime(FORMAT), opening, "", parent
        parent = number
        at += timedelta(seconds=chance.randrange(60, 6 * 3600))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("out", type=Path)
    asked.add_argument("--customers", type=int, default=100_000)
    asked.add_argument("--seed", type=int, default=7)
    given = asked.parse_args()
    print(write_twcs(given.out, customers=given.customers, seed=given.seed))


if __name__ == "__main__":
    main()
