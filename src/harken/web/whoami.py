"""A request -> who is asking. On loopback, without configured authentication, that is whoever runs this."""

from dataclasses import dataclass

from fastapi import Request

from harken.flow.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    name: str
    roles: frozenset[str]


def principal(request: Request) -> Principal:
    desk: Desk = request.app.state.desk
    return Principal(name=desk.who, roles=frozenset({"admin"}))
