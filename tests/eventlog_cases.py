"""What the tests of the event registry share: the shipped one, and files of an organisation's own."""

import json
from pathlib import Path
from typing import Any

from harken.eventlog import registry

REGISTRY = registry.load()
OPEN = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": registry.ENVELOPE}


def wrong(body: dict[str, Any]) -> list[tuple[str, str]]:
    found = REGISTRY.violations(body.get("type"), body.get("version"), body)
    return [(violation.path, violation.rule) for violation in found]


def put(folder: Path, name: str, content: Any) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder
