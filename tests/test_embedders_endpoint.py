"""Vectors and judgements of an endpoint: what is sent, what is believed, and what is said when it fails."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from harken.adapters.embedders.endpoint import EndpointEmbedder
from harken.adapters.judges import EndpointJudge
from harken.bootstrap import library
from harken.errors import TryAgainError, UnsuitableError
from harken.settings import Settings

Body = dict[str, Any]


class Server:
    """What a test's server answers, and what it was asked."""

    def __init__(self, url: str, released: threading.Event) -> None:
        self.url, self.released = url, released
        self.answer: Callable[[Body], tuple[int, Any]] = vectors
        self.asked: list[tuple[str, str, Body]] = []

    @property
    def sizes(self) -> list[int]:
        return [len(body["input"]) for _, _, body in self.asked]


def vectors(body: Body) -> tuple[int, Any]:
    """As many numbers as were asked for: the text's length first. Out of order, as a server may answer."""
    size = body.get("dimensions", 3)
    data = [{"index": at, "embedding": [len(text), *[1.0] * (size - 1)]} for at, text in enumerate(body["input"])]
    return 200, {"object": "list", "data": data[::-1], "model": body["model"]}


class Door(BaseHTTPRequestHandler):
    server_of_test: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server_of_test.asked.append((self.path, self.headers.get("authorization", ""), body))
        status, answer = self.server_of_test.answer(body)
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    door = type("OfThisTest", (Door,), {})
    listening = ThreadingHTTPServer(("127.0.0.1", 0), door)
    made = door.server_of_test = Server(f"http://127.0.0.1:{listening.server_address[1]}/v1", threading.Event())
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield made
    made.released.set()
    listening.shutdown()
    listening.server_close()
    thread.join()


KEY = SecretStr("sk-HUSH")


def embedder(server: Server, **more: Any) -> EndpointEmbedder:
    return EndpointEmbedder(KEY, url=server.url, model="bge-m3", **more)


def test_an_endpoint_gets_128_texts_at_a_time_and_none_without_a_word(server: Server) -> None:
    texts = ["word " * (number % 7) for number in range(300)]

    found = embedder(server).embed(texts)

    assert server.sizes == [128, 128, 1]
    assert {(path, key) for path, key, _ in server.asked} == {("/v1/embeddings", "Bearer sk-HUSH")}
    assert found.shape == (300, 3)
    for row, text in enumerate(texts):
        expected = np.array([len(text), 1, 1]) / np.linalg.norm([len(text), 1, 1]) if text else np.zeros(3)
        assert found[row] == pytest.approx(expected, abs=1e-6)


def test_an_endpoints_dimension_is_learnt_or_asked_for(server: Server) -> None:
    asked, learnt = embedder(server, dimension=8), embedder(server)

    assert (asked.dimension, server.sizes) == (8, [])
    assert asked.embed(["a"]).shape == (1, 8)
    assert server.asked[0][2]["dimensions"] == 8
    assert learnt.embed(["b"]).shape == (1, 3)
    assert (learnt.dimension, server.sizes) == (3, [1, 1])
    assert embedder(server).embed([]).shape == (0, 3)
    assert asked.model != learnt.model


def refused(body: Body) -> tuple[int, Any]:
    return 401, {"error": {"message": f"wrong key sk-HUSH for {body}", "code": None}}


def another_size(body: Body) -> tuple[int, Any]:
    return 200, {"data": [{"index": at, "embedding": [1.0] * (at + 1)} for at, _ in enumerate(body["input"])]}


ODD: list[tuple[Callable[[Body], tuple[int, Any]], str]] = [
    (refused, "HTTP 401"),
    (lambda body: (500, b"<html>"), "HTTP 500"),
    (lambda body: (200, b"<html>captive portal</html>"), "the answer is not"),
    (lambda body: (200, {"data": []}), "not one vector a text"),
    (lambda body: (200, {"data": None}), "the answer is not"),
    (lambda body: (200, {"data": [{"index": 0, "embedding": "AAAA"}, {"index": 1}]}), "the answer is not"),
    (lambda body: (200, {"data": [{"index": 0, "embedding": [float("nan")]}] * 2}), "not one vector a text"),
    (another_size, "the answer is not"),
]


@pytest.mark.parametrize(("answer", "said"), ODD)
def test_an_endpoint_that_fails_is_one_clear_line(
    answer: Callable[[Body], tuple[int, Any]], said: str, server: Server
) -> None:
    server.answer = answer

    with pytest.raises(TryAgainError, match=said) as failed:
        embedder(server).embed(["secret words", "other words"])

    assert len(server.asked) == 1, "nobody asks twice by himself"
    assert failed.value.__cause__ is None
    for hidden in ("HUSH", "secret words", "\n"):
        assert hidden not in str(failed.value)


