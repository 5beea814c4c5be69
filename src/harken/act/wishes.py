"""What a customer asks to be done -> proposals, by rules of words: no model is needed, and none decides.

A proposal of these passes the same catalogue, limits and approvals as a model's. An amount or a value that the customer names
goes to the person who approves; nothing is done on the customer's word alone.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources

from harken.domain.money import minor_units
from harken.domain.profile import Value
from harken.domain.proposal import Proposal

MOST_CHARACTERS = 4_000
FIELDS = ("address", "phone", "email", "name")
BECAUSE = "The customer asks for it."

_SENTENCE = re.compile(r"[^.!?。！？\n]+(?:\.\d[^.!?。！？\n]*)*[.!?。！？]*")
_SIGNS = {"€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "gbp": "GBP", "pounds": "GBP", "$": "USD", "usd": "USD", "dollars": "USD"}  # fmt: skip
_SIGN = r"(?P<{name}>€|£|\$|(?<![a-z])(?:euros?|eur|gbp|pounds|usd|dollars)(?![a-z]))"
_NUMBER = r"(?P<{name}>\d{{1,3}}(?:[.,  ]\d{{3}})+(?:[.,]\d{{2}})?|\d+(?:[.,]\d{{1,2}})?)(?![\d.,]*\d)"
_MONEY = re.compile(
    f"{_SIGN.format(name='before')}\\s?{_NUMBER.format(name='first')}|{_NUMBER.format(name='second')}\\s?{_SIGN.format(name='after')}",
    re.IGNORECASE,
)


def proposals(text: str, names: frozenset[str]) -> tuple[Proposal, ...]:
    """At most one of each action; `names`: the actions that the catalogue has."""
    said = [match.group().strip() for match in _SENTENCE.finditer(text[-MOST_CHARACTERS:])]
    wanted = [sentence for sentence in said if not any(ask.search(sentence) for ask in _patterns()["asks"])]
    found = {
        action: match
        for action in ("refund", "account_closure", "account_update")
        if action in names and (match := _first(action, wanted))
    }
    made = (_MAKERS[action](match, text) for action, match in found.items())
    return tuple(proposal for proposal in made if proposal)


def _first(action: str, sentences: Sequence[str]) -> re.Match[str] | None:
    return next(
        (match for sentence in sentences for pattern in _patterns()[action] if (match := pattern.search(sentence))),
        None,
    )


def _refund(match: re.Match[str], text: str) -> Proposal | None:
    """Without an amount that they name there is nothing that a person could approve."""
    amounts = set(_amounts(text))
    if len(amounts) != 1:
        return None
    [(minor, currency)] = amounts
    return Proposal(action="refund", arguments={"amount_minor": minor, "currency": currency}, because=BECAUSE)


def _closure(match: re.Match[str], text: str) -> Proposal:
    return Proposal(action="account_closure", because=BECAUSE)


def _update(match: re.Match[str], text: str) -> Proposal | None:
    """Only where they say what it is to be: otherwise it is asked for."""
    groups = match.groupdict()
    field = next((name for name in FIELDS if groups.get(name)), None)
    value = (groups.get("value") or "").strip()
    if field is None or not value:
        return None
    arguments: Mapping[str, Value] = {"field": field, "value": value}
    return Proposal(action="account_update", arguments=arguments, because=BECAUSE)


_MAKERS = {"refund": _refund, "account_closure": _closure, "account_update": _update}


def _amounts(text: str) -> Iterator[tuple[int, str]]:
    for match in _MONEY.finditer(text):
        sign = (match["before"] or match["after"]).lower()
        try:
            yield minor_units(_plain(match["first"] or match["second"]), _SIGNS[sign]), _SIGNS[sign]
        except (ValueError, OverflowError):
            continue


def _plain(number: str) -> str:
    """`1.234,50` and `1,234.50` -> `1234.50`; a comma or a point before one or two last digits is the decimal one."""
    whole, point, cents = number, "", ""
    if found := re.search(r"[.,](\d{1,2})$", number):
        whole, point, cents = number[: found.start()], ".", found[1]
    return re.sub(r"[.,  ]", "", whole) + point + cents


@cache
def _patterns() -> Mapping[str, tuple[re.Pattern[str], ...]]:
    tables = tomllib.loads(resources.files(__package__).joinpath("wishes.toml").read_text("utf-8"))
    return {
        name: tuple(re.compile(pattern, re.IGNORECASE) for patterns in table.values() for pattern in patterns)
        for name, table in tables.items()
    }
