"""What a fake server can be told to do with one call, in provider-neutral words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias


class Waitable(Protocol):
    """An event of asyncio or anyio."""

    async def wait(self) -> object: ...


def _no_headers() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call the model asks for."""

    name: str
    arguments: Mapping[str, Any]
    id: str = "call_1"


@dataclass(frozen=True, slots=True)
class Say:
    """A normal answer.

    `text` None gives `echo: <last user prompt>`, or the smallest instance of the
    schema the request asks for, or no text at all beside tool calls.
    `input_tokens` is the whole prompt, cached part included; `output_tokens` is
    everything generated, thinking included. Each fake splits them its provider's way.
    `finish` is one of `stop length tool_calls content_filter refusal`; any other
    word goes over the wire as it is.
    """

    text: str | None = None
    input_tokens: int = 10
    output_tokens: int = 20
    cached_tokens: int = 0
    thinking: str | None = None
    thinking_tokens: int = 0
    finish: str = "stop"
    tool_calls: tuple[Call, ...] = ()
    cost: float | None = None

    @property
    def outcome(self) -> str:
        """`finish`, or `tool_calls` where an ordinary stop carries calls."""
        return "tool_calls" if self.finish == "stop" and self.tool_calls else self.finish

    @property
    def uncached_tokens(self) -> int:
        return max(self.input_tokens - self.cached_tokens, 0)

    @property
    def answer_tokens(self) -> int:
        return max(self.output_tokens - self.thinking_tokens, 0)


@dataclass(frozen=True, slots=True)
class Refuse:
    """An HTTP error in the provider's own body.

    `code` and `type` default to what the provider sends with that status.
    `retry_after` becomes a header, or Gemini's RetryInfo. `details` goes where the
    provider puts extra facts: a mapping, or for Gemini a list.
    """

    status: int
    message: str
    code: str | int | None = None
    type: str | None = None
    headers: Mapping[str, str] = field(default_factory=_no_headers)
    retry_after: float | None = None
    details: Any = None


@dataclass(frozen=True, slots=True)
class Raw:
    """Exactly these bytes."""

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Empty:
    """A 200 with an empty text and an ordinary stop."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """The prompt was refused by a filter, the way this provider says it."""

    reason: str = "SAFETY"


@dataclass(frozen=True, slots=True)
class StreamError:
    """A 200 stream that fails after `after_chunks` pieces, in the provider's own way.

    A piece is one event (SSE), one line (NDJSON) or one array member. Without a
    stream OpenRouter answers 200 with an `error` body, all others 500.
    """

    after_chunks: int = 1
    message: str = "the model broke down"
    type: str | None = None
    code: int | str | None = None
    of: Say = Say()


@dataclass(frozen=True, slots=True)
class NoEnd:
    """A stream that ends cleanly after `after_chunks` pieces, its final ones missing."""

    after_chunks: int = 1
    of: Say = Say()


Answer: TypeAlias = Say | Refuse | Raw | Empty | Blocked | StreamError | NoEnd


@dataclass(frozen=True, slots=True)
class Hang:
    """Never answers: over when the client leaves."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Honest headers, then the connection closes after `after` bytes of the body."""

    after: int
    of: Answer = Say()


@dataclass(frozen=True, slots=True)
class Drip:
    """The answer one byte at a time."""

    seconds_between: float = 0.0
    of: Answer = Say()


@dataclass(frozen=True, slots=True)
class Stall:
    """The first `after_chunks` pieces, then silence until the client leaves."""

    after_chunks: int = 1
    of: Answer = Say()


@dataclass(frozen=True, slots=True)
class Held:
    """The answer, once the test sets `until`: the way to order events without sleeping."""

    until: Waitable
    of: Answer = Say()


Behaviour: TypeAlias = Answer | Hang | Cut | Drip | Stall | Held
