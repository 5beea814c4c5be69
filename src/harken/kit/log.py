"""Our own log lines -> the standard library's, so that there is one way out and whoever redacts stands at it."""

from typing import Any

import structlog

structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
)


def logger(name: str) -> Any:
    """`logger(__name__).warning("what_happened", which=...)`."""
    return structlog.get_logger(name)
