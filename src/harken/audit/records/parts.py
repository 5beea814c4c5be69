"""Everything an answer was made of, and the manifest: what stands for it in the audit. Pure.

The manifest holds ids, versions, moments and keyed digests, and nothing that a person wrote. Making it anew from the parts
gives the same manifest, so one that was changed differs in the field that was changed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from harken.audit import canonical, codec
from harken.audit.canonical import Plain
from harken.domain.decision import Advice, Context, Decision, Draft, Exchange
from harken.domain.verdict import Verdict
from harken.kit.code import Code

SCHEMA = 1

Digest: TypeAlias = Callable[[str], str]
"""A text -> its keyed digest, hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """A policy file: its version, and the SHA-256 of its text, hexadecimal."""

    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """As whom the knowledge was read."""

    role: str = ""
    jurisdiction: str = ""
    clearances: str = ""  #: version of what roles may read


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What an answer was made with, beside what it looked at."""

    ticket: str
    event: str  #: id of the message that was answered
    position: int  #: of that event in the log
    policy: Ruled
    guard: Ruled | None
    reader: Asker
    library: str  #: version of the knowledge
    embedder: str
    experiment: str
    clock: Mapping[str, datetime]  #: every moment that was read of a clock, by what for
    code: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The whole of it."""

    around: Around
    context: Context
    decision: Decision
    draft: Draft
    verdict: Verdict | None

    @property
    def advice(self) -> Advice:
        return Advice(decision=self.decision, draft=self.draft)


def texts(parts: Parts) -> Iterator[tuple[str, str]]:
    """Each part that is kept, by its place in the manifest. Exchanges with models are kept on their own."""
    yield "around", codec.encode(parts.around)
    yield "context", codec.encode(parts.context)
    yield "decision.digest", codec.encode(parts.decision)
    yield "draft", codec.encode(replace(parts.draft, exchanges=()))
    if parts.verdict is not None:
        yield "verdict", codec.encode(parts.verdict)
    for place, exchange in enumerate(parts.draft.exchanges):
        yield f"exchanges.{place}.digest", codec.encode(exchange)


def manifest(parts: Parts, written: Mapping[str, str], customer: str, digest: Digest) -> dict[str, Plain]:
    """`written`: `texts` of these parts. `customer`: the customer's token."""
    around, context = parts.around, parts.context
    kept = {name: digest(text) for name, text in written.items()}
    live = context.live
    return {
        "schema": SCHEMA,
        "ticket": around.ticket,
        "customer": customer,
        "event": {"id": around.event, "position": around.position},
        "clock": {name: at.isoformat() for name, at in around.clock.items()},
        "code": {"version": around.code.version, "sha256": around.code.sha256},
        "policy": _ruled(around.policy),
        "guard": _ruled(around.guard) if around.guard else None,
        "reader": _reader(around.reader),
        "library": around.library,
        "embedder": around.embedder,
        "experiment": around.experiment,
        "around": kept["around"],
        "context": kept["context"],
        "conversation": digest(codec.encode(context.conversation)),
        "profile": {
            "position": str(context.profile.position),
            "definitions": context.profile.definitions,
            "digest": digest(codec.encode(context.profile)),
        },
        "passages": [
            {"id": each.id, "score": each.score, "digest": digest(codec.encode(each))} for each in context.passages
        ],
        "classification": digest(codec.encode(live.classification)) if live else None,
        "mode": parts.draft.mode,
        "exchanges": [_exchange(each, kept[f"exchanges.{at}.digest"]) for at, each in enumerate(parts.draft.exchanges)],
        "decision": {"id": parts.decision.id, "policy": parts.decision.policy, "digest": kept["decision.digest"]},
        "draft": kept["draft"],
        "verdict": kept.get("verdict"),
        "outcome": parts.verdict.outcome if parts.verdict else None,
    }


def assembled(found: Mapping[str, Any], opened: Callable[[str], str]) -> Parts:
    """The parts that a manifest names. `opened`: a digest -> its text; raises what it raises, and NotCanonicalError."""
    exchanges = tuple(codec.decode(Exchange, opened(each["digest"])) for each in found["exchanges"])
    verdict = found["verdict"]
    return Parts(
        around=codec.decode(Around, opened(found["around"])),
        context=codec.decode(Context, opened(found["context"])),
        decision=codec.decode(Decision, opened(found["decision"]["digest"])),
        draft=replace(codec.decode(Draft, opened(found["draft"])), exchanges=exchanges),
        verdict=codec.decode(Verdict, opened(verdict)) if verdict else None,
    )


def first_difference(one: Any, other: Any, where: str = "") -> str | None:
    """The name of the first field, in the order of names, in which two plain values differ: `profile.position`."""
    if type(one) is not type(other):
        return where or "manifest"
    if isinstance(one, dict):
        names = sorted(one.keys() | other.keys())
        inner = ((f"{where}.{name}" if where else name, name) for name in names)
        found = (
            first_difference(one[name], other[name], path) if name in one and name in other else path
            for path, name in inner
        )
        return next((each for each in found if each), None)
    if isinstance(one, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return next((each for at, pair in pairs if (each := first_difference(*pair, f"{where}.{at}"))), None)
    return None if one == other else where


def record_id(text: str) -> str:
    """A manifest's text -> its SHA-256, hexadecimal: the name of the record, which the audit holds."""
    return canonical.digest(text).hex()


def _reader(reader: Asker) -> dict[str, Plain]:
    return {"role": reader.role, "jurisdiction": reader.jurisdiction, "clearances": reader.clearances}


def _ruled(ruled: Ruled) -> dict[str, Plain]:
    return {"version": ruled.version, "sha256": ruled.sha256}


def _exchange(exchange: Exchange, digest: str) -> dict[str, Plain]:
    return {"model": exchange.model, "asked": exchange.asked, "digest": digest}
