"""Harken: from what customers say to the next best action, explained and on record."""

__version__ = "0.1.0"
