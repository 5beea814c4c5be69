"""Leaves -> one hash that stands for all of them in their order, and short proofs. RFC 9162, section 2.1; pure.

A tree of n leaves is made of complete subtrees: `node(level, place)` is the one over the leaves from `place << level` to
`(place + 1) << level`. They never change again, so they may be kept; everything else is worked out from them.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

HASH_BYTES = 32
EMPTY = hashlib.sha256(b"").digest()
"""The root of no leaves."""

Span: TypeAlias = tuple[int, int]
"""Leaves from, to: half open."""

Node: TypeAlias = tuple[int, int]
"""Level and place of a complete subtree."""

Nodes: TypeAlias = Callable[[int, int], bytes]


def leaf_hash(content: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def over(leaves: Sequence[bytes]) -> bytes:
    """The root of leaves' hashes that are all at hand."""
    if not leaves:
        return EMPTY
    return hashed((0, len(leaves)), lambda level, place: _complete(leaves, level, place))


def complete(leaves: Sequence[bytes]) -> bytes:
    """The root over 2, 4, 8 … leaves' hashes."""
    row = list(leaves)
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def _complete(leaves: Sequence[bytes], level: int, place: int) -> bytes:
    return complete(leaves[place << level : (place + 1) << level])


def parts(span: Span) -> Iterator[Node]:
    """The complete subtrees that a span is made of, largest first. Spans of this file begin where their size allows it."""
    start, end = span
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def hashed(span: Span, node: Nodes) -> bytes:
    """The hash over a span that is not empty."""
    *left, last = [node(level, place) for level, place in parts(span)]
    for each in reversed(left):
        last = node_hash(each, last)
    return last


def inclusion(leaf: int, size: int) -> list[Span]:
    """Over what the hashes go that lead from a leaf to the root, from the bottom up. 0 <= leaf < size."""
    start, end, spans = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if leaf < middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    return spans[::-1]


def consistency(old: int, new: int) -> list[Span]:
    """Over what the hashes go that show that a tree of `new` leaves begins with one of `old`. 0 < old <= new."""
    start, end, spans = 0, new, []
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            spans.append((middle, end))
            end = middle
        else:
            spans.append((start, middle))
            start = middle
    if start:
        spans.append((start, end))
    return spans[::-1]


def _split(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)


def is_included(leaf_hashed: bytes, leaf: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162, section 2.1.3.2."""
    if not 0 <= leaf < size or any(len(each) != HASH_BYTES for each in proof):
        return False
    place, last, here = leaf, size - 1, leaf_hashed
    for each in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            here = node_hash(each, here)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            here = node_hash(here, each)
        place, last = place >> 1, last >> 1
    return last == 0 and here == root


def is_consistent(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """RFC 9162, section 2.1.4.2."""
    if not 0 < old <= new or any(len(each) != HASH_BYTES for each in proof):
        return False
    if old == new:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    return bool(path) and _leads(old - 1, new - 1, path) == (old_root, new_root)


def _leads(place: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Where a consistency proof leads: the old root and the new one; None where it is too long or too short."""
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for each in path[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            old, new = node_hash(each, old), node_hash(each, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, each)
        place, last = place >> 1, last >> 1
    return (old, new) if last == 0 else None


class Growing:
    """A tree while leaves are added: remembers the complete subtrees on its right edge only."""

    __slots__ = ("_edge", "size")

    def __init__(self, size: int = 0, edge: Sequence[bytes] = ()) -> None:
        self.size = size
        self._edge = list(edge)  #: the hashes of `parts((0, size))`

    def add(self, leaf_hashed: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Each subtree that became complete, the leaf itself left out: level, place, hash."""
        self._edge.append(leaf_hashed)
        place, level = self.size, 0
        self.size += 1
        while place & 1:
            right = self._edge.pop()
            self._edge[-1] = node_hash(self._edge[-1], right)
            place, level = place >> 1, level + 1
            yield level, place, self._edge[-1]

    def root(self) -> bytes:
        if not self._edge:
            return EMPTY
        *left, last = self._edge
        for each in reversed(left):
            last = node_hash(each, last)
        return last
