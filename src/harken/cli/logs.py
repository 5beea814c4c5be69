"""Log lines: JSON on standard error, personal data redacted; standard output belongs to the command."""

import logging
import sys

import structlog
from structlog.types import Processor

from harken.privacy.tokens import log_processor


def to_standard_error(level: str) -> None:
    """Our own lines, and those of the libraries: no line bypasses the redaction."""
    stamped: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    written: list[Processor] = [
        structlog.processors.format_exc_info,
        log_processor,
        structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=[*stamped, *written],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    theirs = logging.StreamHandler(sys.stderr)
    theirs.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=stamped, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *written]
        )
    )
    logging.basicConfig(level=level, handlers=[theirs], force=True)
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # each attempt to connect; we say it once
