"""Kafka's URL and the schema registry's wire format and answers: no broker."""

from urllib.parse import quote

import pytest
from schema_shelf import LOGIN, SECRET, client_of, shelf

from harken.adapters.kafka import address, registry
from harken.adapters.kafka.address import Address, Login, Registry
from harken.errors import TryAgainError, UnsuitableError


def test_a_short_url_has_defaults() -> None:
    assert address.read("kafka://localhost/messages") == Address(brokers=("localhost:9092",), topic="messages")


def test_a_long_url_says_it_all() -> None:
    url = f"kafka://{LOGIN}one.example:9093,[::1]:9094/said.here?group=desk-2&registry=" + quote(
        f"https://{LOGIN}two.example/base/"
    )
    found = address.read(f"{url}&security=sasl_plaintext&sasl=SCRAM-SHA-512&ca=ca.pem")

    assert found == Address(
        brokers=("one.example:9093", "[::1]:9094"),
        topic="said.here",
        group="desk-2",
        registry=Registry(url="https://two.example/base", login=Login("ada", SECRET)),
        security="sasl_plaintext",
        login=Login("ada", SECRET),
        mechanism="SCRAM-SHA-512",
        ca="ca.pem",
    )
    assert dict(found.client()) == {
        "bootstrap.servers": "one.example:9093,[::1]:9094",
        "security.protocol": "sasl_plaintext",
        "ssl.ca.location": "ca.pem",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "ada",
        "sasl.password": SECRET,
        "log_level": 0,
    }


def test_a_password_is_shown_to_nobody() -> None:
    found = address.read(f"kafka://{LOGIN}localhost/messages?registry=" + quote(f"http://{LOGIN}localhost:8081"))

    assert "ada" in repr(found)
    assert "hush" not in repr(found)
    assert "hush" not in found.where


def test_a_password_goes_over_an_encrypted_line_unless_told_otherwise() -> None:
    assert address.read("kafka://ada:hush@localhost/messages").security == "sasl_ssl"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://localhost/messages", "cannot be read"),
        ("kafka://[::1/messages", "cannot be read"),
        ("kafka://localhost/messages#later", "cannot be read"),
        ("kafka://localhost/messages?group", "cannot be read"),
        ("kafka:///messages", "names no broker"),
        ("kafka://localhost,/messages", "names no broker"),
        ("kafka://localhost:kafka/messages", "no HOST:PORT"),
        ("kafka://localhost:70000/messages", "no HOST:PORT"),
        ("kafka://localhost:0/messages", "no HOST:PORT"),
        ("kafka://localhost", "names no topic"),
        ("kafka://localhost/", "names no topic"),
        ("kafka://localhost/a/b", "would refuse"),
        ("kafka://localhost/..", "would refuse"),
        ("kafka://localhost/" + "x" * 250, "would refuse"),
        ("kafka://localhost/messages?group=", "empty group"),
        ("kafka://localhost/messages?grop=desk", "'grop'"),
        ("kafka://:hush@localhost/messages", "login without a user"),
        ("kafka://ada:hush@localhost/messages?security=ssl", "has no USER:PASSWORD@"),
        ("kafka://localhost/messages?security=sasl_ssl", "needs a USER:PASSWORD@"),
        ("kafka://localhost/messages?security=none", "a security that is none of"),
        ("kafka://ada:hush@localhost/messages?sasl=GSSAPI", "a sasl that is none of"),
        ("kafka://localhost/messages?registry=localhost:8081", "a registry that is no http"),
        ("kafka://localhost/messages?registry=ftp://localhost", "a registry that is no http"),
        ("kafka://localhost/messages?registry=http://localhost:port", "a registry that cannot be read"),
        ("kafka://ada:hush@localhost:x/messages?registry=http://ada:hush@localhost:port", "no HOST:PORT"),
    ],
)
def test_a_wrong_url_is_told_in_one_line_without_it(url: str, says: str) -> None:
    with pytest.raises(UnsuitableError) as refused:
        address.read(url)

    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("schema_id", [0, 1, 2**32 - 1])
@pytest.mark.parametrize("body", [b"", b"{}", b"\x00\x00\x00\x00\x01{}"])
def test_the_wire_format_goes_both_ways(schema_id: int, body: bytes) -> None:
    assert registry.decode(registry.encode(schema_id, body)) == (schema_id, body)


def test_the_wire_format_is_the_one_of_others() -> None:
    assert registry.encode(258, b"{}") == b"\x00\x00\x00\x01\x02{}"


@pytest.mark.parametrize("plain", [b'{"text": "hello"}', b"", b"  7"])
def test_plain_json_is_taken_too(plain: bytes) -> None:
    assert registry.decode(plain) == (None, plain)


@pytest.mark.parametrize("cut", [b"\x00", b"\x00\x00\x00\x01"])
def test_a_cut_head_is_no_plain_json(cut: bytes) -> None:
    with pytest.raises(UnsuitableError, match="ends before"):
        registry.decode(cut)


def test_a_schema_is_registered_and_asked_for_once() -> None:
    with shelf() as server:
        client = client_of(server)

        assert client.is_compatible("said/here-value", '{"a": 1}')  # nothing is there yet
        assert client.register("said/here-value", '{"a": 1}') == 1
        assert client.register("said/here-value", '{"a": 1}') == 1
        assert [client.schema(1), client.schema(1)] == ['{"a": 1}'] * 2
        assert client.is_compatible("said/here-value", '{"b": 1}')
        assert not client.is_compatible("said/here-value", "{}")

        asked = [line for line in server.asked if "compatibility" not in line]
        assert asked == ["POST /subjects/said%2Fhere-value/versions", "GET /schemas/ids/1"]


def test_what_the_registry_refuses_is_told_without_its_words() -> None:
    with shelf() as server:
        client = client_of(server)

        with pytest.raises(UnsuitableError, match=r"404 \(40403\): it has no such schema") as unknown:
            client.schema(7)
        with pytest.raises(UnsuitableError, match="422") as invalid:
            client.register("said/here-value", "customers' words")
        with pytest.raises(UnsuitableError, match="401"):
            client_of(server, "bob:hush@").schema(1)

        assert "customers" not in f"{unknown.value}{invalid.value}"


@pytest.mark.parametrize(("status", "wrong"), [(500, TryAgainError), (503, TryAgainError), (429, TryAgainError)])
def test_a_registry_in_trouble_is_tried_again_later(status: int, wrong: type[Exception]) -> None:
    with shelf() as server:
        server.status = status
        client = client_of(server)
        with pytest.raises(wrong, match=str(status)):
            client.schema(1)

        server.status, server.schemas = 0, ["{}"]
        assert client.schema(1) == "{}"  # what failed is not remembered


@pytest.mark.parametrize(("status", "says"), [(302, "answered 302"), (200, "is no schema registry")])
def test_a_login_is_sent_to_nobody_else(status: int, says: str) -> None:
    with shelf() as server:
        server.status = status
        with pytest.raises(UnsuitableError, match=says) as refused:
            client_of(server).schema(1)

        assert server.asked == ["GET /schemas/ids/1"]
        assert "hush" not in str(refused.value)


def test_a_registry_that_is_away_is_tried_again_later() -> None:
    with shelf() as server:
        client = client_of(server)
    with pytest.raises(TryAgainError, match="does not answer") as away:
        client.schema(1)

    assert "hush" not in str(away.value)
