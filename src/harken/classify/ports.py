"""What classifying needs from outside, in its own words."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float32]
Whole: TypeAlias = npt.NDArray[np.int32]


class Embedder(Protocol):
    """Turns texts into vectors whose inner product says how close their meanings are."""

    @property
    def model(self) -> str:
        """Its name with its version: what was fitted on its vectors reads no other's."""
        ...

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Floats:
        """One row a text, of length 1 (0 for a text without a word): shape (texts, dimension)."""
        ...
