"""State <-> bytes at rest: JSON with sorted keys, so equal states are equal bytes."""

import orjson

from harken.profiles.fold import State


def to_bytes(state: State) -> bytes:
    return orjson.dumps(state, option=orjson.OPT_SORT_KEYS)


def from_bytes(stored: bytes | memoryview | str) -> State:
    state: State = orjson.loads(stored)
    return state
