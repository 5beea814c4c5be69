"""A file whose size and hash are known -> that file on this machine, or an error: nothing else is ever kept."""

import base64
import hashlib
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from selectolax.lexbor import LexborHTMLParser

from harken.errors import TryAgainError, UnsuitableError

TIMEOUT_S = 30.0
PAGE_BYTES = 4_000_000
PIECE_BYTES = 1 << 18
_SIMPLE_API = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.5, text/html;q=0.1"

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A file that nobody can exchange for another."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where to ask, with what opens it; the key is shown to this host alone, and to nobody on a screen."""

    url: str
    key: str = ""

    @classmethod
    def of(cls, address: str) -> "Place":
        """`https://USER:PASSWORD@HOST/…` -> the address without them, and the header that says them."""
        parts = urlsplit(address)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise UnsuitableError("A package index is https://HOST/PATH; see HARKEN_PACKAGE_INDEX in docs/settings.md.")
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        if parts.username is None:
            return cls(bare)
        said = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return cls(bare, f"Basic {base64.b64encode(said.encode()).decode()}")

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def at(self, address: str) -> "Place":
        """An address that was found on this page."""
        found = Place.of(urljoin(self.url, address))
        return Place(found.url, self.key) if found.host == self.host else found


def link(index: str, package: str, wanted: Pinned) -> Place:
    """Where a package index (PEP 503 or PEP 691) has a file."""
    page = Place.of(f"{index.rstrip('/')}/{package}/")
    with _opened(page, accept=_SIMPLE_API) as answer:
        content, html = answer.read(PAGE_BYTES), "json" not in answer.headers.get("content-type", "")
    found = dict(_links_of_html(content) if html else _links_of_json(content))
    if wanted.name not in found:
        raise TryAgainError(f"{page.host} has no {wanted.name}")
    return page.at(found[wanted.name])


def _links_of_html(content: bytes) -> Iterator[tuple[str, str]]:
    for each in LexborHTMLParser(content).css("a[href]"):
        yield each.text(strip=True), (each.attributes["href"] or "").partition("#")[0]


def _links_of_json(content: bytes) -> Iterator[tuple[str, str]]:
    try:
        for each in json.loads(content)["files"]:
            yield each["filename"], each["url"]
    except (ValueError, KeyError, TypeError):
        raise TryAgainError("the package index answered with something else than a list of files") from None


def download(place: Place, wanted: Pinned, into: Path, advance: Advance) -> None:
    """Written as it comes. Raises UnsuitableError where it is another file, TryAgainError where it does not come."""
    with _opened(place) as answer, into.open("wb") as file:
        keep(answer, wanted, file, advance, source=place.host)


def keep(source_file: IO[bytes], wanted: Pinned, into: IO[bytes], advance: Advance, *, source: str) -> None:
    """Copy not more than the size that is known, and compare."""
    digest, size = hashlib.sha256(), 0
    while piece := source_file.read(min(PIECE_BYTES, wanted.size + 1 - size)):
        size += len(piece)
        digest.update(piece)
        into.write(piece)
        advance(len(piece))
    if size < wanted.size:
        raise TryAgainError(f"{source} gave only {size:,} of {wanted.size:,} bytes of {wanted.name}")
    if digest.hexdigest() != wanted.sha256:
        raise UnsuitableError(
            f"What {source} has as {wanted.name} is another file than the one we know (SHA-256). Nothing was kept."
        )


class _OnlyHttps(HTTPRedirectHandler):
    def redirect_request(self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Request | None:
        if urlsplit(newurl).scheme != "https":
            raise URLError("it leads to an address that is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextmanager
def _opened(place: Place, *, accept: str = "*/*") -> Iterator[Any]:
    request = Request(place.url, headers={"Accept": accept, "User-Agent": "harken"})
    if place.key:
        request.add_unredirected_header("Authorization", place.key)
    try:
        with build_opener(_OnlyHttps).open(request, timeout=TIMEOUT_S) as answer:
            yield answer
    except HTTPError as refused:
        refused.close()
        raise TryAgainError(f"{place.host} answered {refused.code}") from None
    except (URLError, TimeoutError, HTTPException, ConnectionError, ssl.SSLError) as broken:
        reason = getattr(broken, "reason", None) or broken
        raise TryAgainError(f"{place.host} did not answer ({reason})") from None
