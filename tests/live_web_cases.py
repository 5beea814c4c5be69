"""The live platform over HTTP for the tests: a desk, its addresses, and events as a source sends them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from journey import desk_on
from live_cases import live_desk

from harken.flow.desk import Desk

HERE = "http://127.0.0.1:8000"
EVENTS, BATCH = "/api/v1/events", "/api/v1/events/batch"


@pytest.fixture(name="desk")
def live_desk_and_store(store_url: str, tmp_path: Path) -> Iterator[Desk]:
    with live_desk(store_url) as live, desk_on(store_url, tmp_path) as desk:
        yield replace(desk, live=live)


def spoke(number: int, user: str, text: str = "My card was declined, this is urgent!", **more: Any) -> dict[str, Any]:
    said = {"direction": "inbound", "channel": "chat", "text": text}
    return {"type": "message", "messageId": f"m{number}", "userId": user, "properties": said} | more


def told(number: int, type_: str, user: str, **more: Any) -> dict[str, Any]:
    return {"type": type_, "messageId": f"t{number}", "userId": user} | more


def page(number: int) -> dict[str, Any]:
    return {"type": "page", "messageId": f"p{number}", "anonymousId": "d1", "name": "Cards"}
