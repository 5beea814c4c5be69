"""P7: a search as a reader of 50, 15, 3, 0.8, 0.2 and 0.1 % of 100,000 passages: how long, and how much of the exact answer.

    python -m benchmarks.p7_retrieval [--json] [--data FILE.csv] [--passages N] [--queries N] [--home FOLDER]

`--data`: a twcs CSV whose messages become passages (three each) and queries. The yardstick, in the same run and on the same
rows: pgvector as it comes, an HNSW index and `ORDER BY … LIMIT 10` under the same rights, and every vector looked at.
"""

import csv
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import data, measure
from harken import bootstrap, settings
from harken.cli.printing import Quiet
from harken.domain.document import Scope, Visibility
from harken.flow import describing, searching
from harken.flow.embedding import embed
from harken.flow.library_desk import LibraryDesk
from harken.kit.clock import stopwatch
from harken.knowledge import store
from harken.knowledge.access import Reader
from harken.knowledge.cache import Layered
from harken.knowledge.library import store as library
from harken.knowledge.library.store import Passage, Version
from harken.knowledge.postings import store as postings

SHARES = {"XA": 0.5, "XB": 0.15, "XC": 0.03, "XD": 0.008, "XE": 0.002, "XF": 0.001}
"""Jurisdictions and what they hold of the passages; nobody here reads the rest."""

REST = "XZ"
AT_ONCE = 2_000
TEN = 10
WARM_UP = 10


def main() -> None:
    asked = measure.options(__doc__, customers=60_000)
    asked.add_argument("--passages", type=int, default=100_000)
    asked.add_argument("--queries", type=int, default=200, help="a reader")
    given = asked.parse_args()
    with measure.folder() as scratch:
        home = (given.home or scratch / "home").absolute()
        source = given.data or data.write_twcs(scratch / "threads.csv", customers=given.customers)
        told = settings.load().model_copy(update={"home": home})
        with bootstrap.desk_of(told) as desk:
            assert desk.library is not None
            texts = list(_texts(source))
            load(texts, given.passages, desk.library)
            figures = compared(texts[-given.queries :], desk.library)
        measure.wait_until_stopped(home)
    measure.show("P7", {"target_p95_ms": 30, "target_recall": 0.99, **figures}, as_json=given.json)


def _texts(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from (row["text"] for row in csv.DictReader(file) if row["text"])


def load(texts: Sequence[str], passages: int, desk: LibraryDesk) -> None:
    """Straight into the library: what is measured is finding."""
    with desk.keeping.transaction() as tx:
        if library.current(tx, ["passage-0"]):
            return
    chance, taken = Random(7), stopwatch()
    for start in range(0, passages, AT_ONCE):
        some = [_version(number, texts, chance) for number in range(start, min(start + AT_ONCE, passages))]
        with desk.keeping.transaction() as tx:
            library.take_turn(tx)
            for scope, placed in library.add(tx, "benchmark", some, desk.clock()).items():
                postings.add(tx, scope, placed)
            postings.join(tx)
        print(f"\rkept {start + len(some):,} passages, {taken():.0f} s", end="", file=sys.stderr)
    print(f"\nembedded {embed(desk, Quiet()):,}, {taken():.0f} s", file=sys.stderr)


def _version(number: int, texts: Sequence[str], chance: Random) -> Version:
    text = "\n".join(chance.sample(texts, 3))
    drawn, share = chance.random(), 0.0
    jurisdiction = REST
    for name, size in SHARES.items():
        share += size
        if drawn < share:
            jurisdiction = name
            break
    piece = Passage(
        heading="", text=text, start=0, end=len(text), tokens=60, terms=describing.searched("", "", text, "en")
    )
    return Version(
        document_id=f"passage-{number}", scope=Scope(visibility=Visibility.INTERNAL, jurisdiction=jurisdiction),
        file=str(number), source="benchmark", title="", owner="", language="en", effective_from=None, effective_to=None,
        fingerprint=b"", content=b"", text=text, redacted=0, subject=None, passages=[piece],
    )  # fmt: skip


def compared(queries: Sequence[str], full: LibraryDesk) -> dict[str, Any]:
    """Nothing is remembered from one search to the next."""
    figures: dict[str, Any] = {}
    desk = replace(full, cache=Layered())
    for name, share in SHARES.items():
        reader = desk.clearances().reader("agent", name)
        for query in queries[:WARM_UP]:
            searching.search(query, reader, desk)
        took, shared = [], []
        for query in queries:
            watch = stopwatch()
            found = searching.search(query, reader, desk)
            took.append(watch() * 1000)
            exact = searching.search(query, reader, desk, searching.Limits(exact_up_to=10**9))
            shared.append(_overlap(_ids(found), _ids(exact)))
        plain_ms, plain_recall = yardstick(queries, reader, desk)
        figures[f"{share:.1%} of the passages"] = {
            "readable": found.visible,
            "mode": found.mode,
            "p50_ms": round(measure.percentile(took, 0.5), 1),
            "p95_ms": round(measure.percentile(took, 0.95), 1),
            "recall_at_10": round(sum(shared) / len(shared), 4),
            "pgvector as it comes, p95_ms": plain_ms,
            "pgvector as it comes, recall_at_10": plain_recall,
        }
    return figures


def _ids(found: searching.Found) -> list[int]:
    return [hit.passage.number for hit in found.hits]


def _overlap(found: Sequence[int], exact: Sequence[int]) -> float:
    return len({*found[:TEN]} & {*exact[:TEN]}) / max(len(exact[:TEN]), 1)


def yardstick(queries: Sequence[str], reader: Reader, desk: LibraryDesk) -> tuple[float, float]:
    """The nearest ten by the index with its defaults, against the nearest ten."""
    vectors = desk.embedder.embed(queries)
    took, shared = [], []
    for vector in itertools.islice(vectors, 50):
        with desk.reading.transaction() as tx:
            store.read_as(tx, reader)
            at = store.standing(tx)
            exact = store.nearest(tx, at, vector.tolist(), TEN, exactly=True)
            watch = stopwatch()
            plain = store.nearest(tx, at, vector.tolist(), TEN, exactly=False, wide=False)
            took.append(watch() * 1000)
            shared.append(_overlap(plain, exact))
    return round(measure.percentile(took, 0.95), 1), round(sum(shared) / len(shared), 4)


if __name__ == "__main__":
    main()
