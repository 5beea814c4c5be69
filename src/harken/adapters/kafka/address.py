"""A URL -> which Kafka it means, which topic, and how to get in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from harken.errors import UnsuitableError

SCHEME = "kafka://"
DEFAULT_PORT, DEFAULT_GROUP = 9092, "harken"
_SHAPE = "It is kafka://HOST:PORT[,HOST:PORT]/TOPIC[?group=NAME&registry=http://HOST:PORT]"
_HOST = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?", re.ASCII)
_TOPIC = re.compile(r"[\w.-]{1,249}", re.ASCII)
_SECURITIES = ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_PARAMETERS = ("group", "registry", "security", "sasl", "ca")


@dataclass(frozen=True, slots=True)
class Login:
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Where a schema registry answers; `url` has no login in it and no slash at its end."""

    url: str
    login: Login | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    brokers: tuple[str, ...]
    """As HOST:PORT; any one of them knows the others."""

    topic: str
    group: str = DEFAULT_GROUP
    registry: Registry | None = None
    security: str = "plaintext"
    login: Login | None = None
    mechanism: str = "PLAIN"
    ca: str | None = None
    """A file with the certificates to trust, in PEM; None: those of the system."""

    @property
    def where(self) -> str:
        """For people: no login in it."""
        return ", ".join(self.brokers)

    def client(self) -> Mapping[str, str | int]:
        """What every client of librdkafka has to be told, by its names. Holds the password."""
        told: dict[str, str | int] = {"bootstrap.servers": ",".join(self.brokers), "security.protocol": self.security}
        if self.ca is not None:
            told["ssl.ca.location"] = self.ca
        if self.login is not None:
            told |= {"sasl.mechanism": self.mechanism, "sasl.username": self.login.user}
            told["sasl.password"] = self.login.password
        # What it would write to standard error reaches people as one line of ours.
        return MappingProxyType({**told, "log_level": 0})


def is_kafka(url: str) -> bool:
    return url.startswith(SCHEME)


def read(url: str) -> Address:
    """Raises UnsuitableError, without the URL, which may hold a password."""
    try:
        parts = urlsplit(url)
        asked = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise _unsuitable("cannot be read") from None
    if not is_kafka(url) or parts.fragment:
        raise _unsuitable("cannot be read")
    if unknown := sorted(asked.keys() - set(_PARAMETERS)):
        raise _unsuitable(f"has a parameter {unknown[0]!r}; known are {', '.join(_PARAMETERS)}")
    login, hosts = _login(parts.netloc)
    return Address(
        brokers=tuple(_broker(host) for host in hosts.split(",")),
        topic=_topic(parts),
        group=_group(asked),
        registry=_registry(asked["registry"]) if "registry" in asked else None,
        security=_security(asked.get("security"), login),
        login=login,
        mechanism=_one_of(_MECHANISMS, "sasl", asked.get("sasl", "PLAIN")),
        ca=asked.get("ca") or None,
    )


def _login(netloc: str) -> tuple[Login | None, str]:
    before, at, hosts = netloc.rpartition("@")
    if not at:
        return None, hosts
    user, _, password = before.partition(":")
    if not user:
        raise _unsuitable("has a login without a user")
    return Login(unquote(user), unquote(password)), hosts


def _broker(host: str) -> str:
    found = _HOST.fullmatch(host)
    port = int(found[2] or DEFAULT_PORT) if found else 0
    if found is None or not 0 < port < 65_536:
        raise _unsuitable("names no broker" if not host else "names a broker that is no HOST:PORT")
    return f"{found[1]}:{port}"


def _topic(parts: SplitResult) -> str:
    topic = unquote(parts.path).strip("/")
    if not _TOPIC.fullmatch(topic) or topic in {".", ".."}:
        raise _unsuitable("names no topic" if not topic else "names a topic that Kafka would refuse")
    return topic


def _group(asked: Mapping[str, str]) -> str:
    group = asked.get("group", DEFAULT_GROUP)
    if not group:
        raise _unsuitable("names an empty group")
    return group


def _security(asked: str | None, login: Login | None) -> str:
    """A password goes over an unencrypted line only where that is asked for."""
    security = _one_of(_SECURITIES, "security", asked or ("sasl_ssl" if login else "plaintext"))
    if security.startswith("sasl") != (login is not None):
        raise _unsuitable(f"says security={security}, which {'needs a' if login is None else 'has no'} USER:PASSWORD@")
    return security


def _one_of(known: tuple[str, ...], name: str, given: str) -> str:
    if given not in known:
        raise _unsuitable(f"has a {name} that is none of {', '.join(known)}")
    return given


def _registry(url: str) -> Registry:
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise _unsuitable("has a registry that cannot be read") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise _unsuitable("has a registry that is no http://HOST:PORT; as a parameter it is percent-encoded")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    login = Login(unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return Registry(url=f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}", login=login)


def _unsuitable(what: str) -> UnsuitableError:
    return UnsuitableError(f"Kafka's URL {what}. {_SHAPE}.")
