"""A local server that speaks Anthropic Messages and OpenAI chat completions, with the faults that providers have.

    with serving() as server:
        server.script("anthropic", [Fault(529)])
        server.script("openai", [says({"message": "...", "reasoning": "..."})])

Each provider plays its script in order and repeats the last entry. Every request is kept: path, headers, JSON body.
"""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG_S = 3.0
USAGE = {"input": 1200, "output": 80}

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire."""

    provider: str
    path: str
    headers: Mapping[str, str]
    body: Body

    @property
    def prompt(self) -> str:
        """Every word that the model was shown."""
        return json.dumps([self.body.get("system"), self.body["messages"]], ensure_ascii=False)


@dataclass(frozen=True)
class Answer:
    """What the server sends back."""

    text: str = ""
    status: int = 200
    stop: str = "end"  #: end, length or refusal
    headers: Mapping[str, str] = field(default_factory=dict)
    html: bool = False
    raw: bytes = b""  #: the body as it is, whatever the format says
    dropped: bool = False  #: the connection is closed without an answer
    wait_s: float = 0.0  #: silence; the connection is closed after it
    then_answer: bool = False  #: after the silence, an answer
    drip_s: float = 0.0  #: seconds between single bytes of the body
    reset: bool = False  #: the connection is torn down in the middle of the body
    half: bool = False  #: half of the body comes, and then nothing for as long as the client waits
    calls: Sequence[tuple[str, str, Mapping[str, Any]]] = ()  #: tool calls (id, name, arguments) beside the text
    write: Callable[[Asked], str] | None = None  #: text made from the request: a model that obeys what it reads


def says(message: str, reasoning: str = "Explained.") -> Answer:
    return Answer(text=json.dumps({"message": message, "reasoning": reasoning}))


def fails(status: int, **headers: str) -> Answer:
    return Answer(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})


class FakeModels:
    """Two providers at one address, told apart by path."""

    def __init__(self, port: int, released: threading.Event) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.asked: list[Asked] = []
        self.released = released
        self.most_at_once = 0
        self.given_up = 0  #: answers that the client did not wait for to the end
        self.at_once = 0
        self.lock = threading.Lock()
        self._scripts: dict[str, list[Answer]] = {}

    def script(self, provider: str, *answers: Answer) -> None:
        self._scripts[provider] = list(answers)

    def next_answer(self, asked: Asked) -> Answer:
        with self.lock:
            self.asked.append(asked)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        script = self._scripts.get(asked.provider) or [fails(500)]
        return script.pop(0) if len(script) > 1 else script[0]

    def calls(self, provider: str) -> int:
        return sum(asked.provider == provider for asked in self.asked)


_ANTHROPIC_STOP = {"end": "end_turn", "length": "max_tokens", "refusal": "refusal"}
_OPENAI_STOP = {"end": "stop", "length": "length", "refusal": "content_filter"}


def _anthropic(text: str, answer: Answer, body: Body) -> Body:
    if answer.status >= 400:
        return {"type": "error", "error": {"type": "api_error", "message": f"failed with {answer.status}"}}
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [
            *([{"type": "text", "text": text}] if text or not answer.calls else []),
            *({"type": "tool_use", "id": id_, "name": name, "input": given} for id_, name, given in answer.calls),
        ],
        "stop_reason": _ANTHROPIC_STOP[answer.stop],
        "stop_sequence": None,
        "usage": {"input_tokens": USAGE["input"], "output_tokens": USAGE["output"]},
    }


def _openai(text: str, answer: Answer, body: Body) -> Body:
    if answer.status >= 400:
        return {"error": {"type": "server_error", "message": f"failed with {answer.status}", "code": None}}
    total = USAGE["input"] + USAGE["output"]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": body.get("model", "deployed"),
        "choices": [
            {
                "index": 0,
                "finish_reason": _OPENAI_STOP[answer.stop],
                "message": {"role": "assistant", "content": text} | _openai_calls(answer),
            }
        ],
        "usage": {"prompt_tokens": USAGE["input"], "completion_tokens": USAGE["output"], "total_tokens": total},
    }


def _openai_calls(answer: Answer) -> Body:
    if not answer.calls:
        return {}
    return {
        "tool_calls": [
            {"id": id_, "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
            for id_, name, given in answer.calls
        ]
    }


def _streamed(text: str, asked: Asked) -> bytes:
    """Server-sent events of a text, a few letters at a time."""
    pieces = [text[start : start + 4] for start in range(0, len(text), 4)]
    if asked.provider == "anthropic":
        whole = _anthropic("", Answer(), asked.body)
        events: list[Body] = [
            {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            *(
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
                for piece in pieces
            ),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
            {"type": "message_stop"},
        ]
        return "".join(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events).encode()
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    steps = [{"index": 0, "delta": {"role": "assistant", "content": piece}, "finish_reason": None} for piece in pieces]
    steps.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    lines = [json.dumps({**chunk, "choices": [step]}) for step in steps]
    return "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]).encode()


def _payload(answer: Answer, asked: Asked) -> bytes:
    if answer.html:
        return b"<html><body><h1>Welcome to the captive portal</h1></body></html>"
    if answer.raw:
        return answer.raw
    text = answer.write(asked) if answer.write else answer.text
    if asked.body.get("stream") and answer.status < 400:
        return _streamed(text, asked)
    shape = _anthropic if asked.provider == "anthropic" else _openai
    return json.dumps(shape(text, answer, asked.body)).encode()


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    models: FakeModels

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        provider = "anthropic" if self.path.startswith("/v1/messages") else "openai"
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(provider=provider, path=self.path, headers=headers, body=body)
        answer = self.models.next_answer(asked)
        silent = answer.dropped or (answer.wait_s and self._waits(answer))
        with self.models.lock:
            self.models.at_once -= 1
        if silent:
            self.close_connection = True
            return
        try:
            self._send(answer, _payload(answer, asked), streams=bool(asked.body.get("stream")) and answer.status < 400)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client gave up, as it should
            self.models.given_up += 1

    def _waits(self, answer: Answer) -> bool:
        """True when nothing is said afterwards."""
        self.models.released.wait(answer.wait_s)
        return not answer.then_answer

    def _send(self, answer: Answer, payload: bytes, *, streams: bool) -> None:
        self.send_response(answer.status)
        kind = "text/event-stream" if streams else "application/json"
        self.send_header("content-type", "text/html" if answer.html else kind)
        self.send_header("content-length", str(len(payload)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.half or answer.reset:
            self._break_off(answer, payload[: len(payload) // 2])
            return
        if not answer.drip_s:
            self._headers_buffer += [b"\r\n", payload]  # head and body in one packet
            self.flush_headers()
            return
        self.end_headers()
        for byte in payload:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(answer.drip_s)

    def _break_off(self, answer: Answer, part: bytes) -> None:
        self._headers_buffer += [b"\r\n", part]
        self.flush_headers()
        self.close_connection = True
        if answer.half:
            self.models.released.wait(HANG_S)
            return
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@contextmanager
def serving() -> Iterator[FakeModels]:
    released = threading.Event()
    door = type("Door", (_Door,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), door)
    server.daemon_threads = True
    models = FakeModels(server.server_address[1], released)
    door.models = models
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield models
    finally:
        released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def texts(asked: Sequence[Asked]) -> str:
    return "\n".join(one.prompt for one in asked)
