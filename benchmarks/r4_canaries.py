"""R4: random readers and questions against a document in every combination of rights: words of others in whole answers.

    python -m benchmarks.r4_canaries [--json] [--queries N] [--seed N]

Not a measurement of speed: it counts leaks, and ends with 1 where there is one. Questions are words that stand in one document
alone, titles, sentences and halves of sentences of documents that the reader may or may not read, and questions in other
words; answers are looked for everywhere: texts, titles, ids, sources, scores and reasons. They come by looking at each
vector, by the graph, and by words alone, from empty caches and full ones.
"""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any

from benchmarks import measure
from benchmarks.canaries import ASKERS, CELLS, QUESTIONS, SEARCHED, SHARED, Asker, Away, strangers_in
from harken import bootstrap, settings
from harken.adapters.caches import MemoryCache
from harken.cli.printing import Quiet
from harken.flow import adding, searching
from harken.flow.library_desk import LibraryDesk
from harken.flow.searching import Limits
from harken.kit.clock import stopwatch
from harken.knowledge.cache import Layered
from harken.knowledge.library import store as library
from harken.knowledge.vectors import store as vectors


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--json", action="store_true", help="one JSON object instead of text")
    asked.add_argument("--queries", type=int, default=10_000)
    asked.add_argument("--seed", type=int, default=4)
    given = asked.parse_args()
    with full_library() as desk:
        watch = stopwatch()
        counted = count(given.queries, Random(given.seed), desk)
        figures = {
            "queries": given.queries,
            "readers": len(ASKERS),
            "cells": len(CELLS),
            **counted,
            "seconds": round(watch(), 1),
        }
    measure.show("R4", {"target": 0, **figures}, as_json=given.json)
    raise SystemExit(1 if counted["leaks"] or counted["missing"] else 0)


@contextmanager
def full_library() -> Iterator[LibraryDesk]:
    """On an embedded store of its own, with a graph."""
    with measure.folder() as scratch:
        home, documents = scratch / "home", scratch / "documents"
        documents.mkdir()
        for cell in CELLS:
            cell.written(documents)
        told = settings.load().model_copy(update={"home": home})
        with bootstrap.desk_of(told) as desk:
            assert desk.library is not None
            adding.add([documents], adding.Wish(), desk.library, Quiet())
            with desk.library.keeping.transaction() as tx:
                library.take_turn(tx)
                serving, _ = vectors.indexes(tx)
                assert serving is not None
                vectors.draw_graph(tx, serving)
                library.changed(tx)
            yield desk.library
        measure.wait_until_stopped(home)


def count(queries: int, chance: Random, desk: LibraryDesk) -> dict[str, Any]:
    """`missing`: questions for a document of one's own by a word of its own that did not bring it first."""
    told = {"leaks": 0, "wrong_counts": 0, "asked_for_own": 0, "missing": 0, "exact": 0, "hnsw": 0, "lexical": 0}
    forgetful = replace(desk, cache=Layered(MemoryCache(desk.clock)))
    desks = (desk, desk, forgetful, replace(desk, cache=Layered(), embedder=Away()))
    for _ in range(queries):
        asker = chance.choice(ASKERS)
        question, wanted = question_of(asker, chance)
        limits = Limits(results=chance.choice((3, 10, 100)), exact_up_to=chance.choice((0, searching.EXACT_UP_TO)))
        reader = desk.clearances().reader(asker.role, asker.where)
        found = searching.search(question, reader, chance.choice(desks), limits)
        told[found.mode] += 1
        told["leaks"] += bool(strangers_in(json.dumps(searching.told(found), default=str), asker))
        told["wrong_counts"] += found.visible != len(asker.reads)
        if wanted:
            told["asked_for_own"] += 1
            told["missing"] += not found.hits or found.hits[0].passage.document_id != wanted
    return told


def question_of(asker: Asker, chance: Random) -> tuple[str, str]:
    """With the id of the document that must come first, if one must."""
    cell = chance.choice(CELLS)
    kind = chance.randrange(6)
    if kind < 3:
        return cell.canary(SEARCHED[kind]), cell.id if cell.number in asker.reads else ""
    if kind == 3:
        return chance.choice((cell.title, cell.id, *QUESTIONS, SHARED)), ""
    said = cell.text.split()
    start = chance.randrange(len(said) - 3)
    return " ".join(said[start : start + chance.randint(3, 20)]), ""


if __name__ == "__main__":
    main()
