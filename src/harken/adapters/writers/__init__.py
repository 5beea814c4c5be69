"""A decision -> its words. The offline writer needs nothing; the language models are in `model`, imported only when asked for."""

from harken.adapters.writers.offline import OfflineWriter

__all__ = ["OfflineWriter"]
