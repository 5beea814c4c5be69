"""Everything that the audit holds -> every way in which it is not as it was sealed, in words. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from harken.audit import merkle
from harken.audit.note import BadNoteError, Head, PublicKey, said
from harken.audit.rows import Checkpoint, Leaf

KEPT_LEVEL = 8
"""Complete subtrees from 2^8 leaves on are kept."""

MOST_PROBLEMS = 100
"""Told one by one."""


@dataclass(slots=True)
class Findings:
    """Problems, the first so many in words."""

    problems: list[str] = field(default_factory=list)
    more: int = 0

    def add(self, problem: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more += 1

    def told(self) -> list[str]:
        return [*self.problems, f"and {self.more:,} more"] if self.more else self.problems


def heads(checkpoints: Sequence[Checkpoint], key: PublicKey, found: Findings) -> None:
    """Every head is signed, says what its row says, and never goes back."""
    horizon: dict[int, int] = {}
    for row in checkpoints:
        try:
            head = key.opened(row.note)
        except BadNoteError as wrong:
            found.add(f"the head of {row.size:,} events: {wrong}")
            continue
        if (head.size, head.root, head.epoch, head.system, head.horizon) != tuple(row[:5]):
            found.add(f"the head of {row.size:,} events is not what was signed")
        if head.horizon < horizon.get(head.epoch, 0):
            found.add(f"the head of {row.size:,} events goes back in time")
        horizon[head.epoch] = head.horizon


def leaves(
    rows: Iterable[Leaf], nodes: Iterator[tuple[int, int, bytes]], checkpoints: Sequence[Checkpoint], found: Findings
) -> merkle.Growing:
    """Every leaf is that of its event as it is now, and together they give the root of every head."""
    roots = {each.size: each.root for each in checkpoints}
    grown = merkle.Growing()
    for row in rows:
        if row.place != grown.size:
            found.add(f"the leaf {grown.size:,} is missing")
            break
        found_of_leaf(row, found)
        content = row.content.hash if row.content else row.hash
        for level, place, hashed in grown.add(content):
            if level >= KEPT_LEVEL and next(nodes, None) != (level, place, hashed):
                found.add(f"the subtree {level}/{place} is not that of its leaves")
        if grown.size in roots and roots[grown.size] != grown.root():
            found.add(f"the first {grown.size:,} events are not those that were sealed")
    return grown


def found_of_leaf(row: Leaf, found: Findings) -> None:
    if row.content is None:
        found.add(f"event {row.event:,} is gone")
    elif row.content.hash != row.hash:
        found.add(f"event {row.event:,} or its leaf is not as it was sealed")


def pinned(notes: Iterable[str], checkpoints: Sequence[Checkpoint], key: PublicKey, found: Findings) -> None:
    """Every head that was kept elsewhere is still there, and the same."""
    kept = {each.size: each.note for each in checkpoints}
    for each in notes:
        try:
            head = key.opened(each)
        except BadNoteError as wrong:
            found.add(f"a pinned head: {wrong}")
            continue
        if kept.get(head.size) != each:
            found.add(_missing(head, kept))


def _missing(head: Head, kept: Mapping[int, str]) -> str:
    there = kept.get(head.size)
    if there is None:
        return f"the head of {head.size:,} events was pinned and is gone"
    try:
        other = said(there).root != head.root
    except BadNoteError:
        other = True
    return f"the head of {head.size:,} events was pinned {'with another root' if other else 'and was signed anew'}"
