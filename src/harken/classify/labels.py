"""Labelled messages as somebody kept them -> those that can be learned from, and what was wrong with the others."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harken.errors import UnsuitableError

OUTSIDE = frozenset(("out_of_scope", "oos", "out-of-scope", "out of scope"))
"""Labels of messages that belong to no category."""

FEWEST = 10
"""Messages of a label: with fewer, a fifth of them says nothing about how well it is told."""

LONGEST_LABEL = 80


class Labelled(NamedTuple):
    text: str
    label: str  #: empty: out of scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Usable:
    rows: tuple[Labelled, ...]
    skipped: Mapping[str, int]  #: reason -> rows
    counts: Mapping[str, int]  #: label -> rows; the outside is not among them
    outside: int


def usable(given: Iterable[tuple[str, str]]) -> Usable:
    """Texts and their labels, cleaned. Raises UnsuitableError where nothing can be learned from what remains."""
    skipped: Counter[str] = Counter()
    told: dict[str, set[str]] = {}
    kept: dict[str, Labelled] = {}
    for text, label in given:
        words, name = " ".join(text.split()), " ".join(label.split())
        if not any(character.isalnum() for character in words):
            skipped["empty_text"] += 1
        elif not name or len(name) > LONGEST_LABEL:
            skipped["no_label"] += 1
        else:
            name = "" if name.lower() in OUTSIDE else name
            skipped["repeated"] += name in told.setdefault(words.lower(), set())
            told[words.lower()].add(name)
            kept[words.lower()] = Labelled(words, name)
    torn = [words for words, names in told.items() if len(names) > 1]
    for words in torn:
        skipped["contradictory"] += len(told[words])
        del kept[words]
    rows = tuple(kept.values())
    counts = Counter(row.label for row in rows)
    outside = counts.pop("", 0)
    _check(counts)
    return Usable(rows=rows, skipped=dict(+skipped), counts=counts, outside=outside)


def _check(counts: Mapping[str, int]) -> None:
    if len(counts) < 2:
        raise UnsuitableError(
            f"There {'is one label' if counts else 'are no labels'} in the file. A classifier needs two or more."
        )
    few = sorted(label for label, number in counts.items() if number < FEWEST)
    if few:
        raise UnsuitableError(
            f"{_some(few)} {'has' if len(few) == 1 else 'have'} fewer than {FEWEST} usable messages. "
            "Add messages, or join labels that mean nearly the same."
        )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more labels" if len(names) > 5 else shown
