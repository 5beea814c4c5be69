"""What the search needs from outside, in its own words."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Vectors: TypeAlias = npt.NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into vectors whose inner product says how close their meanings are."""

    @property
    def model(self) -> str:
        """Its name with its version: vectors of two models are never compared."""
        ...

    @property
    def dimension(self) -> int: ...

    @property
    def quick(self) -> bool:
        """Whether asking it takes less than looking for what it said before."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text, of length 1 (of length 0 for a text without a word in it): shape (texts, dimension).

        Raises TryAgainError where the model does not answer.
        """
        ...


class Judge(Protocol):
    """Looks at a question and a passage together: slower than the search, and better. A cross-encoder, or a model."""

    @property
    def model(self) -> str: ...

    def judge(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """How well each answers, from 0 to 1. Raises TryAgainError where it does not answer."""
        ...
