"""A server whose keys are an issuer's, over HTTP: tokens of listed keys alone are taken, and a new key once it is listed."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from test_access_journey import ANYWHERE, PUBLIC, asked, command, serving

from harken.web.auth import minting


@contextmanager
def listing(folder: Path) -> Iterator[str]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/jwks.json"
        finally:
            server.shutdown()
            thread.join()


def token(home: Path, keys: Path) -> str:
    """The issuer's own, by whatever key it signs with now."""
    words = ("token", "make", "--role", "agent", "--subject", "lena")
    return command(home, *words, auth_keys=str(keys), auth_algorithm="EdDSA").stdout.strip()


def test_keys_of_an_issuer_over_http(store_url: str, tmp_path: Path) -> None:
    old, new, public = tmp_path / "old.json", tmp_path / "new.json", tmp_path / "public"
    public.mkdir()
    for keys in (old, new):
        assert command(tmp_path, "token", "key", "--out", str(keys)).returncode == 0
    listed = public / "jwks.json"
    listed.write_text(json.dumps(minting.public_set(old)))
    assert '"d"' not in listed.read_text()

    with listing(public) as at:
        configured = {"auth_jwks_url": at, "auth_algorithm": "EdDSA", "public_hosts": PUBLIC}
        with serving(tmp_path, store_url, ANYWHERE, **configured) as url:
            segments = partial(asked, f"{url}/api/v1/segments", host=PUBLIC)
            assert segments()[0] == 401
            listed.write_text(json.dumps(minting.public_set(new)))
            assert segments(token=token(tmp_path, old))[0] == 200, "known since the start"
            assert segments(token=token(tmp_path, new))[0] == 200, "listed since"
            assert segments(token=token(tmp_path, old))[0] == 401, "listed no more"

    gone = command(tmp_path, "serve", "--host", ANYWHERE, "--store", store_url, **configured)
    assert (gone.returncode, len(gone.stderr.splitlines())) == (1, 1), gone.stderr
    assert "could not be fetched" in gone.stderr
