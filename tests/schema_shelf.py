"""A schema registry for tests: a real server on the loopback address."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

from harken.adapters.kafka import address
from harken.adapters.kafka.registry import SchemaRegistry

SECRET = "hush/hush@"
LOGIN = "ada:hush%2Fhush%40@"


class Shelf(BaseHTTPRequestHandler):
    """As much of a schema registry as answers us, by its documented interface; a schema is compatible when it has as many letters."""

    def log_message(self, *said: Any) -> None: ...

    def do_GET(self) -> None:
        if self._is_let_in():
            number = int(self.path.removeprefix("/schemas/ids/"))
            known = self.server.schemas  # type: ignore[attr-defined]
            if number > len(known):
                return self._answer(404, {"error_code": 40403, "message": "Schema not found: customers' words"})
            return self._answer(200, {"schema": known[number - 1], "schemaType": "JSON"})
        return None

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._is_let_in():
            return None
        known, schema = self.server.schemas, sent["schema"]  # type: ignore[attr-defined]
        assert sent["schemaType"] == "JSON"
        if self.path == "/subjects/said%2Fhere-value/versions":
            if not schema.startswith("{"):
                return self._answer(422, {"error_code": 42201, "message": f"Invalid schema {schema}"})
            known.append(schema)
            return self._answer(200, {"id": len(known)})
        if self.path == "/compatibility/subjects/said%2Fhere-value/versions/latest" and known:
            return self._answer(200, {"is_compatible": len(schema) == len(known[-1])})
        return self._answer(404, {"error_code": 40401, "message": "Subject not found."})

    def _is_let_in(self) -> bool:
        self.server.asked.append(f"{self.command} {self.path}")  # type: ignore[attr-defined]
        wrong: int = self.server.status  # type: ignore[attr-defined]
        if wrong in {301, 302}:
            self._answer(wrong, {}, Location=f"http://127.0.0.1:{self.server.server_port}/elsewhere")  # type: ignore[attr-defined]
        elif wrong:
            self._answer(wrong, "nothing like a registry" if wrong == 200 else {"message": "customers' words"})
        elif self.headers["Authorization"] != "Basic YWRhOmh1c2gvaHVzaEA=":
            self._answer(401, {"error_code": 40101, "message": "Unauthorized"})
        else:
            return True
        return False

    def _answer(self, status: int, said: object, **headers: str) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def shelf() -> Iterator[Any]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Shelf) as server:
        server.schemas, server.asked, server.status = [], [], 0  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def client_of(server: Any, login: str = LOGIN) -> SchemaRegistry:
    url = f"http://{login}127.0.0.1:{server.server_port}/"
    found = address.read(f"kafka://localhost/messages?registry={quote(url)}").registry
    assert found is not None
    return SchemaRegistry(found)
