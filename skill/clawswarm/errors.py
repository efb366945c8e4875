"""The error tree of Swarm.

    SwarmError                 code, message, hint, exit_status
    ├── ConfigError            the configuration cannot be used           exit 3
    ├── NotConfigured          no provider, key or model to work with     exit 3
    ├── InputError             wrong arguments or an unreadable input     exit 2
    ├── StoreError             the state directory cannot be used         exit 1
    ├── NotFound               there is no such job                       exit 1
    ├── Busy                   a limit of the daemon is reached           exit 1
    ├── DaemonError            the daemon cannot be started or reached    exit 1
    │   └── DaemonNeeded       only the daemon does this, and none runs   exit 1
    └── TaskError              why one task failed; becomes its `error`   exit 1

Faces (CLI, HTTP, MCP) translate a `SwarmError` once. A failed task is a result that holds the
data of a `TaskError`; it is never raised out of its batch.
"""

from typing import ClassVar, Literal, get_args

TaskErrorCode = Literal[
    "bad_request",
    "auth_failed",
    "payment_required",
    "permission_denied",
    "model_not_found",
    "rate_limited",
    "overloaded",
    "timeout",
    "connection_failed",
    "content_blocked",
    "truncated",
    "context_overflow",
    "empty_reply",
    "invalid_reply",
    "invalid_output",
    "provider_failed",
    "budget_exceeded",
    "unpriced",
    "cancelled",
    "not_configured",
    "parked",
    "nothing_found",
]

TASK_ERROR_CODES: tuple[TaskErrorCode, ...] = get_args(TaskErrorCode)


class SwarmError(Exception):
    """Root of every error that Swarm raises on purpose."""

    code: str = "swarm_error"
    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(SwarmError):
    """The configuration names something that cannot be used. The message says where it stands."""

    code = "bad_config"
    exit_status = 3


class NotConfigured(SwarmError):  # noqa: N818 - says the state, not the class
    """There is no provider, key or model to work with."""

    code = "not_configured"
    exit_status = 3


class InputError(SwarmError):
    """The caller's arguments or input cannot be used. Nothing was sent."""

    code = "bad_input"
    exit_status = 2


class StoreError(SwarmError):
    """The state directory or its database cannot be used.

    `locked` is true when another process held the database for longer than the busy timeout.
    """

    code = "store_failed"

    def __init__(self, message: str, *, hint: str | None = None, locked: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.locked = locked


class NotFound(SwarmError):  # noqa: N818 - says the state, not the class
    """There is nothing of that name."""

    code = "not_found"


class Busy(SwarmError):  # noqa: N818 - says the state, not the class
    """A limit on work at once is reached. `retry_after` is in seconds."""

    code = "busy"

    def __init__(self, message: str, *, hint: str | None = None, retry_after: float = 1) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class DaemonError(SwarmError):
    """The daemon cannot be started, stopped or reached."""

    code = "daemon_failed"


class DaemonNeeded(DaemonError):  # noqa: N818 - says the state, not the class
    """Only the daemon does this, and none is running."""

    code = "daemon_needed"


class TaskError(SwarmError):
    """Why one task failed.

    Attributes:
        code: one of `TASK_ERROR_CODES`.
        retryable: whether the same request may succeed later.
        status: the HTTP status the provider sent, if it sent one.
        retry_after: seconds the provider asked to wait, if it said so.
        billed: False when the provider refused before it generated anything (nothing was
            consumed), None when that cannot be known (the reply was lost on its way).
    """

    def __init__(
        self,
        code: TaskErrorCode,
        message: str,
        *,
        hint: str | None = None,
        retryable: bool = False,
        status: int | None = None,
        retry_after: float | None = None,
        billed: Literal[False] | None = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.code: TaskErrorCode = code  # pyright: ignore[reportIncompatibleVariableOverride]
        self.retryable = retryable
        self.status = status
        self.retry_after = retry_after
        self.billed = billed
