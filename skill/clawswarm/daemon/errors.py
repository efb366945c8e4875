"""Errors as HTTP answers: one shape, `{"error": {"code", "message", "hint"}}`, whatever went wrong."""

import math
from typing import Any

from clawswarm.errors import Busy, ConfigError, InputError, NotConfigured, NotFound, SwarmError

_STATUS: dict[type[SwarmError], int] = {
    InputError: 422,
    NotFound: 404,
    Busy: 429,
    NotConfigured: 409,
    ConfigError: 409,
}
"""What is not here is the daemon's own trouble: 503."""


class TooLarge(InputError):  # noqa: N818 - says the state, not the class
    """The request is larger than the daemon takes."""

    code = "too_large"


def as_response(error: SwarmError) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, error document and headers."""
    status = 413 if isinstance(error, TooLarge) else _STATUS.get(type(error), 503)
    headers = {"Retry-After": str(math.ceil(error.retry_after))} if isinstance(error, Busy) else {}
    return status, details(error.code, error.message, error.hint), headers


def details(code: str, message: str, hint: str | None = None) -> dict[str, Any]:
    return {"code": code, "message": message, "hint": hint}


def internal_error() -> tuple[int, dict[str, Any], dict[str, str]]:
    """What nobody foresaw; the log has the rest."""
    return 500, details("internal", "something went wrong inside the daemon", "see: swarm logs"), {}
