"""Cosines and BM25 shares -> one score a passage, and texts -> what of them is embedded and counted.

Both scores are absolute (a cosine; a share of what the question could reach), so they are added as they are. Measured against
reciprocal ranks, min-max and z-scores on three sets: none was better, and those depend on which candidates happen to be there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

TITLE_COUNTS = 3
"""Each word of the title counts as so many words of the text in the lexical index."""
WHOLE_SHARE = 0.7
"""What the whole of a long question counts; its parts share the rest."""

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What differs between embedders. Everything else is the same for all."""

    dense: float  #: weight of the cosine in the score, 0 to 1; BM25 has the rest
    title: float  #: weight of the title's own vector in a passage's, 0 to 1


RECIPES: Mapping[str, Recipe] = {
    "wordllama": Recipe(dense=0.6, title=0.5),
    "minilm": Recipe(dense=0.75, title=0.4),
    "endpoint": Recipe(dense=0.75, title=0.4),  # a transformer like MiniLM; measure it on questions of your own
}
"""Chosen on one half of the questions of three sets, reported on the other. From 0.5 to 0.7, and from 0.75 to 0.85, little changes;
the lower end finds more identifiers, and more of what a long question needs."""


def recipe_of(model: str) -> Recipe:
    """Of the embedder with this model id."""
    return next((recipe for name, recipe in RECIPES.items() if name in model), RECIPES["endpoint"])


def passage_vectors(titles: Floats, texts: Floats, recipe: Recipe) -> npt.NDArray[np.float32]:
    """What is stored: vectors of titles and of texts (title, headings and text) -> one of length 1 each. Shape (passages, dimension).

    Averaged into a long text, a title drowns; as a vector of its own it is worth 8 to 16 points of hit@1 with the smaller model.
    """
    return _of_length_one(recipe.title * titles + (1 - recipe.title) * texts)


def question_vector(parts: Floats) -> npt.NDArray[np.float32]:
    """The vectors of a question's parts, the whole first -> the one that is looked for. Shape (dimension,).

    A cosine is linear: looking for the weighted mean gives the weighted mean of the parts' cosines, in one search.
    """
    together = np.average(parts, axis=0, weights=shares(len(parts)))
    return _of_length_one(together[None, :]).reshape(-1)


def shares(parts: int) -> tuple[float, ...]:
    """What each of a question's parts counts, the whole first: together 1."""
    if parts < 2:
        return (1.0,) * parts
    return (WHOLE_SHARE, *(((1 - WHOLE_SHARE) / (parts - 1),) * (parts - 1)))


def legs(dense: Sequence[float | None], lexical: Sequence[float | None], recipe: Recipe) -> npt.NDArray[np.float64]:
    """What meaning and what words give each passage; their sum is the fused score, 0 to 1. Shape (passages, 2).

    No lexical score means no word in common: 0. No cosine means that it was not among the nearest, so it is taken to be as far as
    the farthest of them; a store that can compute it should. A cosine below 0 counts as 0.
    """
    far = min((cosine for cosine in dense if cosine is not None), default=0.0)
    cosines = np.array([far if cosine is None else cosine for cosine in dense], np.float64)
    said = np.array([share or 0.0 for share in lexical], np.float64)
    both = np.clip(np.column_stack([cosines, said]), 0.0, 1.0)
    return np.asarray(both * (recipe.dense, 1 - recipe.dense))


def _of_length_one(vectors: Floats) -> npt.NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0), np.float32)
