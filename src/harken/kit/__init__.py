"""Boring tools that know nothing of customers."""
