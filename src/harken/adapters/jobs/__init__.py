"""Work that waits for a worker, on procrastinate: rows of the same PostgreSQL, so that a job is asked for in the transaction that needs it."""

from harken.adapters.jobs.asking import ask, inflight

__all__ = ["ask", "inflight"]
