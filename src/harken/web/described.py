"""Routes and their permissions -> the OpenAPI description: who may call, and every way a call can be refused."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from harken.domain.ticket import StatusCategory
from harken.flow.desk import Desk
from harken.web.auth import permissions
from harken.web.auth.access import Access
from harken.web.auth.permissions import Grant
from harken.web.problems import MEDIA_TYPE, TITLES

SECURITY = "bearer"
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
    "additionalProperties": False,
}
_PROBLEMS = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_DEFAULT = "Validation Error"
"""The framework's own word."""

_RETRY_AFTER = {
    "Retry-After": {"description": "Seconds.", "required": True, "schema": {"type": "string", "pattern": r"^\d+$"}}
}
_ALWAYS, _WITH_BODY, _WITH_TOKEN = (400, 403, 404, 409, 422, 500, 503), (411, 413), (401, 429)
_METHODS = ("get", "put", "post", "delete", "patch")


def describe(app: FastAPI, access: Access, desk: Desk) -> Callable[[], dict[str, Any]]:
    """What `app.openapi` is to be: made once, when first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
            app.openapi_schema = _with_the_desks_words(_complete(made, access), desk)
        return app.openapi_schema

    return openapi


def _complete(made: dict[str, Any], access: Access) -> dict[str, Any]:
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM
    if access.rules.issuer is not None:
        components["securitySchemes"] = {SECURITY: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    for path, item in made["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                _finish(method, operation, permissions.of(method.upper(), path), access)
    return made


def _with_the_desks_words(made: dict[str, Any], desk: Desk) -> dict[str, Any]:
    """Which statuses there are, the organisation says."""
    if desk.tickets is not None:
        words = {*desk.tickets.rules.content.statuses, *StatusCategory}
        made["components"]["schemas"]["NewStatus"]["properties"]["status"]["enum"] = sorted(words)
    return made


def _there_or_not(parameter: dict[str, Any]) -> None:
    """A parameter may be left out; nobody can send null in it."""
    schema = parameter["schema"]
    kept = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(kept) == 1:
        del schema["anyOf"]
        schema.update(kept[0])


def _finish(method: str, operation: dict[str, Any], grant: Grant | None, access: Access) -> None:
    guarded = access.rules.issuer is not None and grant is not None and not access.is_open(grant)
    statuses = [*_ALWAYS, *(_WITH_BODY if method in ("post", "put") else ()), *(_WITH_TOKEN if guarded else ())]
    for parameter in operation.get("parameters", ()):
        _there_or_not(parameter)
    responses = operation.setdefault("responses", {})
    for status in statuses:
        responses[str(status)] = _told(status, responses.get(str(status), {}))
    if guarded and grant is not None and not access.rules.local_admin:
        operation["security"] = [{SECURITY: []}]
        operation["x-scope"] = grant.scope
        operation["x-roles"] = sorted(grant.roles)


def _told(status: int, said: Mapping[str, Any]) -> dict[str, Any]:
    """A description of the route's own stays."""
    own = said.get("description", "")
    told: dict[str, Any] = {
        "description": own if own and own != _DEFAULT else TITLES[status],
        "content": said["content"] if own and own != _DEFAULT and "content" in said else _PROBLEMS,
    }
    if status in (429, 503):
        told["headers"] = _RETRY_AFTER
    return told
