"""What every provider adapter is.

An adapter translates: a task into the provider's request, the answer into a `Reply`, a refusal into a
`TaskError`. It never retries, waits, prices or logs; the engine does that around it.
"""

from dataclasses import dataclass
from typing import Protocol

from clawswarm.types.result import Reply
from clawswarm.types.task import Task, Thinking


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What a provider said about its limits, beside an answer or in a refusal.

    Attributes:
        requests_left: calls still allowed in the window; None when it did not say.
        requests_reset: seconds until the request window is full again.
        tokens_left: tokens still allowed in the window.
        tokens_reset: seconds until the token window is full again.
    """

    requests_left: int | None = None
    requests_reset: float | None = None
    tokens_left: int | None = None
    tokens_reset: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply together with what the provider said about its limits."""

    reply: Reply
    pace: Pace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """The configured defaults of one provider, the same for each of its calls."""

    max_tokens: int | None = None
    temperature: float | None = None
    thinking: Thinking | None = None
    stream: bool | None = None
    keep_alive: str | int | None = None
    num_ctx: int | None = None


class Provider(Protocol):
    """One endpoint of one provider, ready to be called."""

    name: str
    """The provider's name in results, such as "gemini"."""

    async def complete(self, task: Task, *, model: str) -> Answer:
        """Send one call and return the whole answer.

        Raises:
            TaskError: the call failed; `retryable` and `retry_after` say what to do about it.
        """
        ...
