"""A schema registry: which schema a record was written with, as Confluent's registry and those compatible with it say it.

On the wire a record begins with a zero byte and the schema's number in four bytes, most significant first; JSON follows.
"""

import base64
import http.client
import json
import struct
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

from harken.adapters.kafka.address import Registry
from harken.errors import TryAgainError, UnsuitableError

_MAGIC, _HEAD = b"\x00", struct.Struct(">bI")
_TYPE = "application/vnd.schemaregistry.v1+json"
_NO_SUBJECT, _NO_VERSION = 40401, 40402
_MAX_ANSWER_BYTES = 8_000_000
_AGAIN = (408, 429)


def encode(schema_id: int, body: bytes) -> bytes:
    return _HEAD.pack(0, schema_id) + body


def decode(value: bytes) -> tuple[int | None, bytes]:
    """The schema's number, None for plain JSON, which never begins with a zero byte, and the JSON.

    Raises UnsuitableError for a value that is cut off within its head.
    """
    if not value.startswith(_MAGIC):
        return None, value
    if len(value) < _HEAD.size:
        raise UnsuitableError(
            "The record begins like one of a schema registry, and ends before the schema's number does."
        )
    _, schema_id = _HEAD.unpack_from(value)
    return schema_id, value[_HEAD.size :]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A login is for the registry that was named, and for nobody it points to."""

    def redirect_request(self, *_: Any) -> None:
        return None


class SchemaRegistry:
    """Asks at most once for what cannot change: a number's schema, and the number of a schema under a subject.

    Every call raises TryAgainError when the registry does not answer, UnsuitableError when it refuses.
    """

    def __init__(self, registry: Registry, *, timeout_s: float = 5) -> None:
        self._url, self._timeout_s = registry.url, timeout_s
        self._headers = {"Accept": _TYPE, "Content-Type": _TYPE}
        if registry.login is not None:
            pair = f"{registry.login.user}:{registry.login.password}".encode()
            self._headers["Authorization"] = "Basic " + base64.b64encode(pair).decode()
        self._opener = urllib.request.build_opener(_NoRedirect)
        self._schemas: dict[int, str] = {}
        self._ids: dict[tuple[str, str], int] = {}

    def schema(self, schema_id: int) -> str:
        """Its text, JSON Schema or whatever else was registered."""
        if schema_id not in self._schemas:
            self._schemas[schema_id] = _text(self._ask(f"/schemas/ids/{schema_id}"), "schema")
        return self._schemas[schema_id]

    def register(self, subject: str, schema: str) -> int:
        """The number of this JSON Schema, which is the same when it was registered before."""
        if (subject, schema) not in self._ids:
            answer = self._ask(f"/subjects/{quote(subject, safe='')}/versions", _json_schema(schema))
            self._ids[subject, schema] = _number(answer, "id")
        return self._ids[subject, schema]

    def is_compatible(self, subject: str, schema: str) -> bool:
        """With the newest of the subject, by the rule that is set there. A subject with none yet takes any."""
        path = f"/compatibility/subjects/{quote(subject, safe='')}/versions/latest"
        answer = self._ask(path, _json_schema(schema), absent=(_NO_SUBJECT, _NO_VERSION))
        return answer is None or answer.get("is_compatible") is True

    def _ask(self, path: str, sent: dict[str, str] | None = None, *, absent: tuple[int, ...] = ()) -> Any:
        """The answer's object; None when it is an error whose code is among `absent`."""
        data = None if sent is None else json.dumps(sent).encode()
        request = urllib.request.Request(self._url + path, data, self._headers)
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return self._object(answer.read(_MAX_ANSWER_BYTES))
        except urllib.error.HTTPError as refusal:
            with refusal:
                if (code := _error_code(refusal)) in absent:
                    return None
                raise self._refused(refusal.code, code) from None
        except (OSError, http.client.HTTPException):
            raise TryAgainError(
                f"The schema registry at {self._url} does not answer. Nothing was lost: try again when it does."
            ) from None

    def _object(self, body: bytes) -> dict[str, Any]:
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise UnsuitableError(
                f"What answers at {self._url} is no schema registry. Correct registry= in Kafka's URL."
            )
        return found

    def _refused(self, status: int, code: int | None) -> TryAgainError | UnsuitableError:
        """In words of ours: what the registry says may quote the schema's or the record's content."""
        said = f"The schema registry at {self._url} answered {status}{f' ({code})' if code else ''}"
        if status >= 500 or status in _AGAIN:
            return TryAgainError(f"{said}. Nothing was lost: try again later.")
        reasons = {
            401: "the login in registry= is not accepted",
            403: "the login in registry= may not do this",
            404: "it has no such schema or subject",
            409: "the schema is not compatible with the subject's newest",
            422: "the schema is not a valid JSON Schema",
        }
        return UnsuitableError(
            f"{said}: {reasons.get(status, 'it did not take the request')}. Nothing was changed there."
        )


def _json_schema(schema: str) -> dict[str, str]:
    return {"schema": schema, "schemaType": "JSON"}


def _error_code(refusal: urllib.error.HTTPError) -> int | None:
    """The registry's own code, where it sent one."""
    try:
        found = json.loads(refusal.read(_MAX_ANSWER_BYTES)).get("error_code")
    except (ValueError, AttributeError, OSError, http.client.HTTPException):
        return None
    return found if isinstance(found, int) else None


def _text(answer: dict[str, Any], name: str) -> str:
    if not isinstance(found := answer.get(name), str):
        raise UnsuitableError(f"The schema registry's answer has no {name}.")
    return found


def _number(answer: dict[str, Any], name: str) -> int:
    if not isinstance(found := answer.get(name), int):
        raise UnsuitableError(f"The schema registry's answer has no {name}.")
    return found
