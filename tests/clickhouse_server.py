"""The embedded ClickHouse behind the HTTP interface of its server: what the real client needs of one, in tests.

python clickhouse_server.py FOLDER PASSWORD      prints the port and serves until its standard input ends
"""

import email.parser
import gzip
import os
import re
import sys
import tempfile
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import chdb
import lz4.frame
from backports import zstd

USER = "harken"
_NO_SETTINGS = {
    "query", "database", "default_format", "client_protocol_version", "wait_end_of_query", "enable_http_compression",
    "compress", "decompress", "user", "password", "role", "query_id", "send_progress_in_http_headers",
    "http_headers_progress_interval_ms", "session_id",
}  # fmt: skip
_FORMAT = re.compile(r"(?is)\bFORMAT\s+(\w+)\s*;?\s*$")


class Refused(Exception):
    """As the engine would say it."""


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or every answer waits 40 ms for the reader's acknowledgement of its head
    folder = ""
    password = ""

    def log_message(self, *said: Any) -> None: ...

    def do_GET(self) -> None:
        body = self._body()
        address = urllib.parse.urlsplit(self.path)
        asked = dict(urllib.parse.parse_qsl(address.query, keep_blank_values=True))
        if address.path == "/ping":
            return self._answer(200, b"Ok.\n")
        if "multipart/form-data" in self.headers.get("Content-Type", ""):
            asked |= self._form(body)
            body = b""
        try:
            self._check_login()
            return self._answer(200, *self._run(asked, body))
        except (RuntimeError, Refused) as wrong:
            code = re.search(r"Code: (\d+)", str(wrong))
            return self._answer(500, str(wrong).encode(), **{"X-ClickHouse-Exception-Code": code[1] if code else "1"})

    do_POST = do_GET

    def _check_login(self) -> None:
        given = self.headers.get("Authorization", "")
        import base64  # noqa: PLC0415  only here

        if given != "Basic " + base64.b64encode(f"{USER}:{self.password}".encode()).decode():
            raise Refused("Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)")

    def _run(self, asked: dict[str, str], body: bytes) -> tuple[bytes, str]:
        handle = chdb.connect(self.folder)
        try:
            if database := asked.get("database"):
                handle.query(f"USE `{database}`")
            settings = {k: v for k, v in asked.items() if k not in _NO_SETTINGS and not k.startswith("param_")}
            for name, value in settings.items():
                handle.query(f"SET {name} = '{value}'")
            query = asked.get("query") or ""
            if not query or body.startswith(b"INSERT"):
                head, _, body = body.partition(b"\n") if _is_insert(body) else (body, b"", b"")
                query = head.decode()
            return _inserted(handle, query, body) if body else _queried(handle, query, asked)
        finally:
            handle.close()

    def _form(self, body: bytes) -> dict[str, str]:
        form = email.parser.BytesParser().parsebytes(
            b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n" + body
        )
        return {
            part.get_param("name", header="content-disposition"): part.get_payload(decode=True).decode()
            for part in form.get_payload()
        }

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(pieces)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        packed = self.headers.get("Content-Encoding", "")
        return {"lz4": _unlz4, "gzip": gzip.decompress, "zstd": zstd.decompress, "": bytes}[packed](body)

    def _answer(self, code: int, body: bytes, format: str = "", **headers: str) -> None:
        self.send_response(code)
        named = {"X-ClickHouse-Timezone": "UTC", "X-ClickHouse-Format": format, "X-ClickHouse-Summary": "{}", **headers}
        for name, value in {"Content-Length": str(len(body)), **named}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _is_insert(body: bytes) -> bool:
    first = body.partition(b"\n")[0]
    return first[:6].upper() == b"INSERT" and b" FORMAT " in first


def _inserted(handle: Any, query: str, body: bytes) -> tuple[bytes, str]:
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(body)
    try:
        named = _FORMAT.search(query)
        if named is None:
            raise Refused("Code: 62. DB::Exception: An insert names its format. (SYNTAX_ERROR)")
        handle.query(f"{query[: named.start()]} FROM INFILE '{file.name}' FORMAT {named[1]}")
        return b"", named[1]
    finally:
        os.unlink(file.name)


def _queried(handle: Any, query: str, asked: dict[str, str]) -> tuple[bytes, str]:
    named = _FORMAT.search(query)
    format = named[1] if named else asked.get("default_format", "TabSeparated")
    values = {name.removeprefix("param_"): value for name, value in asked.items() if name.startswith("param_")}
    found = handle.query(query, format, params=values) if values else handle.query(query, format)
    return (found.bytes() or b"") if found is not None else b"", format


def _unlz4(packed: bytes) -> bytes:
    pieces = []
    while packed:  # every block is a frame of its own
        frame = lz4.frame.LZ4FrameDecompressor()
        pieces.append(frame.decompress(packed))
        packed = frame.unused_data or b""
    return b"".join(pieces)


if __name__ == "__main__":
    Door.folder, Door.password = sys.argv[1:]
    keeps_the_engine_up = chdb.connect(Door.folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)  # noqa: T201  whoever started it waits for this
    sys.stdin.read()
    keeps_the_engine_up.close()
