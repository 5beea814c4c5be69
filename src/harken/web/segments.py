"""`/api/v1/segments`: saved conditions over features, who fulfils them, and who began and ceased to."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from harken.errors import RefusedError
from harken.flow import segmenting
from harken.flow.desk import Desk
from harken.flow.pool import Seat
from harken.profiles import store as profiles
from harken.profiles.segments import Conditions, Segment

PAGE = 1_000

Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")]


class UnknownSegmentError(RefusedError):
    """There is no segment of this name."""

    status = 404


class Saved(BaseModel):
    segment: Segment
    members: int
    changed: int  #: who entered or left by this


class _Door:
    def __init__(self, desk: Desk, seat: Seat) -> None:
        self._desk, self._seat = desk, seat

    def all(self) -> dict[str, Any]:
        """Every segment with its condition and how many are in it."""
        with segmenting.live(self._desk).database.statement() as tx:
            found = profiles.segments(tx)
        told = [{"segment": Segment.model_validate_json(row["condition"]), "members": row["members"]} for row in found]
        return {"segments": told}

    async def save(self, name: Name, condition: Conditions) -> Saved:
        """Everybody is looked at before the answer comes."""
        wanted = Segment.model_validate({**condition.model_dump(by_alias=True), "name": name})
        changed = await asyncio.to_thread(segmenting.save, wanted, self._desk, self._seat.policy)
        members = sum(each["members"] for each in self.all()["segments"] if each["segment"].name == name)
        return Saved(segment=wanted, members=members, changed=changed)

    def drop(self, name: Name) -> None:
        """The condition and its members; who entered and left stays on record."""
        with segmenting.live(self._desk).database.transaction() as tx:
            if not profiles.drop_segment(tx, name):
                raise UnknownSegmentError

    def members(self, name: Name, after: Annotated[str, Query(alias="page[after]")] = "") -> dict[str, Any]:
        """By the first of their identities, a thousand a page: `page[after]` takes the last one of a page."""
        with segmenting.live(self._desk).database.statement() as tx:
            found = profiles.members_of(tx, name, after, PAGE)
            if not found and name not in {each["name"] for each in profiles.segments(tx)}:
                raise UnknownSegmentError
        return {"members": found}

    def changes(self, name: Name, after: Annotated[int, Query(alias="page[after]", ge=0)] = 0) -> dict[str, Any]:
        """Entries and exits, oldest first, a thousand a page: `page[after]` takes the last id of a page. Of one that was dropped, too."""
        with segmenting.live(self._desk).database.statement() as tx:
            return {"changes": profiles.segment_changes(tx, name, after, PAGE)}


def router(desk: Desk, seat: Seat) -> APIRouter:
    routes = APIRouter(prefix="/api/v1/segments", tags=["segments"])
    door = _Door(desk, seat)
    routes.add_api_route("", door.all)
    routes.add_api_route("/{name}", door.save, methods=["PUT"])
    routes.add_api_route("/{name}", door.drop, methods=["DELETE"], status_code=204)
    routes.add_api_route("/{name}/members", door.members, responses={404: {"description": "There is no such segment."}})
    routes.add_api_route("/{name}/changes", door.changes)
    return routes
