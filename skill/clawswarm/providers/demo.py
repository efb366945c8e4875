"""A provider that asks no model: offline, deterministic, and labelled as a demo in every answer.

It is public: `swarm demo` and tests use it. Answers can be scripted (`reply`, `fail`); without a script it
says what it was asked. Its tokens are words, counted.
"""

import hashlib
import re
from collections import deque
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from clawswarm.clock import Clock, SystemClock, sleep_until
from clawswarm.errors import TaskError, TaskErrorCode
from clawswarm.providers.base import Answer
from clawswarm.providers.shape import is_list
from clawswarm.types.result import FinishReason, Reply, Usage
from clawswarm.types.task import Task

LABEL = "[demo]"

_PACED = re.compile(r"demo-(\d{1,6})ms")
"""A model of this name takes exactly so long, whoever calls it: for measuring what comes on top."""


class DemoProvider:
    """Answers from a script, else with a label and the prompt's beginning.

    Args:
        latency: mean seconds an answer takes; each prompt's own time lies within half of it, always the same.
        jitter: False makes every answer take exactly `latency`.
    """

    name = "demo"

    def __init__(self, *, latency: float = 0.0, jitter: bool = True, clock: Clock | None = None) -> None:
        self._latency = latency
        self._jitter = jitter
        self._clock = clock or SystemClock()
        self._script: deque[Reply | TaskError] = deque()
        self.calls = 0

    def reply(
        self, text: str, *, usage: Usage | None = None, finish_reason: FinishReason = "stop"
    ) -> "DemoProvider":
        """Script the next answer."""
        self._script.append(
            Reply(text=text, model="demo", usage=usage or Usage(), finish_reason=finish_reason)
        )
        return self

    def fail(
        self,
        code: TaskErrorCode = "provider_failed",
        *,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> "DemoProvider":
        """Script the next answer to be a failure."""
        self._script.append(TaskError(code, "scripted failure", retryable=retryable, retry_after=retry_after))
        return self

    async def complete(self, task: Task, *, model: str) -> Answer:
        self.calls += 1
        scripted = self._script.popleft() if self._script else None
        if seconds := self._time_for(task.prompt, model):
            await sleep_until(self._clock, self._clock.monotonic() + seconds)
        if isinstance(scripted, TaskError):
            raise scripted
        return Answer(reply=scripted or _own_reply(task, model))

    def _time_for(self, prompt: str, model: str) -> float:
        if named := _PACED.fullmatch(model):
            return int(named[1]) / 1000
        if not self._jitter or not self._latency:
            return self._latency
        digest = hashlib.blake2b(prompt.encode(), digest_size=2).digest()
        return self._latency * (0.5 + int.from_bytes(digest) / 65_535)


def _own_reply(task: Task, model: str) -> Reply:
    if task.schema is not None:
        text = to_json(smallest_instance(task.schema)).decode()
    else:
        flat = " ".join(task.messages[-1].text.split())
        beginning = flat if len(flat) <= 60 else flat[:59] + "…"
        text = f"{LABEL} No model was asked. The prompt has {len(flat.split())} words: {beginning!r}"
    heard = sum(len(message.text.split()) for message in task.messages) + len((task.system or "").split())
    return Reply(text=text, model=model, usage=Usage(input_tokens=heard, output_tokens=len(text.split())))


def smallest_instance(schema: Mapping[str, Any]) -> Any:
    """A small value that satisfies the common keywords of `schema`."""
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for word in ("anyOf", "oneOf", "allOf"):
        if schema.get(word):
            return smallest_instance(schema[word][0])
    kind: Any = schema.get("type")
    first: Any = kind[0] if is_list(kind) else kind
    match first:
        case "object":
            properties: Mapping[str, Any] = schema.get("properties") or {}
            return {
                name: smallest_instance(properties.get(name) or {}) for name in schema.get("required") or ()
            }
        case "array":
            return [
                smallest_instance(schema.get("items") or {}) for _ in range(int(schema.get("minItems") or 0))
            ]
        case "string":
            return LABEL.ljust(int(schema.get("minLength") or 0), ".")
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return False
        case "null":
            return None
        case _:
            return LABEL
