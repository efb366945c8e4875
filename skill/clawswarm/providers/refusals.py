"""HTTP statuses that mean the same everywhere, as `TaskError`s.

Adapters handle what their provider does differently and leave the rest to `refusal`.
"""

from typing import Any, Literal, TypedDict, Unpack

from clawswarm.errors import TaskError, TaskErrorCode

_BY_STATUS: dict[int, tuple[TaskErrorCode, bool, str]] = {
    400: ("bad_request", False, "the provider refuses the request as it stands: see its message"),
    401: ("auth_failed", False, "check the API key: make a new one if it was revoked or has expired"),
    402: ("payment_required", False, "add credit at the provider, or configure a fallback"),
    403: ("permission_denied", False, "the key has no access to this model, or the provider blocked it"),
    404: ("model_not_found", False, "check the model's name and the base URL"),
    408: ("timeout", True, "the provider waited too long for the request: check the network"),
    409: ("overloaded", True, "the provider is busy with the same thing; this passes by itself"),
    413: ("bad_request", False, "the request is too large for this provider: shorten the prompt"),
    422: ("bad_request", False, "the provider refuses the request as it stands: see its message"),
    425: ("overloaded", True, "the provider is not ready for it yet; this passes by itself"),
    429: (
        "rate_limited",
        True,
        "the provider limits this key: lower max_concurrent_api, or set requests_per_minute",
    ),
    498: ("overloaded", True, "the provider's flex capacity is used up for the moment"),
    499: ("provider_failed", True, "the server gave the request up; this is tried again by itself"),
    503: ("overloaded", True, "the provider is busy; this passes by itself"),
    504: ("timeout", True, "the provider gave up on the request"),
    529: ("overloaded", True, "the provider is busy; this passes by itself"),
}
_Usual = tuple[TaskErrorCode, bool, str]
_SERVER_FAILED: _Usual = (
    "provider_failed",
    True,
    "the provider failed on its side; this is tried again by itself",
)
_UNFORESEEN: _Usual = ("provider_failed", False, "see the provider's message, and check the base URL")
_MAYBE_BILLED = frozenset({504, 520, 521, 522, 523, 524})
"""Statuses by which a gateway gives up waiting: the model behind it may have worked, and charge for it."""


class Override(TypedDict, total=False):
    """What an adapter knows better than the status."""

    code: TaskErrorCode
    retryable: bool
    hint: str
    billed: Literal[False] | None


def refusal(
    provider: str,
    status: int,
    message: str,
    *,
    retry_after: float | None = None,
    begun: bool = False,
    **special: Unpack[Override],
) -> TaskError:
    """The `TaskError` for an HTTP status.

    Args:
        begun: the provider had accepted the call with 200 and failed later, so that it may charge for it;
            `status` is then what its error amounts to.
        special: overrides what the status usually means.
    """
    usual = _SERVER_FAILED if status >= 500 else _UNFORESEEN
    code, retryable, hint = _BY_STATUS.get(status, usual)
    verb = f"failed while it answered ({status})" if begun else f"answered {status}"
    return TaskError(
        special.get("code", code),
        f"{provider} {verb}: {short(message)}",
        hint=special.get("hint", hint),
        retryable=special.get("retryable", retryable),
        status=status,
        retry_after=retry_after,
        billed=special.get("billed", None if begun or status in _MAYBE_BILLED else False),
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
    """One line of at most `limit` characters. A word is left out rather than cut: half a key is nothing that
    the redactor could find."""
    flat = " ".join(text.split())
    if len(flat) <= limit:
        return flat
    end = limit - 1
    while end and _in_word(flat[end - 1]) and _in_word(flat[end]):
        end -= 1
    return flat[:end].rstrip() + "…"


def _in_word(character: str) -> bool:
    return character.isalnum() or character in "_-.+/="
