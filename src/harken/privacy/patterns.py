"""Text -> where personal data of one kind stands: an expression finds a candidate, a check digit or context decides.

Every finder takes a text and yields (start, end). None of them backtracks: repeats are possessive or bounded.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import ip_address

from stdnum import iban, luhn
from stdnum.us import ssn

Place = tuple[int, int]

_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-][\w.+%'-]{0,63}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_HANDLE = re.compile(r"@(?<![\w@]@)\w{1,50}")
_URL = re.compile(r"\w[\w+.-]{1,15}://[^\s<>\"]+")
_SECRET = re.compile(
    r"//[^/\s:@]*:[^/\s@]+@"
    r"|[?&#;](?:[\w.-]*(?:token|secret|signature|passw|pwd|api_?key|session|auth|credential)[\w.-]*"
    r"|sig|sid|key|code|otp|jwt)=[^&\s]{6,}",
    re.IGNORECASE,
)

_DIGIT_GROUPS = re.compile(r"(?<![A-Za-z0-9])\d(?:[ .-]?\d){12,}+(?!\d)")
_GROUP = re.compile(r"\d+")
_CARD_NUMBER = re.compile(
    r"4\d{12}(?:\d{3}){0,2}"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}"  # American Express, Diners, JCB
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}|62\d{14,17}|(?:50|5[678]|6\d)\d{14,17}"  # Discover, UnionPay, Maestro
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}[A-Za-z0-9]{0,30}+(?:[ -][A-Za-z0-9]{1,8}+){0,9}")
_SSN = re.compile(r"(?<![\w.-])\d{3}([- ])\d{2}\1\d{4}(?![\w-])")
_NOT_SSN_BEFORE = re.compile(r"\b(?:dpci|sku|upc|item|model|part|order)\W{0,12}$", re.IGNORECASE)
_SSN_SAID = re.compile(r"(?i:\bssn\b|\bsocial security\b)\D{0,25}(\d{3}[- .]?\d{2}[- .]?\d{4})(?!\d)")
_IP4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\w)")
_IP6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_VERSION_BEFORE = re.compile(
    r"(?:\bv|\bver|version|versión|build|firmware|release|app|ios|android|windows|macos)\W*"
    r"(?:(?:number|no|is)\b\W*){0,2}$",
    re.IGNORECASE,
)

_NUMBER_WORD = r"(?:number|num|nr|no|id|code|nummer)\b"
_ACCOUNT = re.compile(
    r"\b(?i:account|acct|a/c|customer|client|policy|member|membership|sort|konto|kunden|vertrags)[ -]?"
    rf"(?:(?i:{_NUMBER_WORD})|[#:=])?[.:#=]?\s{{0,2}}(?:(?i:is|lautet|ist)\b)?[\s:#=]{{0,3}}"
    r"([A-Z]{0,4}-?\d(?:[A-Z0-9]|[- ](?=\d)){4,24})(?![\w.]*\w)"
)
_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez)[a-zä]{0,7}\.?"
_DATE = (
    r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|\.)?\s+(?:of\s+)?{_MONTH},?\s+\d{{2,4}}"
    rf"|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{2,4}}"
)
_BORN = re.compile(
    r"\b(?i:born|d\.?o\.?b\b\.?|date of birth|birth ?date|birthday|geboren|geburtsdatum)"
    rf"(?:\W|\b(?i:is|was|on|am|in|the)\b){{0,6}}({_DATE})"
)

_STREET = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Terrace|Square|Close"
    r"|Crescent|Highway|Hwy|Parkway|Pkwy)\b\.?"
)
_HOUSE = r"(?<![\w.,:/$£€#-])\d{1,5}[A-Za-z]?,?\s+"
_NOT_STREETS = r"(?!(?i:min|hour|hr|day|week|month|year|mile|time|people|car|way|on|of|in|to|the)s?\b)"
_REST = (
    r"(?:,?\s+(?i:apt|apartment|suite|unit|flat|floor)\.?\s*#?\w{1,6})?"
    r"(?:(?:,?\s+[^\W\d_][\w'.-]{1,20}){0,4},?\s+"
    r"(?:[A-Za-z]{1,2}\d[A-Za-z\d]?\s?\d[A-Za-z]{2}|\d{5}(?:-\d{4})?)(?!\w))?"
)
_ADDRESS = re.compile(
    rf"{_HOUSE}(?:[A-Z][\w'.-]{{0,20}}\s+|\d{{1,3}}(?:st|nd|rd|th)\s+){{1,3}}{_STREET}{_REST}"
    rf"|{_HOUSE}{_NOT_STREETS}[^\W\d_]{{3,20}}\s+(?i:street|road|avenue|boulevard|lane)\b{_REST}"
    r"|\b[A-ZÄÖÜ][\w-]{0,30}?(?:straße|strasse|str\.|[Ww]eg|[Pp]latz|[Aa]llee|gasse|ufer)\s?\d{1,3}\s?[a-h]?\b"
    r"(?:,?\s+\d{5}(?:\s[A-ZÄÖÜ][\w-]+)?)?"
)

_CAPITAL = r"[^\W\d_a-zß-öø-ÿ][\w'’-]{0,25}"
_NAMES = rf"{_CAPITAL}(?:[ ](?:(?:van|von|de|der|den|la|el|al|bin)[ ]){{0,2}}{_CAPITAL}){{0,3}}"
_SAID_NAME = re.compile(
    rf"\b(?i:my (?:full |first |last )?name(?: is|['’]s|:)|mein name ist|ich hei(?:ß|ss)e|name\s?[:=])\s+({_NAMES})"
    r"|\b(?i:my name(?: is|['’]s))\s+((?!(?:not|on|in|the|under|spelled|wrong|still|listed|now)\b)"
    r"[a-z'’-]{2,20}(?: [a-z'’-]{2,20}){0,2})(?=\s*(?:[.,!;\n]|$))"
    rf"|\b(?i:i['’]m|i am)\s+({_CAPITAL}(?:[ ]{_CAPITAL}){{1,2}})(?=\s*(?:[,.!;\n]|$|and\b|from\b|with\b))"
    rf"|\b(?i:this is)\s+({_CAPITAL}(?:[ ]{_CAPITAL}){{0,2}})(?=,? (?:calling|speaking|here|writing)\b)"
    rf"|\b(?i:regards|sincerely|yours truly|yours faithfully|gr(?:ü|ue)(?:ß|ss)en?)"
    rf"\s*[,\n–-]\s*({_NAMES})(?=\s*(?:\n|$))"
    rf"|\b(?i:thanks|thank you|cheers|best|lg)[,!.]?[ ]*\n\s*[-–]?\s*({_NAMES})(?=\s*(?:\n|$))"
)
_NOT_NAMES = re.compile(
    r"\b(?:gold|silver|platinum|diamond|elite|executive|premier|medallion|member|customer|airlines?|airways|team"
    r"|support|service|american|british|indian|german|so|not|very|new|your|the|a|an|still|just|on|in|at|getting|trying"
    r"|having|going|using|waiting|sure|sorry|now|over|this|sad|xl)\b",
    re.IGNORECASE,
)
_NAME_HINTS = ("\n", "name", "i'm ", "i’m ", "i am ", "this is", "regards", "sincerely", "yours ", "grü", "grue", "hei")


def emails(text: str) -> Iterator[Place]:
    return (match.span() for match in _EMAIL.finditer(text))


def handles(text: str) -> Iterator[Place]:
    return (match.span() for match in _HANDLE.finditer(text))


def secret_urls(text: str) -> Iterator[Place]:
    """Links that let whoever holds them in: a token in the query, or a password before the host."""
    return (match.span() for match in _URL.finditer(text) if _SECRET.search(match[0]))


def cards(text: str) -> Iterator[Place]:
    """Card numbers: a known issuer, its length, and the Luhn digit; neighbours such as an expiry date are left out."""
    for run in _DIGIT_GROUPS.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, *run.span())]
        past = 0
        for index, (start, _) in enumerate(groups):
            if start < past:
                continue
            ends = [end for _, end in groups[index : index + 19] if _is_card(text[start:end])]
            if ends:
                past = ends[-1]
                yield start, past


def _is_card(written: str) -> bool:
    if not 13 <= len(written) <= 40:
        return False
    digits = "".join(_GROUP.findall(written))
    return _CARD_NUMBER.fullmatch(digits) is not None and luhn.is_valid(digits)


def ibans(text: str) -> Iterator[Place]:
    """Bank account numbers; words that follow one are cut off until its check digits hold."""
    for match in _IBAN.finditer(text):
        written = match[0]
        while len(written) >= 15:
            if iban.is_valid(written):
                yield match.start(), match.start() + len(written)
                break
            written = written[: max(written.rfind(" "), written.rfind("-"), 0)]


def ssns(text: str) -> Iterator[Place]:
    """US social security numbers: a valid one anywhere, any one where the text says what it is."""
    for match in _SSN.finditer(text):
        told = _NOT_SSN_BEFORE.search(text, max(match.start() - 20, 0), match.start())
        if not told and ssn.is_valid(match[0].replace(" ", "-")):
            yield match.span()
    yield from (match.span(1) for match in _SSN_SAID.finditer(text))


def addresses_of_machines(text: str) -> Iterator[Place]:
    """IP addresses, but not `version 10.0.3.1` and not 10:30."""
    for match in _IP4.finditer(text):
        if _is_ip(match[0]) and not _VERSION_BEFORE.search(text, max(match.start() - 20, 0), match.start()):
            yield match.span()
    for match in _IP6.finditer(text):
        if sum(map(bool, match[0].split(":"))) >= 3 and _is_ip(match[0]):
            yield match.span()


def _is_ip(written: str) -> bool:
    """A machine's: not a network's such as 10.0.0.0, as versions look, and not that of whatever machine reads it."""
    try:
        found = ip_address(written)
    except ValueError:
        return False
    return not (found.is_loopback or (found.version == 4 and (written.endswith(".0") or written.startswith("0."))))


def accounts(text: str) -> Iterator[Place]:
    return (match.span(1) for match in _ACCOUNT.finditer(text))


def births(text: str) -> Iterator[Place]:
    return (match.span(1) for match in _BORN.finditer(text))


def addresses(text: str) -> Iterator[Place]:
    """House number and street, with flat, town and postcode where they follow. Best effort: US, UK and German forms."""
    return (match.span() for match in _ADDRESS.finditer(text))


def names(text: str) -> Iterator[Place]:
    """Names that people give themselves: `my name is Jane Doe`, `Kind regards, Jane`. Never a name merely mentioned."""
    small = text.lower()
    for hint in _NAME_HINTS:  # a plain search of each is eight times as quick as one expression of all
        if hint in small:
            break
    else:
        return
    for match in _SAID_NAME.finditer(text):
        group = match.lastindex or 0
        if not _NOT_NAMES.search(match[group]):
            yield match.span(group)


def known_values(text: str, values: Iterable[str]) -> Iterator[Place]:
    """The given values wherever they stand as words of their own, in any case, with any white space inside."""
    values = tuple(values)
    return (match.span() for match in _known(values).finditer(text)) if values else iter(())


@lru_cache(maxsize=1024)
def _known(values: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(values, key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(map(_loosely, longest_first)) + r")(?!\w)", re.IGNORECASE)


def _loosely(value: str) -> str:
    digits = _GROUP.findall(value)
    if digits and not re.search(r"[^\d\s()+./-]", value):  # a number may be written with other separators
        return r"\+?\(?" + r"[\s().\-/]{0,3}".join("".join(digits))
    return r"\s+".join(map(re.escape, value.split()))
