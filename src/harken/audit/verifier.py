"""An export of the audit -> whether it is whole. One file that needs Python 3.9 or later and nothing else.

    python3 verify_audit.py FOLDER [--pinned FILE]     the whole export
    python3 verify_audit.py --proof FILE --key FILE    one proof of `harken audit prove`

It shares no code with Harken: tree, signatures (Ed25519, RFC 8032) and notes are worked out anew from their standards.
The public key in the folder is only as good as the folder: compare it with the one that you were given.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Tuple  # noqa: UP035  older versions of Python read this file

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


Point = Tuple[int, int, int, int]  # noqa: UP006  as above
Key = Tuple[str, bytes, bytes]  # noqa: UP006  as above


def add(a: Point, b: Point) -> Point:
    """Two points of the curve, in extended coordinates."""
    low, high = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    t, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = high - low, z - t, z + t, high + low
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(number: int, point: Point) -> Point:
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add(total, point)
        point, number = add(point, point), number >> 1
    return total


def x_of(y: int, sign: int) -> int:
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise ValueError("no point of the curve")
    return P - x if x & 1 != sign else x


def point_of(content: bytes) -> Point:
    number = int.from_bytes(content, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    x = x_of(y, sign)
    return x, y, 1, x * y % P


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (x_of(BASE_Y, 0), BASE_Y, 1, x_of(BASE_Y, 0) * BASE_Y % P)


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """RFC 8032, section 5.1.7."""
    if len(key) != 32 or len(signature) != 64:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    if scalar >= ORDER:
        return False
    try:
        public, half = point_of(key), point_of(signature[:32])
    except ValueError:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    left, right = times(scalar, BASE), add(half, times(challenge, public))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


def read_key(path: str | Path) -> Key:
    name, mark, content = Path(path).read_text("utf-8").strip().split("+", 2)
    return name, bytes.fromhex(mark), base64.b64decode(content)[1:]


def opened(note: str, key: Key) -> tuple[int, bytes]:
    """A signed note -> (size, root). ValueError where the signature is not the key's."""
    name, mark, public = key
    body, _, last = note.rstrip("\n").partition("\n\n")
    dash, signer, content = last.split(" ")
    signature = base64.b64decode(content)
    lines = (body + "\n").split("\n")
    if dash != "\u2014" or signer != name or lines[0] != name or signature[:4] != mark:
        raise ValueError("signed with another key")
    if not is_signed(public, (body + "\n").encode(), signature[4:]):
        raise ValueError("the signature does not fit")
    return int(lines[1]), base64.b64decode(lines[2])


def notes_of(path: str | Path) -> Iterator[str]:
    """Each note of a file: it ends with the line that begins with a dash."""
    note: list[str] = []
    for line in Path(path).read_text("utf-8").splitlines():
        if line or note:
            note.append(line + "\n")
        if line.startswith("\u2014 "):
            yield "".join(note)
            note = []


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def leaf(row: dict[str, str]) -> bytes:
    if "gone" in row:
        return bytes.fromhex(row["gone"])
    fields = [row[name].encode() for name in ("id", "tx", "at_us", "actor", "action", "body")]
    return hashlib.sha256(b"\x00" + b"".join(len(each).to_bytes(4, "big") + each for each in fields)).digest()


def fold(stack: list[tuple[int, bytes]]) -> bytes:
    here = stack[-1][1]
    for _, each in reversed(stack[:-1]):
        here = node(each, here)
    return here


def check_heads(folder: Path, key: Key) -> tuple[dict[int, bytes], set[str], list[str]]:
    """The signed roots by size, their notes, and what is wrong with any."""
    roots: dict[int, bytes] = {}
    notes: set[str] = set()
    problems: list[str] = []
    for note in notes_of(folder / "checkpoints.txt"):
        try:
            size, root = opened(note, key)
        except (ValueError, IndexError) as wrong:
            problems.append(f"a checkpoint: {wrong}")
            continue
        roots[size] = root
        notes.add(note)
    return roots, notes, problems


def check_folder(folder: Path, pinned: str | None) -> tuple[int, int, list[str]]:
    """How many events and heads an export has, and every problem of it, in words."""
    roots, notes, problems = check_heads(folder, read_key(folder / "public_key.txt"))
    size, heads, stack = 0, len(notes), []
    with (folder / "events.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if "gone" in row:
                problems.append(f"event {row['id']} is gone")
            stack.append((0, leaf(row)))
            while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
                level, right = stack.pop()
                stack[-1] = (level + 1, node(stack[-1][1], right))
            size += 1
            if size in roots and fold(stack) != roots.pop(size):
                problems.append(f"the first {size} events are not those that were signed")
    problems += [f"the export ends before the signed {each} events" for each in sorted(roots)]
    kept = notes_of(pinned) if pinned else iter(())
    problems += [
        f"a pinned checkpoint is not here: {each.splitlines()[1]} events" for each in kept if each not in notes
    ]
    return size, heads, problems


def check_proof(proof: dict[str, Any], key: Key) -> list[str]:
    """One inclusion proof, by RFC 9162's recursion from the root down."""
    size, root = opened(proof["checkpoint"], key)
    hashes = [bytes.fromhex(each) for each in proof["proof"]]

    def climb(place: int, width: int) -> bytes:
        if width == 1:
            return leaf(proof["event"])
        half = 1 << ((width - 1).bit_length() - 1)
        beside = hashes.pop()
        return node(climb(place, half), beside) if place < half else node(beside, climb(place - half, width - half))

    try:
        fits = 0 <= proof["leaf_index"] < size and climb(proof["leaf_index"], size) == root and not hashes
    except IndexError:
        fits = False
    return [] if fits else ["the proof does not lead to the signed root"]


def main(words: list[str]) -> int:
    options = dict(zip(words, words[1:]))  # noqa: B905, RUF007  older versions of Python read this file
    try:
        if "--proof" in options:
            found = check_proof(json.loads(Path(options["--proof"]).read_text("utf-8")), read_key(options["--key"]))
            told = "the event is in the signed tree"
        else:
            size, heads, found = check_folder(Path(words[0]), options.get("--pinned"))
            told = f"{size} events, {heads} signed checkpoints: whole"
    except (OSError, ValueError, KeyError, IndexError) as wrong:
        found, told = [f"cannot be read: {wrong}"], ""
    sys.stdout.write("".join(f"PROBLEM: {each}\n" for each in found) or f"OK: {told}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
