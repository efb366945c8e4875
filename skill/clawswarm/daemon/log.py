"""The daemon's log: one JSON object a line, rotated, without secrets."""

import json
import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

KEPT = 5
"""Rotated files that are kept beside the current one."""

ESCAPED = "backslashreplace"
"""Half a surrogate pair is written as JSON writes it."""

_QUIET = (
    "uvicorn.access",
    "httpx2",
    "aiohttp.access",
    "trafilatura",
    "ddgs",
    "primp",
    "asyncio",
    "watchfiles",
)
"""Loggers that have nothing to say below a warning: requests are logged by the daemon itself."""


class JsonLines(logging.Formatter):
    """A record as one line: time, level, logger, message, the fields of `extra`, and a traceback if any."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        document: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        document |= getattr(record, "fields", {})
        if record.exc_info:
            document["traceback"] = self.formatException(record.exc_info)
        return self._redact(json.dumps(document, ensure_ascii=False, default=str))


@contextmanager
def logging_to(path: Path | None, *, redact: Callable[[str], str], largest_mb: float) -> Generator[None]:
    """Log to a file (to standard error without one) until the block ends.

    Args:
        redact: takes secrets out of a line.
        largest_mb: megabytes after which the file is rotated.
    """
    if path is None:
        handler: logging.Handler = logging.StreamHandler()
    else:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        handler = RotatingFileHandler(
            path, maxBytes=int(largest_mb * 1_000_000), backupCount=KEPT, encoding="utf-8", errors=ESCAPED
        )
    handler.setFormatter(JsonLines(redact))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        handler.close()
