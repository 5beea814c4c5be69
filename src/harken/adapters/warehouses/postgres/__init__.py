"""PostgreSQL as the batch's warehouse: COPY in, Arrow out."""

from pathlib import Path

from harken.kit import migrate


def described(url: str, folder: Path | None) -> str:
    """A migrated store in words, without what its URL keeps secret; `folder` is where the embedded one lies."""
    found = migrate.status(url)
    where = f"embedded PostgreSQL in {folder}" if folder else "your PostgreSQL"
    return f"{where}, {found.server_version}, pgvector {found.pgvector}, migrations applied: {len(found.applied)}"
