"""The outside world, one file or package each, every one with a twin that needs no network."""
