"""Who makes a request: on loopback, where no token is asked for, the local admin."""

from dataclasses import dataclass

from fastapi import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    name: str
    roles: frozenset[str]


LOCAL_ADMIN = Principal(name="local", roles=frozenset({"admin"}))


def principal(request: Request) -> Principal:
    return LOCAL_ADMIN
