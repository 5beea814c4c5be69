"""An HTTP client for providers -> one that gives up an answer that is longer than any answer of theirs."""

from collections.abc import AsyncIterator
from typing import Final, cast

import httpx2

MOST_BYTES: Final = 2_000_000
"""An answer has some thousand tokens; whoever sends more sends something else."""


class TooLongError(httpx2.ReadError):
    """The answer is longer than any answer of a language model."""


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream, self._left = stream, MOST_BYTES

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._left -= len(piece)
            if self._left < 0:
                raise TooLongError("The answer is too long.")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


def bounded_client() -> httpx2.AsyncClient:
    """Its timeouts are the caller's, a request at a time. Bytes are counted as they come, so nothing may be packed into them."""
    return httpx2.AsyncClient(timeout=None, event_hooks={"request": [_ask_for_plain], "response": [_bound]})


async def _ask_for_plain(request: httpx2.Request) -> None:
    request.headers["accept-encoding"] = "identity"


async def _bound(response: httpx2.Response) -> None:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise TooLongError("The answer is compressed, which nobody asked for.")
    response.stream = _Bounded(cast(httpx2.AsyncByteStream, response.stream))
