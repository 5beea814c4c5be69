"""Who waits for a person -> what they are told of it: when people are back, and that their subscription goes ahead."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from harken.domain.decision import Live
from harken.kit.places import local_time

FALLBACK_LANGUAGE: Final = "en"
NEAR_DAYS: Final = 6
"""Further away than that a weekday alone may be any week's."""


def said_beside(live: Live, now_s: float, language: str) -> str:
    """Sentences, each with a space before it; empty within business hours for a customer like any other."""
    words = _words().get(language) or _words()[FALLBACK_LANGUAGE]
    said = [words["ahead"].format(tier=live.tier)] if live.ahead else []
    if live.back is not None:
        local = local_time(live.back.at, live.back.zone)
        near = (live.back.at.timestamp() - now_s) / 86_400 < NEAR_DAYS
        day = words["days"][local.at.weekday()] + ("" if near else f" {local.date}")
        said.append(words["back"].format(day=day, time=local.time, zone=local.zone))
    return "".join(f" {each[:1].upper()}{each[1:]}" for each in said)


@cache
def _words() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(resources.files(__package__).joinpath("handing_over.toml").read_text("utf-8"))
