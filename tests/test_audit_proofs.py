"""Notes say what was signed, the tree is that of the standard, and a proof holds for what it proves and for nothing else."""

from random import Random

import pytest
from audit_cases import EVENTS, LATER, SECRET, record, sealed_in_two_turns  # noqa: F401  a fixture among them
from hypothesis import given
from hypothesis import strategies as st
from journey import NOW

from harken.audit import merkle, note
from harken.audit.note import BadNoteError, Head, Signer
from harken.errors import UnsuitableError
from harken.flow import auditing
from harken.flow.audit_desk import AuditDesk


@given(st.data())
def test_law_notes_say_what_was_signed(data: st.DataObject) -> None:
    signer = Signer(data.draw(st.binary(min_size=32, max_size=32)))
    head = Head(
        size=data.draw(st.integers(1, 10**18)),
        root=data.draw(st.binary(min_size=32, max_size=32)),
        epoch=data.draw(st.integers(1, 10**8)),
        system=str(data.draw(st.integers(0, 2**63))),
        horizon=data.draw(st.integers(0, 2**64 - 1)),
        at=NOW.replace(microsecond=data.draw(st.integers(0, 999_999))),
    )
    signed = signer.signed(head)
    place = data.draw(st.integers(0, len(signed) - 1))
    spoilt = signed[:place] + chr(ord(signed[place]) ^ 1) + signed[place + 1 :]

    assert signer.public.opened(signed) == head
    assert note.public_key(signer.public.text).opened(signed) == head
    with pytest.raises(BadNoteError):
        signer.public.opened(spoilt)


@pytest.mark.parametrize(
    "text", ["", "a+b", "a+b+c", "harken-audit-0+00+AAAA", Signer(SECRET).public.text.replace("+", "+0", 1)]
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(UnsuitableError):
        note.public_key(text)


def naive(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else merkle.EMPTY
    split = max(2**k for k in range(20) if 2**k < len(leaves))
    return merkle.node_hash(naive(leaves[:split]), naive(leaves[split:]))


LEAVES = [merkle.leaf_hash(str(n).encode()) for n in range(600)]


def node(level: int, place: int) -> bytes:
    return merkle.complete(LEAVES[place << level : (place + 1) << level])


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 64, 255, 256, 257, 600])
def test_the_tree_is_that_of_the_standard(size: int) -> None:
    grown = merkle.Growing()
    for leaf in LEAVES[:size]:
        list(grown.add(leaf))

    assert grown.root() == merkle.over(LEAVES[:size]) == naive(LEAVES[:size])


def test_the_vectors_of_certificate_transparency() -> None:
    """The eight leaves that its implementations share."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [merkle.leaf_hash(bytes.fromhex(each)) for each in inputs]

    assert merkle.over(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.over(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(st.integers(1, 600), st.data())
def test_law_proofs_hold_and_hold_for_nothing_else(size: int, data: st.DataObject) -> None:
    leaf, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root, old_root = merkle.over(LEAVES[:size]), merkle.over(LEAVES[:old])
    included = [merkle.hashed(span, node) for span in merkle.inclusion(leaf, size)]
    added = [merkle.hashed(span, node) for span in merkle.consistency(old, size)]

    assert merkle.is_included(LEAVES[leaf], leaf, size, included, root)
    assert merkle.is_consistent(old, size, added, old_root, root)
    assert not merkle.is_included(LEAVES[leaf - 1], leaf, size, included, root) or size == 1
    assert not merkle.is_included(LEAVES[leaf], leaf, size, [*included, root], root)
    assert not merkle.is_consistent(old, size, added, root, old_root) or old == size


@pytest.mark.parametrize("number", [500, pytest.param(10_000, marks=pytest.mark.long)])
def test_forged_proofs_are_refused(number: int) -> None:
    chance = Random(number)
    accepted = [forged for _ in range(number) for forged in [forge(chance)] if forged]
    assert accepted == []


def forge(chance: Random) -> str | None:
    """A proof that is spoilt in one way, unless that leaves it as it was; None: refused, as it should be."""
    size = chance.randrange(2, 600)
    leaf, root = chance.randrange(size), merkle.over(LEAVES[:size])
    proof = [merkle.hashed(span, node) for span in merkle.inclusion(leaf, size)]
    hashed, way = LEAVES[leaf], chance.randrange(7)
    at, place = chance.randrange(len(proof)), leaf
    if way == 0:
        proof[at] = bytes([proof[at][0] ^ 1 << chance.randrange(8)]) + proof[at][1:]
    elif way == 1:
        del proof[at]
    elif way == 2:
        proof.insert(at, chance.randbytes(32))
    elif way == 3:
        hashed = chance.randbytes(32)
    elif way == 4:
        root = chance.randbytes(32)
    elif way == 5:
        place = (leaf + chance.randrange(1, size)) % size
    else:
        proof[at] = proof[at][: chance.randrange(32)]
    return f"{way} {size} {leaf}" if merkle.is_included(hashed, place, size, proof, root) else None


def test_one_head_is_proved_to_continue_another(desk: AuditDesk) -> None:
    proof = auditing.prove_consistency(EVENTS, EVENTS + LATER, desk)

    assert proof["ok"]
    with pytest.raises(auditing.NotSealedError):
        auditing.prove_consistency(EVENTS - 1, EVENTS, desk)


def test_an_event_that_is_not_sealed_is_not_proved(desk: AuditDesk, store_url: str) -> None:
    record(store_url, 1, 3000)
    with pytest.raises(auditing.NotSealedError):
        auditing.prove(EVENTS + LATER + 1, desk)
