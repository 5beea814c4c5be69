"""A path -> the route that declares it, before its body is read."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Mount, WebSocketRoute

WEBSOCKET = "WEBSOCKET"


@dataclass(frozen=True, slots=True)
class Declared:
    """`methods` is what the path takes, all its routes together."""

    path: str
    method: str
    methods: tuple[str, ...]
    parts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Route:
    path: str
    pattern: re.Pattern[str]
    methods: frozenset[str]


class Routes:
    """Read when the first request comes: by then every door is in its place."""

    def __init__(self, app: FastAPI) -> None:
        self._routes = [_Route(path, pattern, methods) for path, pattern, methods in declared(app)]

    def find(self, method: str, path: str) -> Declared | None:
        """None: no such path. A `method` that is not among `methods` is taken by none of its routes."""
        matching = [(route, found) for route in self._routes if (found := route.pattern.match(path))]
        if not matching:
            return None
        methods = frozenset[str]().union(*(route.methods for route, _ in matching))
        route, found = next(((route, found) for route, found in matching if method in route.methods), matching[0])
        return Declared(route.path, method, tuple(sorted(methods - {WEBSOCKET})), found.groupdict())


def declared(app: FastAPI) -> Iterator[tuple[str, re.Pattern[str], frozenset[str]]]:
    """Path, pattern and methods of each route; a mounted folder may be read."""
    for context in iter_route_contexts(app.router.routes):
        route: BaseRoute = context.original_route
        if isinstance(route, Mount):
            yield route.path, route.path_regex, frozenset({"GET", "HEAD"})
        elif isinstance(route, WebSocketRoute):
            yield str(context.path), context.path_regex, frozenset({WEBSOCKET})
        else:
            yield str(context.path), context.path_regex, frozenset(context.methods or ())
