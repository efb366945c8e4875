"""The parallel mode: a batch of prompts, its results as they finish, its numbers."""

import math
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Mapping, Sized
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream

from clawswarm.engine.budget import RunCap
from clawswarm.engine.engine import Engine
from clawswarm.engine.pool import Source, open_batch
from clawswarm.errors import InputError
from clawswarm.types.result import BatchResult, Stats, Tally, TaskResult, in_order
from clawswarm.types.task import FIELDS, Task

PromptLike = str | Task | Mapping[str, Any]
"""A prompt's text, a `Task`, or the fields of one (as in a line of a JSON Lines file)."""


class Batch:
    """A running batch: iterate over it for results as they finish; ask it for its numbers at any time."""

    def __init__(
        self, engine: Engine, results: MemoryObjectReceiveStream[TaskResult], total: int | None
    ) -> None:
        self.total = total
        self.tally = Tally()
        self._clock = engine.clock
        self._results = results
        self._started = engine.clock.monotonic()
        self._ended: float | None = None

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds from the start to the last result, or until now while it runs."""
        end = self._clock.monotonic() if self._ended is None else self._ended
        return round((end - self._started) * 1000)

    @property
    def stats(self) -> Stats:
        return self.tally.stats(self.elapsed_ms)

    async def __aiter__(self) -> AsyncIterator[TaskResult]:
        try:
            while (result := await self._next()) is not None:
                self.tally.add(result)
                yield result
        finally:
            self._ended = self._clock.monotonic()

    async def _next(self) -> TaskResult | None:
        """The next result; None after the last. What is there is taken at once, without a turn of the loop:
        a reader that falls behind makes every worker wait."""
        try:
            return self._results.receive_nowait()
        except anyio.WouldBlock:
            pass
        except anyio.EndOfStream:
            return None
        try:
            return await self._results.receive()
        except anyio.EndOfStream:
            return None


@asynccontextmanager
async def open_parallel(
    engine: Engine,
    source: Source,
    *,
    total: int | None,
    workers: int | None = None,
    run: RunCap | None = None,
) -> AsyncGenerator[Batch]:
    """Run a batch. Leaving the block early cancels it. Arguments as for `open_batch`."""
    primary = engine.primary
    async with open_batch(engine, source, total=total, workers=workers, run=run) as results:
        batch = Batch(engine, results, total)
        try:
            yield batch
        finally:
            engine.usage.add_wall(batch.elapsed_ms, primary.name, primary.model)


async def collect(batch: Batch) -> BatchResult:
    """All results of a batch in prompt order."""
    results = [result async for result in batch]
    return BatchResult(in_order(results), batch.stats)


def to_task(prompt: PromptLike, defaults: Mapping[str, Any]) -> Task:
    """A `Task` from anything that stands for one; `defaults` fill fields that it leaves open.

    Raises:
        InputError: an unknown field, or a field of the wrong type.
    """
    fields: dict[str, Any] = {name: value for name, value in defaults.items() if value is not None}
    if isinstance(prompt, Task):
        return _filled(prompt, fields)
    if isinstance(prompt, str):
        fields["prompt"] = prompt
    elif isinstance(cast("object", prompt), Mapping):
        fields.update({name: value for name, value in prompt.items() if value is not None})
    else:
        raise InputError(f"a prompt must be text, an object or a Task, not {type(prompt).__name__}")
    check_fields(fields)
    return Task(**fields)


def _filled(task: Task, fields: Mapping[str, Any]) -> Task:
    """`task` with what it leaves open."""
    if not fields:
        return task
    check_fields({"prompt": "-", **fields})
    return replace(task, **{name: value for name, value in fields.items() if getattr(task, name) is None})


_KINDS: Mapping[str, tuple[type, ...]] = {
    "prompt": (str,),
    "system": (str,),
    "model": (str,),
    "id": (str, int),
    "max_tokens": (int,),
    "schema": (dict,),
    "temperature": (int, float),
    "seed": (int,),
    "thinking": (str,),
    "timeout": (int, float),
}
_WORDS = {str: "text", int: "a whole number", float: "a number", dict: "an object"}


def check_fields(fields: Mapping[str, Any]) -> None:
    """Raise an `InputError` for an unknown field, or one of the wrong type or range."""
    import difflib

    for name, value in fields.items():
        if name not in _KINDS:
            near = difflib.get_close_matches(str(name), FIELDS, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(FIELDS)}"
            raise InputError(f"unknown field {name!r}{meant}")
        kinds = _KINDS[name]
        if not isinstance(value, kinds) or isinstance(value, bool):
            expected = " or ".join(_WORDS[kind] for kind in kinds)
            raise InputError(f"{name!r} must be {expected}, not {type(value).__name__}")
    if "prompt" not in fields:
        raise InputError("there is no 'prompt'")
    if not str(fields["prompt"]).strip():
        raise InputError("the prompt is empty")
    for name, least in (("max_tokens", 1), ("temperature", 0), ("timeout", 0.001)):
        number = fields.get(name)
        if number is not None and not least <= number < math.inf:
            raise InputError(f"{name!r} must be at least {least}, not {number}")
    if fields.get("thinking") not in (None, "off", "low", "medium", "high"):
        raise InputError(f"'thinking' must be off, low, medium or high, not {fields['thinking']!r}")


def to_source(prompts: Any, defaults: Mapping[str, Any]) -> tuple[Source, int | None]:
    """Prompts as tasks, with their number where it is known.

    A collection is checked whole before anything is sent; an iterator is checked as it is read.

    Raises:
        InputError: a collection without prompts, or with one that cannot be used (its index is named).
    """
    if isinstance(prompts, str | bytes | Mapping) or not isinstance(prompts, Iterable | AsyncIterable):
        kind = "one text" if isinstance(prompts, str) else type(cast("object", prompts)).__name__
        raise InputError(f"prompts must be a list or an iterator, not {kind}", hint="write: [prompt]")
    if not isinstance(prompts, Iterable):
        return _tasks_of(prompts, defaults), None
    given = cast("Iterable[PromptLike]", prompts)
    if not isinstance(prompts, Sized):
        return (to_task(prompt, defaults) for prompt in given), None
    tasks: list[Task] = []
    for index, prompt in enumerate(given):
        try:
            tasks.append(to_task(prompt, defaults))
        except InputError as error:
            raise InputError(f"prompt {index}: {error.message}", hint="nothing was sent") from None
    if not tasks:
        raise InputError("there are no prompts", hint="give at least one")
    return tasks, len(tasks)


async def _tasks_of(prompts: Any, defaults: Mapping[str, Any]) -> AsyncGenerator[Task]:
    async for prompt in prompts:
        yield to_task(prompt, defaults)
