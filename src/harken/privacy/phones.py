"""Text -> where telephone numbers stand: by their shape, by the words beside them, and by the numbering plans of regions."""

import re
from collections.abc import Iterator, Sequence
from functools import cache

import phonenumbers

from harken.privacy.patterns import Place

_PHONE = re.compile(
    r"(?:(?<![\w@#/=$£€+])|(?<=/)(?=\+))(?<!\w-)(?<!\d[.:(])(?:(?<!\d,)|(?=[+(0]))(?:"
    r"(?P<nanp>(?:\+?1[ .-]?)?(?:\(\d{3}\)[ .-]{0,2}|\d{3}([.-]|[ ]{1,2}))\d{3}(?:[.-]|[ ]{1,2})\d{4}(?![-.]?\d))"
    r"|(?P<plus>\(?\+[ ]?\(?\d(?:[ .()/-]{0,2}\d){6,13})"
    r"|(?P<trunk>\(?0\d(?:[ .()/-]{0,2}\d){6,13})"
    r"|(?P<bare>\d{10,11})(?![-.,]?\d)"
    r"|(?P<loose>\(?\d(?:[ .()/-]{0,2}\d){5,14})(?!,\d)"
    r")(?:[ ]?(?:x|ext\.?)[ ]?\d{1,6})?(?!\w|\.\d|%|:\d)"
)
_WHAT_NUMBER = re.compile(
    r"(?P<phone>\bph#|\b(?:call(?:ing|s|ed)?|callback|(?:tele)?phone|tel|mobile|cell|fax|text me|sms|whats ?app|ring"
    r"|reach|dial|answering|contact|hotline|landline|ph|connect|shout"
    r"|(?:my|your|new|best|his|her)(?: contact)? (?:number|no|num|#)|handy|telefon\w*|rufnummer|ruf|anrufen|office)\b)"
    r"|(?P<other>\b(?:order|ord|case|ref|reference|ticket|track\w*|booking|confirmation|pnr|parcel|awb|invoice|serial"
    r"|imei|model|version|ver|build|sku|dpci|upc|item|i\.?d|flight|sr|mnp|transaction|txn|code|pin|pincode|zip|account|acct"
    r"|policy|customer (?:no|number|id)|member\w*|claim|complaint|request|incident|consignment|shipment|delivery"
    r"|bestell\w*|sendung\w*|rs|inr|usd|eur)\b|[$£€₹#]|\b(?!(?:numbers?|no|num|nummer|nr):)[a-z]+:$)",
    re.IGNORECASE,
)
_PHONE_AFTER = re.compile(r"[\s(-]{0,3}(?:office|fax|mobile|cell|home)\b", re.IGNORECASE)
_NOT_PHONE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ (].*)?"  # a date, and hours after it
    r"|\d{1,2}[.]\d\d ?- ?\d{1,2}[.]\d\d|(?:19|20)\d\d ?[-/] ?(?:19|20)\d\d"  # from, to
    r"|(?:[01]\d|2[0-3])[0-5]\d ?- ?(?:[01]\d|2[0-3])[0-5]\d"  # the same without points
    r"|(?!0\d|[3-9]\d\d)\d{1,3}(?:\.\d{1,5}){3}|\d\.\d.*"  # a version
    r"|\d+\.\d\d/.*|\d{3}-\d{7}-\d{7}"  # prices, an order
    r"|\d{1,3}(?:[ .]\d{3})*[ .]000",  # a round sum
    re.DOTALL,
)
_SENTENCE_END = re.compile(r"(?<!\bno)(?<!\bnr)(?<!\bi\.d)[.?!;]\s", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_LINES = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "personal_number",
    "voip",
    "uan",
    "pager",
    "voicemail",
)
_EXTENSION = re.compile(r"[xe].*")
_GAP = re.compile(r"[ .()/-]+")
_CUTS, _FEWEST = 4, 8  # how often what follows a number is cut off, and digits that remain
_LOOK_BACK = 40  # characters before a number in which a word may say what it is


def phones(text: str, regions: Sequence[str]) -> Iterator[Place]:
    """Telephone numbers that are possible; digits of an unclear shape only where a word says that it is one.

    Without a word that says so, digits that begin with neither + nor 0 must be grouped as a region writes its numbers.
    """
    at = 0
    while match := _PHONE.search(text, at):
        end = _end(match, regions)
        if end:
            yield match.start(), end
        at = end or match.end()


def _end(match: re.Match[str], regions: Sequence[str]) -> int | None:
    """Where the number ends: what stands close behind one may be hours, or the next number. None: there is none."""
    written, shape = match[0], match.lastgroup
    if _NOT_PHONE.fullmatch(written):
        return None
    said = "phone" if _PHONE_AFTER.match(match.string, match.end()) else _said_before(match)
    if _is_phone(written, shape, said, regions) or (shape == "nanp" and said is None and (match[2] or "-").strip()):
        return match.end()
    gaps = [gap.start() for gap in _GAP.finditer(written) if sum(map(str.isdigit, written[: gap.start()])) >= _FEWEST]
    cuts = (gap for gap in reversed(gaps[-_CUTS:]) if _is_phone(written[:gap], shape, said, regions))
    return next((match.start() + gap for gap in cuts), None)


def _is_phone(written: str, shape: str | None, said: str | None, regions: Sequence[str]) -> bool:
    if shape == "plus" and said != "phone":
        return _possible(written)
    if said is not None:
        return said == "phone"
    if shape == "loose":
        return any(_as_written_in(written, region) for region in regions)
    return any(_valid(written, region) for region in regions)


def _said_before(match: re.Match[str]) -> str | None:
    """What the nearest word before a number says that it is: `phone`, `other`, or nothing."""
    last = None
    for word in _WHAT_NUMBER.finditer(match.string, max(match.start() - _LOOK_BACK, 0), match.start()):
        last = word
    if last is None or (last.lastgroup == "other" and _SENTENCE_END.search(match.string, last.end(), match.start())):
        return None
    return last.lastgroup


def _possible(written: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(written))
    except phonenumbers.NumberParseException:
        return False


def _valid(written: str, region: str) -> bool:
    plan = _plan_of(region)
    if plan:
        match = plan.fullmatch("".join(_DIGITS.findall(_EXTENSION.sub("", written))))
        if not match or match["national"]:
            return match is not None
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(written, region))
    except phonenumbers.NumberParseException:
        return False


@cache
def _plan_of(region: str) -> re.Pattern[str] | None:
    """The digits of every valid number there: parsing says the same, and costs far more. None: not so simple."""
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    if plan is None or plan.national_prefix_transform_rule:
        return None
    # Several regions may share one code, as the United States and Canada do: a number of either is valid in both.
    sharing = phonenumbers.region_codes_for_country_code(plan.country_code or 0)
    plans = [phonenumbers.PhoneMetadata.metadata_for_region(each, None) for each in sharing]
    lines = [getattr(each, name) for each in plans for name in _LINES]
    numbers = "|".join(line.national_number_pattern for line in lines if line and line.national_number_pattern)
    prefix, abroad = plan.national_prefix_for_parsing or "", plan.international_prefix or "00"
    return re.compile(rf"(?P<national>(?:{plan.country_code})?(?:{prefix})?(?:{numbers}))|(?:{abroad})\d+")


def _as_written_in(written: str, region: str) -> bool:
    """Valid there, and grouped as the region's own numbering plan does: 612 34 56 78 in Spain."""
    groups = _DIGITS.findall(written)
    if len(groups) < 2 or not _valid(written, region):
        return False
    number = phonenumbers.parse(written, region)
    return groups == _DIGITS.findall(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))
