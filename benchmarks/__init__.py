"""Figures, each beside the yardstick it is measured against. `just bench NAME`; the table is in docs/benchmarks.md."""
