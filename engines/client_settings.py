"""A file of `key=value` lines -> a Kafka client's settings. Shipped with the job, so it stands alone."""

from pathlib import Path


def read(file: str) -> dict[str, str]:
    lines = Path(file).read_text("utf-8").splitlines()
    pairs = (line.partition("=") for line in lines if line.strip() and not line.startswith("#"))
    return {key.strip(): value.strip() for key, _, value in pairs}
