"""A library for the tests: a desk on a store, whole tables to compare, and a second embedder that needs no download."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from journey import MASTER, NOW, Steady, one_of, rows_of

from harken.adapters import caches, embedders
from harken.bootstrap import library
from harken.flow import adding
from harken.flow.adding import Added, Wish
from harken.flow.library_desk import LibraryDesk
from harken.kit.clock import stopped_at
from harken.knowledge.cache import Layered
from harken.knowledge.ports import Embedder, Vectors
from harken.privacy import tokens
from harken.settings import Settings


class Letters:
    """Texts -> how often which three letters follow each other: a model of another dimension, as deterministic as any."""

    model = "letters@1"
    dimension = 64
    quick = True

    def embed(self, texts: Sequence[str]) -> Vectors:
        found = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(found, texts, strict=True):
            for start in range(len(text) - 2):
                row[crc32(text[start : start + 3].lower().encode("utf-8", "replace")) % self.dimension] += 1
        lengths = np.linalg.norm(found, axis=1, keepdims=True)
        return np.asarray(found / np.where(lengths, lengths, 1), np.float32)


def known(model: str) -> Embedder | None:
    """Both models are on this machine."""
    both: list[Embedder] = [embedders.WordLlama(), Letters()]
    return next((each for each in both if each.model == model), None)


@contextmanager
def library_on(url: str, home: Path, embedder: Embedder | None = None) -> Iterator[LibraryDesk]:
    """The real parts on a clock that stands still."""
    made = library.desk_of(Settings(_env_file=None, home=home), url, MASTER, "somebody")
    try:
        yield replace(made, clock=stopped_at(NOW), embedder=embedder or made.embedder, embedder_of=known)
    finally:
        made.reading.close()
        made.keeping.close()


def cold(desk: LibraryDesk, *, shared: bool = False) -> LibraryDesk:
    """As another process has it: with nothing in memory; not `shared`: and nothing in the store either."""
    layers = [caches.PostgresCache(desk.reading, desk.clock)] if shared else []
    return replace(desk, cache=Layered(caches.MemoryCache(desk.clock), *layers))


def add(desk: LibraryDesk, *paths: Path, **wish: Any) -> Added:
    return adding.add(paths, Wish(**wish), desk, Steady())


PLACE = "d.document_id || '@' || d.version || '#' || p.ordinal"


def shelf(url: str) -> dict[str, list[dict[str, Any]]]:
    """Whole tables as they would be however the documents came: numbers are replaced by what they are the numbers of.

    A token has chance in it; only its kind is compared.
    """
    tables = _tables(url)
    for row in (*tables["document"], *tables["passage"]):
        row["text"] = tokens.strip(row["text"])
    return tables


def _tables(url: str) -> dict[str, list[dict[str, Any]]]:
    return {
        "document": rows_of(
            url,
            "SELECT document_id, version, visibility, jurisdiction, class, risk, file, source, title, owner, language, "
            "effective_from, effective_to, fingerprint, text, redacted, subject, valid_to IS NULL AS serves "
            "FROM document d JOIN knowledge_scope s ON s.id = d.scope ORDER BY 1, 2",
        ),
        "passage": rows_of(
            url,
            f"SELECT {PLACE} AS place, p.scope = d.scope AS of_its_scope, heading, p.text, starts, ends, tokens, words "
            "FROM passage p JOIN document d ON d.no = p.document ORDER BY 1",
        ),
        "posting": _postings(url),
        "vector": rows_of(
            url,
            f"SELECT i.model, {PLACE} AS place, v.scope = p.scope AS of_its_scope, v.embedding::text FROM passage_vector v "
            "JOIN vector_index i ON i.id = v.index_id JOIN passage p ON p.no = v.passage "
            "JOIN document d ON d.no = p.document ORDER BY 1, 2",
        ),
        "size": rows_of(
            url,
            "SELECT visibility, jurisdiction, class, risk, passages, words FROM scope_size z "
            "JOIN knowledge_scope s ON s.id = z.scope ORDER BY 1, 2, 3, 4",
        ),
        "file": rows_of(url, "SELECT file, fingerprint FROM knowledge_file ORDER BY 1"),
        "quarantine": rows_of(url, "SELECT source, file, reason FROM knowledge_quarantine ORDER BY 1"),
        "index": rows_of(url, "SELECT model, dimension, state FROM vector_index WHERE state <> 'retired' ORDER BY 1"),
        "vault": [{"tokens": one_of(url, "SELECT count(*) FROM vault")}],
    }


def _postings(url: str) -> list[dict[str, Any]]:
    """Each entry of a passage that serves: a segment that is joined drops the others."""
    return rows_of(
        url,
        f"""
        SELECT o.term, {PLACE} AS place, encode(substr(o.entries, at + 5, 4), 'hex') AS counted, count(*) AS entries
        FROM posting o, generate_series(0, length(o.entries) - 8, 8) AS at, passage p, document d
        WHERE p.no = get_byte(o.entries, at) + get_byte(o.entries, at + 1) * 256 + get_byte(o.entries, at + 2) * 65536
          AND d.no = p.document AND d.valid_to IS NULL
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        """,
    )