def test_an_endpoint_that_changes_its_length_is_not_believed(server: Server) -> None:
    model = embedder(server)
    model.embed(["hello"])
    server.answer = lambda body: (200, {"data": [{"index": 0, "embedding": [1.0, 2.0]}]})

    with pytest.raises(TryAgainError, match="2 numbers a text instead of 3"):
        model.embed(["hello"])


def waits(server: Server) -> Callable[[Body], tuple[int, Any]]:
    def answer(body: Body) -> tuple[int, Any]:
        server.released.wait(30)
        return 500, b""

    return answer


def test_nobody_answers_in_time(server: Server) -> None:
    server.answer = waits(server)

    with pytest.raises(TryAgainError, match="no answer in time"):
        embedder(server, timeout_s=0.2).embed(["hello"])
    with pytest.raises(TryAgainError, match="no answer in time"):
        EndpointJudge(KEY, url=server.url, model="m", timeout_s=0.2).judge("q", ["p"])


def test_nobody_is_there() -> None:
    with pytest.raises(TryAgainError, match="no connection"):
        EndpointEmbedder(KEY, url="http://127.0.0.1:9/v1", model="m").embed(["hello"])
    with pytest.raises(TryAgainError, match="no connection"):
        EndpointJudge(KEY, url="http://127.0.0.1:9/v1", model="m").judge("q", ["p"])


def judged(*scores: float) -> Callable[[Body], tuple[int, Any]]:
    found = [{"index": at, "relevance_score": score} for at, score in enumerate(scores)]
    return lambda body: (200, {"results": sorted(found, key=lambda each: -float(each["relevance_score"]))})


@pytest.mark.parametrize(
    ("scores", "expected"),
    [((0.1, 0.9, 0.0, 1.0), (0.1, 0.9, 0.0, 1.0)), ((-2.0, 5.0, 0.5), (0.1192, 0.9933, 0.6225)), ((-2000.0, 3.0), (0, 0.9526))],
)  # fmt: skip
def test_a_judge_scores_in_the_passages_order(
    scores: tuple[float, ...], expected: tuple[float, ...], server: Server
) -> None:
    server.answer = judged(*scores)
    passages = [f"passage {number}" for number in range(len(scores))]

    found = EndpointJudge(KEY, url=f"{server.url}/", model="reranker").judge("Where is my card?", passages)

    assert list(found) == pytest.approx(expected, abs=1e-4)
    assert server.asked == [
        ("/v1/rerank", "Bearer sk-HUSH", {"model": "reranker", "query": "Where is my card?", "documents": passages})
    ]


def test_no_passage_asks_nobody(server: Server) -> None:
    assert list(EndpointJudge(KEY, url=server.url, model="m").judge("q", [])) == []
    assert server.asked == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refused, "HTTP 401"),
        (judged(0.5), "the answer is not"),
        (judged(0.5, 0.1, 0.2), "the answer is not"),
        (judged(0.5, float("inf")), "the answer is not"),
        (lambda body: (200, []), "the answer is not"),
        (lambda body: (200, b"<html>"), "the answer is not"),
    ],
)
def test_a_judge_that_fails_is_one_clear_line(
    answer: Callable[[Body], tuple[int, Any]], said: str, server: Server
) -> None:
    server.answer = answer

    with pytest.raises(TryAgainError, match=said) as failed:
        EndpointJudge(KEY, url=server.url, model="m").judge("secret words", ["one", "two"])

    assert failed.value.__cause__ is None
    for hidden in ("HUSH", "secret words", "\n"):
        assert hidden not in str(failed.value)


def test_the_settings_choose(server: Server, tmp_path: Path) -> None:
    plain = Settings(_env_file=None, home=tmp_path)
    asks = plain.model_copy(
        update={"embedder": "endpoint", "embeddings_url": server.url, "embeddings_model": "m",
                "rerank_url": server.url, "rerank_model": "r"}
    )  # fmt: skip
    server.answer = lambda body: vectors(body) if "input" in body else judged(0.5)(body)

    assert library.embedder_of(plain).model.startswith("wordllama-")
    assert library.judge_of(plain) is None
    assert library.embedder_of(plain.model_copy(update={"embedder": "minilm"})).dimension == 384
    assert library.embedder_of(asks).embed(["hello"]).shape == (1, 3)
    judge = library.judge_of(asks)
    assert judge is not None
    assert list(judge.judge("q", ["p"])) == [0.5]


def test_what_an_endpoint_lacks_is_named(tmp_path: Path) -> None:
    plain = Settings(_env_file=None, home=tmp_path)

    with pytest.raises(UnsuitableError, match="needs HARKEN_EMBEDDINGS_URL and HARKEN_EMBEDDINGS_MODEL"):
        library.embedder_of(plain.model_copy(update={"embedder": "endpoint", "embeddings_model": "m"}))
    with pytest.raises(UnsuitableError, match="needs HARKEN_RERANK_MODEL"):
        library.judge_of(plain.model_copy(update={"rerank_url": "http://h/v1"}))
