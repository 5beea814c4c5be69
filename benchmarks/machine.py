"""This machine -> the lines that belong beside every figure."""

import os
import platform
from pathlib import Path
from typing import Any


def described() -> dict[str, Any]:
    """Shared machines are noisy: the load says how much of the figures was somebody else's work."""
    return {
        "cores": os.cpu_count(),
        "cpu": _model(),
        "python": platform.python_version(),
        "load_1m": round(os.getloadavg()[0], 2),
    }


def _model() -> str:
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
