"""HTTP statuses that mean the same everywhere, as `TaskError`s.

Adapters handle what their provider does differently and leave the rest to `refusal`.
"""

from typing import Any, TypedDict

from clawswarm.errors import TaskError, TaskErrorCode

_BY_STATUS: dict[int, tuple[TaskErrorCode, bool, str | None]] = {
    400: ("bad_request", False, "the provider refuses the request as it stands: see its message"),
    401: ("auth_failed", False, "check the API key: make a new one if it was revoked or has expired"),
    402: ("payment_required", False, "add credit at the provider, or configure a fallback"),
    403: ("permission_denied", False, "the key has no access to this model, or the provider blocked it"),
    404: ("model_not_found", False, "check the model's name and the base URL"),
    408: ("timeout", True, None),
    409: ("overloaded", True, None),
    413: ("bad_request", False, "the request is too large for this provider: shorten the prompt"),
    422: ("bad_request", False, "the provider refuses the request as it stands: see its message"),
    425: ("overloaded", True, None),
    429: (
        "rate_limited",
        True,
        "the provider limits this key: lower max_concurrent_api, or set requests_per_minute",
    ),
    498: ("overloaded", True, "the provider's flex capacity is used up for the moment"),
    503: ("overloaded", True, "the provider is busy; this passes by itself"),
    504: ("timeout", True, "the provider gave up on the request"),
    529: ("overloaded", True, "the provider is busy; this passes by itself"),
}


class Override(TypedDict, total=False):
    """What an adapter knows better than the status."""

    code: TaskErrorCode
    retryable: bool
    hint: str


def refusal(
    provider: str,
    status: int,
    message: str,
    *,
    retry_after: float | None = None,
    hint: str | None = None,
    code: TaskErrorCode | None = None,
    retryable: bool | None = None,
) -> TaskError:
    """The `TaskError` for an HTTP status; the keyword arguments override what the status usually means."""
    usual_code, usual_retryable, usual_hint = _BY_STATUS.get(
        status, ("provider_failed", status >= 500, None if status >= 500 else "see the provider's message")
    )
    return TaskError(
        code or usual_code,
        f"{provider} answered {status}: {short(message)}",
        hint=hint or usual_hint,
        retryable=usual_retryable if retryable is None else retryable,
        status=status,
        retry_after=retry_after,
    )


def incomplete(provider: str) -> TaskError:
    """A stream ended, politely, before its last part."""
    return TaskError(
        "connection_failed",
        f"{provider}'s stream ended before the reply was complete",
        hint="the server or a proxy closed it; this is tried again by itself",
        retryable=True,
        billed=None,
    )


def malformed(provider: str, missing: str, body: Any) -> TaskError:
    """The answer is JSON, but not of the API's shape."""
    return TaskError(
        "invalid_reply",
        f"{provider} sent a reply without {missing}: {short(repr(body))}",
        hint="check that the base URL leads to this provider's API",
        billed=None,
    )


def short(text: str, limit: int = 300) -> str:
    """One line of at most `limit` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
