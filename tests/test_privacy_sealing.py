"""A message rests under its subject's key: it comes back whole, as itself, or not at all."""

import pytest
from examples import tries
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.errors import RefusedError, UnsuitableError
from harken.privacy import sealing
from harken.privacy.keys import WrongKeyError, new_key
from harken.privacy.sealing import Body, ErasedError, Sealer

KEY, OTHER = bytes(range(32)), bytes(32)
BODY = Body("@bank see https://x.example #help", ((0, 5, "mention"), (28, 33, "tag")))

spans = st.tuples(st.integers(0, 9), st.integers(9, 99), st.sampled_from(["url", "mention", "tag"]))
bodies = st.builds(Body, st.text(max_size=80), st.lists(spans, max_size=3).map(tuple))


@given(bodies, st.text(max_size=20))
def test_unsealing_gives_the_message_back(body: Body, event_id: str) -> None:
    assert sealing.unseal(KEY, event_id, sealing.seal(KEY, event_id, body)) == body


def test_half_a_surrogate_pair_is_kept() -> None:
    body = Body("broken \ud83d emoji \U0001f600", BODY.spans)
    assert sealing.unseal(KEY, "e1", sealing.seal(KEY, "e1", body)) == body


@settings(max_examples=tries(80))
@given(st.data(), st.integers(1, 255))
def test_a_changed_byte_is_noticed(data: st.DataObject, change: int) -> None:
    blob = bytearray(sealing.seal(KEY, "e1", BODY))
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= change
    with pytest.raises(WrongKeyError):
        sealing.unseal(KEY, "e1", bytes(blob))


@given(st.integers(0, 40))
def test_a_part_of_it_is_refused(length: int) -> None:
    with pytest.raises(WrongKeyError):
        sealing.unseal(KEY, "e1", sealing.seal(KEY, "e1", BODY)[:length])


def test_another_event_or_another_key_is_refused() -> None:
    blob = sealing.seal(KEY, "e1", BODY)
    for key, event_id in ((KEY, "e2"), (OTHER, "e1")):
        with pytest.raises(WrongKeyError) as refused:
            sealing.unseal(key, event_id, blob)
        assert isinstance(refused.value, UnsuitableError)
        assert key.hex() not in str(refused.value)


def test_without_its_key_a_message_is_erased() -> None:
    with pytest.raises(ErasedError, match="destroyed") as erased:
        sealing.unseal(None, "e1", sealing.seal(KEY, "e1", BODY))
    assert isinstance(erased.value, RefusedError)
    assert erased.value.status == 410


def test_the_same_message_never_looks_the_same() -> None:
    sealer = Sealer()
    blobs = {sealer.seal(KEY, "e1", BODY) for _ in range(20)}
    assert len({blob[1:13] for blob in blobs}) == 20
    assert not any(b"bank" in blob for blob in blobs)


def test_a_sealer_follows_the_keys_it_is_given() -> None:
    sealer, keys = Sealer(), [new_key(), new_key()]
    order = [0, 0, 1, 0, 1, 1]
    blobs = [sealer.seal(keys[which], f"e{number}", BODY) for number, which in enumerate(order)]
    for number, which in enumerate(order):
        assert sealer.unseal(keys[which], f"e{number}", blobs[number]) == BODY
        with pytest.raises(WrongKeyError):
            sealer.unseal(keys[1 - which], f"e{number}", blobs[number])
    assert "hidden" in repr(sealer)
