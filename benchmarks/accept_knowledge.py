"""The checks of the knowledge that need real data: name, whether it is as it should be, and what was found."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from benchmarks import measure
from benchmarks.q1_retrieval import SETS
from harken import bootstrap, settings
from harken.cli.printing import Quiet
from harken.flow import adding, evaluating
from harken.flow.evaluating import Evaluation, Question
from harken.flow.library_desk import LibraryDesk
from harken.knowledge import fuse

Outcome: TypeAlias = tuple[str, bool, str]

STACKFAQ_HIT = 0.80
BANK_DOCUMENTS = 698


def every(folder: Path) -> Iterator[Outcome]:
    """`folder` as for q1_retrieval; nothing where it lacks the sets."""
    if (folder / "stackfaq").is_dir():
        yield from _stackfaq(folder)
    if (folder / "tau2_banking").is_dir():
        yield from _bank(folder)


def _stackfaq(folder: Path) -> Iterator[Outcome]:
    with measure.folder() as scratch, _library(scratch) as desk:
        questions = SETS["stackfaq"](folder, _documents(scratch))[""]
        adding.add([scratch / "documents"], adding.Wish(), desk, Quiet())
        found = _measured(desk, questions).rows[-1].figures["hit@1"]
        yield "StackFAQ hit@1, as the search is set", found.value >= STACKFAQ_HIT, f"{found}, wanted {STACKFAQ_HIT}"


def _bank(folder: Path) -> Iterator[Outcome]:
    with measure.folder() as scratch, _library(scratch) as desk:
        kinds = SETS["bank"](folder, _documents(scratch))
        first = adding.add([scratch / "documents"], adding.Wish(), desk, Quiet())
        again = adding.add([scratch / "documents"], adding.Wish(), desk, Quiet())
        yield (
            "a bank's documents are all taken in",
            (first.documents, first.quarantined) == (BANK_DOCUMENTS, 0),
            f"{first.documents} in {first.passages} passages, {first.quarantined} set aside",
        )
        yield (
            "and are not touched when nothing changed",
            (again.documents, again.new, again.changed, again.removed, again.embedded) == (first.documents, 0, 0, 0, 0),
            f"{again.files_unchanged} files unchanged",
        )
        yield _beats_its_halves(_measured(desk, kinds["long"]))


def _beats_its_halves(done: Evaluation) -> Outcome:
    rows = {row.dense: row.figures for row in done.rows}
    both, words, meaning = rows[fuse.recipe_of(done.rows[0].embedder).dense], rows[0.0], rows[1.0]
    names = ("hit@1", "recall@10", "mrr", "ndcg@10")
    beaten = all(both[name].value > max(words[name].value, meaning[name].value) for name in names)
    told = ", ".join(
        f"{name} {words[name].value:.3f} < {both[name].value:.3f} > {meaning[name].value:.3f}" for name in names
    )
    return "long questions: words and meaning together beat either", beaten, told


def _measured(desk: LibraryDesk, questions: list[Question]) -> Evaluation:
    return evaluating.evaluate(questions, desk.clearances().reader("admin"), [desk.embedder], desk, Quiet())


def _documents(scratch: Path) -> Path:
    made = scratch / "documents"
    made.mkdir()
    return made


@contextmanager
def _library(scratch: Path) -> Iterator[LibraryDesk]:
    """A library of its own on an embedded store, gone afterwards."""
    home = scratch / "home"
    with bootstrap.desk_of(settings.load().model_copy(update={"home": home})) as desk:
        assert desk.library is not None
        yield desk.library
    measure.wait_until_stopped(home)
