"""An amount as people write it -> whole minor units of its currency: nothing is rounded, and nothing is a float."""

import re
from decimal import Decimal

LARGEST_MINOR = 10**15
"""Amounts beyond it are mistakes, and sums of them would not fit the integers of a store."""

_WITHOUT_DECIMALS = ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV")
_FRANCS = ("XAF", "XOF", "XPF")
_THOUSANDTHS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
_EXPONENTS = {
    **dict.fromkeys((*_WITHOUT_DECIMALS, *_FRANCS), 0),
    **dict.fromkeys(_THOUSANDTHS, 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
_AMOUNT = re.compile(r"-?[0-9]{1,17}(?:\.[0-9]{1,9})?")  # fewer digits than Decimal rounds to


def exponent(currency: str) -> int:
    """How many decimal places a currency has, by ISO 4217: 2 but for those named here."""
    return _EXPONENTS.get(currency.strip().upper(), 2)


def minor_units(amount: str | int | float, currency: str) -> int:
    """`("12.50", "EUR")` -> 1250. A float counts as the shortest decimal that reads as it.

    ValueError for what is no amount and for a part of a minor unit, OverflowError beyond `LARGEST_MINOR`.
    """
    written = amount.strip() if isinstance(amount, str) else repr(amount)
    if not _AMOUNT.fullmatch(written):
        raise ValueError("no amount")
    minor = Decimal(written).scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        raise ValueError("a part of a minor unit")
    return in_range(int(minor))


def in_range(minor: int) -> int:
    if abs(minor) > LARGEST_MINOR:
        raise OverflowError("no amount is as large")
    return minor
