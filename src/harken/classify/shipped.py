"""Our own exemplars -> the default classifier, as it lies in the package. Made again by `just classifier`."""

import hashlib
from pathlib import Path

from harken.classify import exemplars, fitting
from harken.classify.fitted import FORMAT, Fitted, keep
from harken.classify.ports import Embedder

FOLDER = Path(__file__).parent / "default"
MADE_OF = "made_of.txt"


def make(embedder: Embedder) -> Fitted:
    """The same on one machine; on another the last digits of the weights may differ."""
    return fitting.fit(fitting.read(exemplars.rows(), embedder), embedder.model)


def write(embedder: Embedder) -> None:
    keep(make(embedder), FOLDER)
    (FOLDER / MADE_OF).write_text(made_of(embedder) + "\n", "utf-8")


def made_of(embedder: Embedder) -> str:
    """The digest of everything that goes into it but the code."""
    return hashlib.sha256(repr((exemplars.rows(), embedder.model, FORMAT)).encode()).hexdigest()
