"""Texts -> vectors. WordLlama needs nothing; the other models are imported only when asked for."""

from harken.adapters.embedders.chosen import Endpoint, described, embedder, here, of_model
from harken.adapters.embedders.wordllama import WordLlama

__all__ = ["Endpoint", "WordLlama", "described", "embedder", "here", "of_model"]
