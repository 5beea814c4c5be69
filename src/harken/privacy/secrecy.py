"""A document's text and the personal data in it -> why nothing may be made of it before a person has looked.

Three things by themselves put it aside: it is mostly personal data, it is marked as secret, it holds credentials. One
telephone number in an answer is none of them, nor is a text that speaks of secrets. `confidential` alone is not either:
whom a document is for is said by its visibility.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from harken.privacy.scanner import PersonalData

FEWEST_FINDS = 5
MOST_SHARE = 0.25
"""Of the signs that are no white space: a list of customers has 0.4 and more, a page of contacts in prose 0.1."""

FIRST_LINES = 5
"""How many lines that are not empty count as the head of a document."""

_MARK = (
    r"(?:strictly (?:private and )?confidential|(?:private|personal) and strictly confidential|top[ -]?secret|secret|classified"
    r"|streng (?:vertraulich|geheim)|geheim(?:haltungsstufe)?|strictement confidentiel|tr[èe]s secret|secret d[ée]fense"
    r"|estrictamente confidencial|alto secreto|strettamente (?:riservato|confidenziale)|segreto|riservatissimo"
    r"|estritamente confidencial|ultrassecreto|strikt (?:vertrouwelijk|geheim)|zeer geheim|ściśle (?:tajne|poufne))"
)
_EDGE = r"[\s\-–—|:;,.()\[\]{}*#_/·•!<>=]"
_ALONE = re.compile(rf"{_EDGE}*{_MARK}{_EDGE}*", re.IGNORECASE)
_APART = re.compile(
    rf"(?:^|[\-–—|:;,.()\[\]*#_/·•])\s*(?P<mark>{_MARK})\s*(?:$|[\-–—|:;,.()\[\]*_/·•!])", re.IGNORECASE
)
_CLASSIFIED = re.compile(
    rf"^{_EDGE}*(?:(?:security |document |information )?classification|confidentiality(?: level)?|sensitivity"
    r"|(?:sicherheits)?einstufung|vertraulichkeit(?:sstufe)?|klassifizierung|classificati(?:on|e)|clasificaci[óo]n|classificazione"
    rf"|classifica[çc][ãa]o|rubricering|klauzula)\W{{1,5}}{_MARK}\b",
    re.IGNORECASE | re.MULTILINE,
)

_KEY_BLOCK = re.compile(
    r"-----BEGIN (?:[A-Z]+ ){0,2}PRIVATE KEY(?: BLOCK)?-----\s+(?:[\w-]+: [^\n]*\s+){0,4}[A-Za-z0-9+/=]{16}"
)
_CLOUD_KEY = re.compile(
    r"\b(?:AKIA|ASIA)(?![A-Z0-9]{9}EXAMPLE)[A-Z0-9]{16}\b|\bAIza[\w-]{35}\b"
    r"|\b(?i:aws_secret_access_key)\W{1,4}(?![\w/+]*EXAMPLE)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])"
)
_TOKEN = re.compile(
    r"\bbearer\s+(?=[A-Za-z._~+/-]*\d)(?=[\d._~+/-]*[A-Za-z])[\w.~+/-]{20,}"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"
    r"|\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{50,}|glpat-[\w-]{20}|xox[abprs]-[\w-]{20,}|sk_live_\w{20,}|sk-[\w-]{32,})",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,15}://[^/\s:@]{1,64}:(?P<password>[^/\s@]{1,128})@(?P<host>[\w.-]+)", re.IGNORECASE
)
_STANDS_FOR_ONE = re.compile(
    r"[<{\[$%(*].*|[*x.•]+|(?:my|your|the)?[-_]?(?:pass(?:word|wd)?|pw|pwd|secret|token|passwort|kennwort|changeme|example)\d?",
    re.IGNORECASE,
)
_NOWHERE = re.compile(r"(?:.*\.)?(?:example(?:\.\w+)?|test|invalid|localhost)|host(?:name)?", re.IGNORECASE)


def reasons(text: str, found: Sequence[PersonalData]) -> tuple[str, ...]:
    """One sentence for each thing that puts the document aside; none quotes it. `found` is what `scan` gives."""
    why = (
        _mostly_personal(text, found),
        "It is marked as secret." if _is_marked(text) else None,
        *(f"It holds {what}." for what, held in _CREDENTIALS if held(text)),
    )
    return tuple(reason for reason in why if reason)


def _mostly_personal(text: str, found: Sequence[PersonalData]) -> str | None:
    if len(found) < FEWEST_FINDS:
        return None
    share = _signs(find.value for find in found) / _signs([text])
    if share < MOST_SHARE:
        return None
    return f"It is mostly personal data: {len(found)} pieces make {share:.0%} of it."


def _signs(texts: Iterable[str]) -> int:
    return sum(len(part) for text in texts for part in text.split())


def _is_marked(text: str) -> bool:
    if _CLASSIFIED.search(text):
        return True
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    head = lines[:FIRST_LINES]
    if any(_ALONE.fullmatch(line) for line in head):
        return True
    # Further down, as pages begin and end, and in a longer line of the head only capitals mark.
    return any(line.isupper() and _ALONE.fullmatch(line) for line in lines) or any(map(_marks_in_capitals, head))


def _marks_in_capitals(line: str) -> bool:
    return any(match["mark"].isupper() for match in _APART.finditer(line))


def _has_url_password(text: str) -> bool:
    """Not the ones of a manual, which stand for a password."""
    return any(
        not _STANDS_FOR_ONE.fullmatch(match["password"]) and not _NOWHERE.fullmatch(match["host"])
        for match in _URL_PASSWORD.finditer(text)
    )


def _has(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.search(text) is not None


_CREDENTIALS: Sequence[tuple[str, Callable[[str], bool]]] = (
    ("a private key", _has(_KEY_BLOCK)),
    ("a key to a cloud", _has(_CLOUD_KEY)),
    ("a token that lets its bearer in", _has(_TOKEN)),
    ("a password in a link", _has_url_password),
)
