"""What went wrong -> problem+json (RFC 9457)."""

from collections.abc import Mapping

from fastapi.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"

TITLES = {400: "Bad request", 401: "Who are you?", 403: "Forbidden", 404: "Not found", 405: "Method not allowed", 409: "Refused",
          410: "Gone", 411: "Length required", 412: "Changed meanwhile", 413: "Too large", 415: "Not JSON", 422: "Not as described",
          429: "Too fast", 500: "Our mistake", 503: "Try again"}  # fmt: skip


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    body = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status, "detail": detail}
    return JSONResponse(body, status, headers=headers, media_type=MEDIA_TYPE)
