"""Log lines: JSON on standard error, personal data redacted; standard output belongs to the command."""

import logging
import sys
from functools import cached_property


def to_standard_error(level: str) -> None:
    """Our own lines, and those of the libraries: no line bypasses the redaction."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Redacted())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # each attempt to connect; we say it once


class _Redacted(logging.Formatter):
    """Made ready at the first line: most commands write none, and what redacts takes a while to import."""

    def format(self, record: logging.LogRecord) -> str:
        return self._written.format(record)

    @cached_property
    def _written(self) -> logging.Formatter:
        import structlog  # noqa: PLC0415  see above

        from harken.privacy.tokens import log_processor  # noqa: PLC0415  see above

        return structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                log_processor,
                structlog.processors.JSONRenderer(),
            ],
        )
