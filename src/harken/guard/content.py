"""A reply -> whether indecent, abusive or threatening words stand in the writer's own part of it.

A small list of our own for what a company's message never contains, in twelve languages, looked for behind the usual disguises:
digits and signs for letters, spread letters, repeated ones, letters of other alphabets. Customers' words are not judged.
"""

import re
import tomllib
import unicodedata
from functools import cache
from importlib import resources

from harken.guard.literals import plain
from harken.guard.seen import Seen

_LOOKALIKES = str.maketrans("авсенкмортухіјѕοανιρ", "abcehkmoptyxijsoavip")
_SIGNS = str.maketrans("0134578@$!|+€", "oieastbasiite")
_SPREAD = re.compile(r"(?<!\w)\w(?:[\s.\-_*·]\w){3,}(?!\w)")
_JOINTS = re.compile(r"[\s.\-_*·]")
_REPEATED = re.compile(r"(\w)\1{2,}")


def indecent(seen: Seen) -> bool:
    return is_indecent(seen.own_words)


def is_indecent(text: str) -> bool:
    plain_words, unspaced = _words()
    return any(plain_words.search(each) or unspaced.search(each) for each in _readings(text))


def _readings(text: str) -> tuple[str, ...]:
    """As it stands, and without its disguises."""
    said = plain(text).casefold().replace("ß", "ss")
    shown = _bare(said.translate(_LOOKALIKES))
    joined = _SPREAD.sub(lambda run: _JOINTS.sub("", run[0]), shown.translate(_SIGNS))
    return said, shown, _REPEATED.sub(r"\1", joined), _REPEATED.sub(r"\1\1", joined)


def _bare(text: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if unicodedata.category(sign) != "Mn")


@cache
def _words() -> tuple[re.Pattern[str], re.Pattern[str]]:
    given = tomllib.loads(resources.files(__package__).joinpath("content.toml").read_text("utf-8"))
    spaced = "|".join(part for language in given["words"].values() for part in language)
    unspaced = "|".join(re.escape(part) for language in given["unspaced"].values() for part in language)
    return re.compile(rf"(?<!\w)(?:{spaced})(?!\w)"), re.compile(unspaced)
