"""A text -> its quantities: a number with what it counts, in one spelling for nine languages."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_UNITS = {
    "%": "% percent prozent pourcent porcento por\u00a0ciento procent procento yüzde",
    "usd": "$ usd dollar dollars us$",
    "eur": "€ eur euro euros",
    "gbp": "£ gbp pound pounds pfund libras",
    "jpy": "¥ jpy yen 円",
    "pence": "p pence cents cent ct",
    "second": "second seconds sec secs sekunde sekunden seconde secondes segundo segundos secondo secondi seconden",
    "minute": "minute minutes min mins minuten minuto minutos minuti minuut minut minuty minuter dakika 分",
    "hour": "hour hours hr hrs h stunde stunden heure heures hora horas ora ore uur uren godzin godziny timmar timer saat 時間",
    "day": "day days tag tage tagen jour jours día días dia dias giorno giorni dag dagen dni dzień dagar gün 日 天",
    "week": "week weeks woche wochen semaine semaines semana semanas settimana settimane weken tydzień tygodnie vecka veckor hafta",
    "month": "month months monat monate monaten mois mes meses mês mese mesi maand maanden miesiąc miesięcy månad månader ay",
    "year": "year years jahr jahre jahren an ans année années año años ano anos anno anni jaar jaren rok lat år yıl 年",
    "time": "time times mal fois veces vezes volte keer razy",
}
_NAMES = {word: name for name, words in _UNITS.items() for word in words.split()}
_BEFORE = r"(?P<before>us\$|[$€£¥]|\b(?:usd|eur|gbp|jpy)\b)?\s?"
_VALUE = r"(?P<value>\d+(?:[.,\u00a0\u202f' ]\d{3}(?!\d))*(?:[.,]\d+)?)"
_AFTER = r"(?:\s?(?P<sign>[%$€£¥円分日天年])|[\s\u00a0-]{1,2}(?:(?:business|working|calendar|banking|full|whole)\s)?(?P<after>[^\W\d_]{1,12}))?"
_QUANTITY = re.compile(_BEFORE + _VALUE + _AFTER, re.IGNORECASE)
_GROUPED = re.compile(r"[\u00a0\u202f' ]|[.,](?=\d{3}(?!\d))")
_ZEROS = re.compile(r"[.,]0+$")
_WRITTEN = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
    "fifteen": 15, "twenty": 20, "thirty": 30, "sixty": 60, "ninety": 90, "hundred": 100,
    "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10, "vierzehn": 14,
    "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "due": 2, "tre": 3,
}  # fmt: skip
_WORD_NUMBER = re.compile(rf"\b({'|'.join(_WRITTEN)})\b(?=[\s-]+[^\W\d_])", re.IGNORECASE)


class Quantity(NamedTuple):
    value: str  #: digits and a decimal point, no grouping, no zeros behind it
    unit: str  #: of our own names; empty where none stands beside it


def quantities(text: str) -> Iterator[Quantity]:
    digits = _WORD_NUMBER.sub(lambda match: str(_WRITTEN[match[1].lower()]), text)
    for match in _QUANTITY.finditer(digits):
        beside = match["before"] or match["sign"] or match["after"] or ""
        yield Quantity(_plain(match["value"]), _NAMES.get(beside.lower(), ""))


def _plain(value: str) -> str:
    return _ZEROS.sub("", _GROUPED.sub("", value)).replace(",", ".").lstrip("0") or "0"
