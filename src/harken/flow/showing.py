"""One customer's profile, as people and programs ask for it: whole or in part, as of a moment, and how fresh it is."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson

from harken.decide.policy import Policy
from harken.domain.ids import CustomerId
from harken.errors import RefusedError, TryAgainError
from harken.flow import serving
from harken.flow.advising import Reader
from harken.flow.desk import Desk
from harken.flow.dossier import silence_of
from harken.flow.freshness import freshness
from harken.flow.predict import moment_of, one

LAST_EVENTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody asks of a profile."""

    as_of: datetime | None = None
    features: tuple[str, ...] = ()  #: none: all
    min_position: int = 0  #: the answer must know the log up to here


class UnknownFeatureError(RefusedError):
    """There is no feature of this name."""

    status = 422


def show(customer: CustomerId, desk: Desk, policy: Policy, wanted: Wanted) -> dict[str, Any]:
    """The names are those of the API. Raises UnknownCustomerError, AmbiguousCustomerError, UnknownFeatureError, and
    TryAgainError where the log is not known up to `min_position` yet."""
    name, identities = one(customer, desk)
    moment = moment_of(desk, wanted.as_of)
    if moment.position < wanted.min_position:
        raise TryAgainError(
            f"The log is known up to {moment.position}, not yet up to {wanted.min_position}.", after_s=1
        )
    silence = silence_of(policy)
    marked = serving.mark(name, moment, desk)
    profile = Reader(desk.warehouse, desk.bench.master, moment, silence).profile_of(name, identities)
    serving.keep(marked, profile, silence, desk)
    return {
        "customer": name,
        "identities": identities,
        "conflicts": desk.warehouse.conflicts(identities),
        "as_of": moment.at,
        "features": _chosen(profile.features, wanted.features),
        "definitions": profile.definitions,
        "last_events": desk.warehouse.last_events(identities, LAST_EVENTS),
        "freshness": asdict(freshness(desk, moment.position, moment.at, profile.features["last_seen_at"])),
    }


def etag(shown: dict[str, Any]) -> str:
    """The same for the same profile, however fresh the answer is."""
    said = {name: value for name, value in shown.items() if name not in ("as_of", "freshness")}
    return f'"{hashlib.blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=12).hexdigest()}"'


def _chosen(features: Any, names: Sequence[str]) -> dict[str, Any]:
    if unknown := [name for name in names if name not in features]:
        raise UnknownFeatureError(f"There is no feature {unknown[0]}. See the reference for all of them.")
    return {name: features[name] for name in names} if names else dict(features)


class Watch:
    """One customer's profile over time: what changed since it was last looked at."""

    def __init__(self, customer: CustomerId, desk: Desk, policy: Policy) -> None:
        self._customer, self._desk, self._policy = customer, desk, policy
        self._versions: dict[str, str] = {}
        self._features: dict[str, Any] = {}

    def changes(self) -> Iterator[dict[str, Any]]:
        """At most one: the features that are not what they were, all of them at first."""
        _, identities = one(self._customer, self._desk)
        versions = self._desk.warehouse.versions(identities)
        if versions == self._versions:
            return
        self._versions = versions
        shown = show(self._customer, self._desk, self._policy, Wanted())
        changed = {name: v for name, v in shown["features"].items() if self._features.get(name, self) != v}
        self._features = shown["features"]
        yield {**{name: shown[name] for name in ("customer", "identities", "as_of", "freshness")}, "changed": changed}
