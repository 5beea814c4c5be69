"""A store's URL -> which ClickHouse it means."""

import re
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit

from harken.errors import UnsuitableError

SERVER, EMBEDDED = "clickhouse://", "chdb://"
_TLS_PORTS = (443, 8443)
_HOST = re.compile(r"[\w.-]+", re.ASCII)
_SHAPE = "A ClickHouse server is clickhouse://USER:PASSWORD@HOST:PORT/DATABASE, and the embedded one chdb:///FOLDER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    secure: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """Of the embedded engine; one process at a time may have it open."""

    path: str


def is_clickhouse(url: str) -> bool:
    return url.startswith((SERVER, EMBEDDED))


def is_embedded(url: str) -> bool:
    return url.startswith(EMBEDDED)


def read(url: str) -> Server | Folder:
    """Raises UnsuitableError, without the URL, which may hold a password."""
    if is_embedded(url):
        if not (path := unquote(url.removeprefix(EMBEDDED))):
            raise UnsuitableError(f"The store's URL names no folder. {_SHAPE}.")
        return Folder(path)
    try:
        parts = urlsplit(url)
        return _server(parts, parts.port)
    except ValueError:
        raise UnsuitableError(f"The store's URL cannot be read. {_SHAPE}.") from None


def _server(parts: SplitResult, port: int | None) -> Server:
    if not parts.hostname:
        raise UnsuitableError(f"The store's URL names no host. {_SHAPE}.")
    secure = port in _TLS_PORTS or parse_qs(parts.query).get("secure") == ["true"]
    return Server(
        host=parts.hostname,
        port=port or (8443 if secure else 8123),
        user=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.strip("/")) or "default",
        secure=secure,
    )


def url_of(*, host: str, port: int, user: str, password: str, database: str) -> str:
    """As `read` takes it. Raises UnsuitableError for a host that is more than a name."""
    login, named = f"{quote(user, safe='')}:{quote(password, safe='')}", quote(database, safe="")
    return f"{SERVER}{login}@{_host(host)}:{port}/{named}"


def _host(given: str) -> str:
    if _HOST.fullmatch(given):
        return given
    try:
        return f"[{IPv6Address(given.strip('[]'))}]"
    except ValueError:
        raise UnsuitableError(
            "CLICKHOUSE_HOST is a server's name and nothing else, without https:// and without a port: that is CLICKHOUSE_PORT."
        ) from None
