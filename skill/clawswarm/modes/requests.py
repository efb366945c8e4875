"""Requests read from their JSON (a body of the HTTP API, a stored job), and their options put to use."""

from collections.abc import AsyncIterable, AsyncIterator, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from clawswarm.engine.verdict import validator
from clawswarm.errors import InputError
from clawswarm.modes.parallel import to_source
from clawswarm.types.money import to_pico
from clawswarm.types.requests import OPTIONS, BatchRequest, ResearchRequest, RunOptions
from clawswarm.types.task import Task

TASK_DEFAULTS = ("system", "max_tokens", "schema", "temperature", "seed", "thinking")
"""Fields of a task that a request may set for all of its tasks."""

DEPTHS = ("quick", "standard", "deep")
MOST_SUBJECTS = 100
LONGEST_SUBJECT = 500
"""Characters: it becomes part of a search."""


def read_batch(document: Mapping[str, Any], *, keep_results: bool = True) -> BatchRequest:
    """A batch from `{"prompts": […], …}`.

    Raises:
        InputError: no prompts, or a field that cannot be used; a prompt's index is named.
    """
    defaults = {name: value for name in TASK_DEFAULTS if (value := document.get(name)) is not None}
    tasks, total = to_source(document.get("prompts"), defaults)
    options = read_options(document)
    return BatchRequest(tasks=tasks, total=total, options=options, keep_results=keep_results)


def check_batch(request: BatchRequest) -> None:
    """Raise an `InputError` for a text or a schema that cannot be sent, where all tasks are at hand.

    Tasks that share a schema have it checked once.
    """
    if not isinstance(request.tasks, Collection):
        return
    request.check_texts()
    checked: set[int] = set()
    for index, task in enumerate(request.tasks):
        if task.schema is None or id(task.schema) in checked:
            continue
        checked.add(id(task.schema))
        try:
            validator(task.schema)
        except InputError as error:
            raise InputError(f"prompt {index}: {error.message}", hint="nothing was sent") from None


def read_research(document: Mapping[str, Any]) -> ResearchRequest:
    """A research from `{"subjects": […], "topic": …, "depth": …}`.

    Raises:
        InputError: no subjects, or a field that cannot be used.
    """
    subjects = read_subjects(document.get("subjects"))
    depth = document.get("depth") or "standard"
    if depth not in DEPTHS:
        raise InputError(f"'depth' must be one of {', '.join(DEPTHS)}, not {depth!r}")
    topic = document.get("topic") or ""
    if len(topic) > LONGEST_SUBJECT:
        raise InputError(f"the topic is longer than {LONGEST_SUBJECT} characters")
    return ResearchRequest(
        subjects=subjects, topic=" ".join(topic.split()), depth=depth, options=read_options(document)
    )


def read_subjects(given: Any) -> tuple[str, ...]:
    """Subjects without the spaces around them; each once, in the order given.

    Raises:
        InputError: none, too many, or one that cannot be searched for.
    """
    if not isinstance(given, list | tuple):
        raise InputError("'subjects' must be a list of texts", hint='such as ["OpenAI", "Anthropic"]')
    subjects: list[str] = []
    for index, subject in enumerate(cast("list[Any]", given)):
        if not isinstance(subject, str) or not (text := " ".join(subject.split())):
            raise InputError(f"subject {index} is no text, or empty")
        if len(text) > LONGEST_SUBJECT:
            raise InputError(f"subject {index} is longer than {LONGEST_SUBJECT} characters")
        subjects.append(text)
    unique = tuple(dict.fromkeys(subjects))
    if not unique:
        raise InputError("there are no subjects", hint="give at least one")
    if len(unique) > MOST_SUBJECTS:
        raise InputError(f"{len(unique)} subjects are too many", hint=f"at most {MOST_SUBJECTS} at once")
    return unique


def read_options(document: Mapping[str, Any]) -> RunOptions:
    """The options of a request; those that are missing are as configured.

    Raises:
        InputError: one is out of its range.
    """
    given = {name: value for name in OPTIONS if (value := document.get(name)) is not None}
    if "max_spend" in given:
        given["max_spend"] = _usd(given["max_spend"])
    return RunOptions(**given)


def _usd(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise InputError(f"'max_spend' must be US$ as a number, not {value!r}") from None


def run_cap(options: RunOptions) -> int | None:
    """The cap that was asked for, in picodollars."""
    return None if options.max_spend is None else to_pico(options.max_spend)


def with_options(
    tasks: Iterable[Task] | AsyncIterable[Task], options: RunOptions
) -> Iterable[Task] | AsyncIterable[Task]:
    """`tasks` with the options for what they leave open."""
    if options.model is None and options.timeout is None and options.cache:
        return tasks
    if isinstance(tasks, AsyncIterable):
        return _async_with_options(tasks, options)
    return _with_options(tasks, options)


def with_option(task: Task, options: RunOptions) -> Task:
    return replace(
        task,
        model=task.model if task.model is not None else options.model,
        timeout=task.timeout if task.timeout is not None else options.timeout,
        cache=task.cache if options.cache else False,
    )


def _with_options(tasks: Iterable[Task], options: RunOptions) -> Iterator[Task]:
    return (with_option(task, options) for task in tasks)


async def _async_with_options(tasks: AsyncIterable[Task], options: RunOptions) -> AsyncIterator[Task]:
    async for task in tasks:
        yield with_option(task, options)
