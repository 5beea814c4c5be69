"""Good requests to every door, by intent, in the order in which they fit."""

from collections.abc import Mapping
from contextlib import chdir
from typing import Any

import schemathesis
from fuzz_cases import CONFIG, CUSTOMERS, FACTS, token
from schemathesis.config import SchemathesisConfig


class Asker:
    """Good requests, whose answers are held against the description as those of made-up ones are."""

    def __init__(self, url: str) -> None:
        with chdir(CONFIG.parent):  # where its hooks are
            config = SchemathesisConfig.from_path(CONFIG)
            self._schema = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config)
        self._headers = {"Authorization": token("admin")}

    def __call__(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None, **named: str
    ) -> Any:
        """The JSON of an answer that is a success."""
        made = {} if body is None else {"body": body, "media_type": "application/json"}
        case = self._schema[path][method].Case(path_parameters=named, query=dict(query or {}), **made)
        answer = case.call(headers=self._headers)
        case.validate_response(answer)
        assert 200 <= answer.status_code < 300, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content and "json" in answer.headers.get("content-type", [""])[0] else None

    def token(self, name: str, secret: str) -> None:
        """The one request with a form, and with a secret instead of a token."""
        body = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
        case = self._schema["/oauth/token"]["POST"].Case(body=body, media_type="application/x-www-form-urlencoded")
        answer = case.call()
        case.validate_response(answer)
        assert answer.status_code == 200, answer.text


def work_on_tickets(ask: Asker, prefix: str) -> None:
    """What only fits as a ticket stands: no schema says when."""
    new = {"customer_id": "ada", "subject": "Card", "description": "My card was declined."}
    one, other = (ask("POST", prefix, new | {"subject": name})["id"] for name in ("Card", "Fee"))
    path = prefix + "/{id}"
    ask("POST", f"{path}/messages", {"text": "Is anybody there?"}, id=one)
    said = ask("GET", path, id=one)["messages"][-1]["id"]
    ask("POST", f"{path}/split", {"messages": [said]}, id=one)
    ask("PUT", f"{path}/owner", {"type": "person", "id": "lena"}, id=one)
    ask("PUT", f"{path}/priority", {"priority": "urgent"}, id=one)
    ask("PUT", f"{path}/tags", {"tags": ["card"]}, id=one)
    ask("POST", f"{path}/suggestion", id=one)
    ask("PUT", f"{path}/snooze", {"until": "2100-01-01T09:00:00Z"}, id=one)
    ask("POST", f"{path}/notes", {"text": "Seen."}, id=one)
    ask("POST", f"{path}/merge", {"other": other}, id=one)
    ask("PUT", f"{path}/status", {"status": "resolved"}, id=one)
    assert len(ask("GET", f"{path}/changes", id=one)["data"]) > 8
    assert ask("GET", prefix, query={"filter[customer]": "ada"})["data"]


def work_on_customers(ask: Asker) -> None:
    """Profiles, segments, decisions, and what is sent of customers."""
    ask("POST", "/api/v1/events", {"messageId": "good:1", "userId": "ada", **FACTS[1]})
    ask("POST", "/api/v1/events/batch", {"batch": [{"messageId": "good:2", "userId": "ada", **FACTS[1]}]})
    ask("POST", "/predict_nba", {"customer_id": "ada"})
    ask("GET", "/api/v1/profiles/{customer}", customer="ada")
    ask("GET", "/api/v1/profiles/{customer}/changes", customer="ada")
    ask("POST", "/api/v1/profiles:batch", {"customers": list(CUSTOMERS)})
    condition = {"all": [{"feature": "angry_30d", "is": ">", "value": 7}]}
    ask("PUT", "/api/v1/segments/{name}", condition, name="risky")
    ask("GET", "/api/v1/segments/{name}/members", name="risky")
    ask("GET", "/api/v1/segments/{name}/changes", name="risky")
    ask("DELETE", "/api/v1/segments/{name}", name="risky")
    assert [each["segment"]["name"] for each in ask("GET", "/api/v1/segments")["segments"]] == ["vip"]


def work_on_the_rest(ask: Asker) -> None:
    """Knowledge, what waits for people, and what a server says of itself."""
    found = ask("POST", "/api/v1/knowledge/search", {"query": "What does a payment abroad cost?"})["results"][0]
    document = {"document_id": found["document_id"]}
    ask("GET", "/api/v1/knowledge/document", query=document)
    ask("GET", "/api/v1/knowledge/passages", query=document | {"version": 1, "ordinal": 0})
    yes, no = ask("GET", "/api/v1/actions")["actions"][:2]
    ask("GET", "/api/v1/actions/{id}", id=yes["id"])
    edited = ask("PUT", "/api/v1/actions/{id}/arguments", {"arguments": yes["arguments"]}, id=yes["id"])
    ask("POST", "/api/v1/actions/{id}/approve", {"arguments_hash": edited["arguments_hash"]}, id=yes["id"])
    ask("POST", "/api/v1/actions/{id}/deny", {"arguments_hash": no["arguments_hash"]}, id=no["id"])
    done = ask("GET", "/api/v1/actions", query={"state": "executed"})["actions"]
    ask("POST", "/api/v1/actions/{id}/undo", id=next(each["id"] for each in done if each["action"] == "close"))
    doubtful = ask("GET", "/api/v1/outbox")["deliveries"][0]
    ask("POST", "/api/v1/outbox/{id}/decide", {"decision": "delivered"}, id=doubtful["id"])
    assert ask("POST", "/api/v1/chat/tickets", {"customer_id": "ada"})["ticket"]
    assert ask("GET", "/health")["status"] == "healthy"
    ask("GET", "/metrics")
    ask("GET", "/.well-known/oauth-authorization-server")
    ask("GET", "/oauth/keys")
