"""The wiring of the knowledge: settings -> who embeds, who judges, who may read what."""

import os
from datetime import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harken.adapters import caches, embedders
from harken.errors import UnsuitableError
from harken.flow.library_desk import LibraryDesk
from harken.kit import db
from harken.kit.clock import wall_clock
from harken.knowledge import access
from harken.knowledge.cache import Layered, SharedCache
from harken.knowledge.chunk import Cut
from harken.privacy.keys import MasterKey

if TYPE_CHECKING:
    from harken.knowledge.ports import Embedder, Judge
    from harken.settings import Settings


def desk_of(settings: "Settings", url: str, master: MasterKey, who: str) -> LibraryDesk:
    """Of a PostgreSQL: ClickHouse has neither row-level security for settings of a transaction nor vectors beside them."""
    reading = db.Database(url)
    return LibraryDesk(
        reading=reading,
        keeping=db.Database(url, size=2, role=db.LIBRARIAN_ROLE),
        master=master,
        clock=wall_clock,
        who=who,
        embedder=embedder_of(settings),
        embedder_of=partial(embedders.of_model, home=settings.home.absolute(), endpoint=endpoint_of(settings)),
        embedders=partial(embedders.here, settings.home.absolute(), endpoint_of(settings)),
        judge=judge_of(settings),
        cache=shared_cache_of(settings, reading),
        sweep=caches.PostgresCache(reading, wall_clock).sweep,
        clearances=partial(access.load, settings.readers),
        cut=Cut(size=settings.passage_tokens, overlap=settings.passage_overlap),
        home=settings.home,
        folders=[Path(each) for each in settings.knowledge_folders.split(os.pathsep) if each],
        workers=settings.workers or os.cpu_count() or 1,
        nightly_at=time.fromisoformat(settings.nightly_at) if settings.nightly_at else None,
    )


def embedder_of(settings: "Settings") -> "Embedder":
    """What HARKEN_EMBEDDER names. Nothing is loaded, and nobody asked, before the first text."""
    return embedders.embedder(settings.embedder, settings.home.absolute(), endpoint_of(settings))


def endpoint_of(settings: "Settings") -> embedders.Endpoint:
    return embedders.Endpoint(
        url=settings.embeddings_url,
        model=settings.embeddings_model,
        key=settings.embeddings_api_key,
        dimension=settings.embeddings_dimension,
        timeout_s=settings.model_timeout_s,
    )


def judge_of(settings: "Settings") -> "Judge | None":
    """None: the search's own order stands."""
    if not settings.rerank_url:
        return None
    if not settings.rerank_model:
        raise UnsuitableError("HARKEN_RERANK_URL needs HARKEN_RERANK_MODEL, the cross-encoder's name at that server.")
    from harken.adapters.judges import EndpointJudge  # noqa: PLC0415  an HTTP client that few need

    return EndpointJudge(settings.rerank_api_key, url=settings.rerank_url, model=settings.rerank_model)


def shared_cache_of(settings: "Settings", database: db.Database) -> Layered:
    """This process's memory, then a Redis where one is set, else a table of the store. It never fails a search."""
    if redis := settings.redis_url.get_secret_value():
        far: SharedCache = caches.RedisCache(redis, database.url)
    else:
        far = caches.PostgresCache(database, wall_clock)
    return Layered(caches.MemoryCache(wall_clock), caches.Resting(far, wall_clock))
