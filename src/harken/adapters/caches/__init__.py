"""Near and far memories of answers that were worked out before."""

from harken.adapters.caches.memory import MemoryCache
from harken.adapters.caches.postgres import PostgresCache
from harken.adapters.caches.redis import RedisCache
from harken.adapters.caches.resting import Resting

__all__ = ["MemoryCache", "PostgresCache", "RedisCache", "Resting"]
