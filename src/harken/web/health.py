"""`GET /health`: is this process up?"""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from harken import __version__


class Health(BaseModel):
    status: str
    version: str
    uptime_seconds: float


router = APIRouter(tags=["health"])


@router.get("/health")
async def health(request: Request) -> Health:
    return Health(status="healthy", version=__version__, uptime_seconds=round(request.app.state.uptime(), 3))
