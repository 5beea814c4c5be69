"""`/api/v1/knowledge`: search as a reader, read a passage with its neighbours, take a document in."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from harken.domain.document import DocumentClass, Risk
from harken.errors import RefusedError
from harken.flow import searching
from harken.flow.library_desk import LibraryDesk
from harken.knowledge.access import Reader
from harken.web.auth import readers
from harken.web.auth.principal import Asking

Name = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]+$")]
Jurisdiction = Annotated[str, Field(max_length=6)]
Role = Annotated[str, Field(min_length=1, max_length=40)]


class NoSuchDocumentError(RefusedError):
    """There is no such document that this reader may read."""

    status = 404


class NoKnowledgeError(RefusedError):
    """This store keeps no knowledge: ClickHouse has no rights by row for it. Serve from PostgreSQL."""


class As(NamedTuple):
    """Who asks, and as whom of those who may read less."""

    principal: Asking
    role: Role | None = None  #: None: the token's own
    jurisdiction: Jurisdiction | None = None


AsThem = Annotated[As, Depends()]


class Search(BaseModel):
    """A question, and who asks it."""

    model_config = ConfigDict(extra="forbid")

    query: Annotated[str, Field(min_length=1, max_length=searching.MOST_CHARACTERS)]
    role: Role | None = None  #: None: the token's own; another one may only see less
    jurisdiction: Jurisdiction | None = None
    classes: Annotated[list[DocumentClass], Field(max_length=4)] = []
    risk: Literal["low", "medium", "high"] | None = None
    k: Annotated[int, Field(ge=1, le=searching.MOST_RESULTS)] = 10
    tokens: Annotated[int, Field(ge=50, le=100_000, description="What the passages may have together.")] | None = None


class _Door:
    def __init__(self, desk: LibraryDesk | None) -> None:
        self._desk = desk

    def _library(self) -> LibraryDesk:
        if self._desk is None:
            raise NoKnowledgeError
        return self._desk

    async def search(self, principal: Asking, asked: Search) -> Mapping[str, Any]:
        """The passages that answer best, of those that the reader may read, with what speaks for each."""
        desk = self._library()
        risk = Risk[asked.risk.upper()] if asked.risk else None
        reader = readers.reader(principal, desk.clearances(), asked.role, asked.jurisdiction).narrowed(
            classes=asked.classes, risk=risk
        )
        limits = searching.Limits(results=asked.k, tokens=asked.tokens)
        return searching.told(await asyncio.to_thread(searching.search, asked.query, reader, desk, limits))

    async def document(
        self,
        who: AsThem,
        document_id: Name,
        version: Annotated[int | None, Query(ge=1, description="An older one; unsaid: the one that serves.")] = None,
    ) -> Mapping[str, Any]:
        """A document as it is kept: its text with tokens for personal data, and its metadata."""
        found = await asyncio.to_thread(searching.document, document_id, version, self._reader(who), self._library())
        if found is None:
            raise NoSuchDocumentError
        return found

    async def passage(
        self,
        who: AsThem,
        document_id: Name,
        version: Annotated[int, Query(ge=1)],
        ordinal: Annotated[int, Query(ge=0)],
        neighbours: Annotated[int, Query(ge=0, le=10)] = 1,
    ) -> Mapping[str, Any]:
        """A passage of any version, with those before and after it."""
        reader = self._reader(who)
        found = await asyncio.to_thread(
            searching.around, (document_id, version, ordinal), neighbours, reader, self._library()
        )
        if not found:
            raise NoSuchDocumentError
        return {"passages": found}

    def _reader(self, who: As) -> Reader:
        return readers.reader(who.principal, self._library().clearances(), who.role, who.jurisdiction)


def router(desk: LibraryDesk | None) -> APIRouter:
    routes = APIRouter(prefix="/api/v1/knowledge", tags=["knowledge"])
    door = _Door(desk)
    unknown: dict[int | str, dict[str, Any]] = {404: {"description": "No such document that this reader may read."}}
    add = routes.add_api_route
    add("/search", door.search, methods=["POST"])
    # The id may have slashes in it, so it is a parameter and no part of the path.
    add("/document", door.document, responses=unknown)
    add("/passages", door.passage, responses=unknown)
    return routes
