"""Anything that stands for a prompt becomes a task, or an error that says what is wrong."""

from collections import UserDict
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest

from clawswarm.errors import InputError
from clawswarm.modes.parallel import FIELDS, PromptLike, to_source, to_task
from clawswarm.types.task import Task

pytestmark = pytest.mark.anyio


def test_a_text_an_object_and_a_task_are_all_tasks() -> None:
    task = Task(prompt="p", stop=("x",))
    assert to_task("p", {}) == Task(prompt="p")
    assert to_task({"prompt": "p", "seed": 0, "temperature": 0}, {}) == Task(
        prompt="p", seed=0, temperature=0
    )
    assert to_task(UserDict({"prompt": "p"}), {}) == Task(prompt="p")
    assert to_task(task, {}) is task


def test_every_field_of_a_line_reaches_the_task() -> None:
    line: dict[str, Any] = {
        "prompt": "p",
        "system": "s",
        "model": "m",
        "max_tokens": 7,
        "schema": {"type": "object"},
        "id": "i",
        "temperature": 0.5,
        "seed": 3,
        "thinking": "low",
        "timeout": 9,
    }
    assert line.keys() == set(FIELDS)
    task = to_task(line, {})
    assert {name: getattr(task, name) for name in FIELDS} == line


@pytest.mark.parametrize("prompt", ["p", {"prompt": "p"}, {"prompt": "p", "system": None}, Task(prompt="p")])
def test_defaults_fill_what_a_prompt_leaves_open(prompt: PromptLike) -> None:
    task = to_task(prompt, {"system": "s", "max_tokens": 5, "temperature": None})
    assert (task.system, task.max_tokens, task.temperature) == ("s", 5, None)


@pytest.mark.parametrize(
    "prompt",
    [{"prompt": "p", "system": "own", "temperature": 0}, Task(prompt="p", system="own", temperature=0)],
)
def test_what_a_prompt_says_itself_wins(prompt: PromptLike) -> None:
    task = to_task(prompt, {"system": "default", "temperature": 1})
    assert (task.system, task.temperature) == ("own", 0)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"prompt": "p", "sytem": "s"}, "unknown field 'sytem'; did you mean 'system'?"),
        ({"promt": "p"}, "did you mean 'prompt'?"),
        ({"prompt": "p", "zzz": 1}, "known are prompt, system"),
        ({"prompt": "p", "max_tokens": "5"}, "'max_tokens' must be a whole number, not str"),
        ({"prompt": "p", "max_tokens": 5.0}, "'max_tokens' must be a whole number, not float"),
        ({"prompt": "p", "max_tokens": True}, "not bool"),
        ({"prompt": "p", "max_tokens": 0}, "at least 1, not 0"),
        ({"prompt": "p", "temperature": -0.1}, "at least 0"),
        ({"prompt": "p", "temperature": "hot"}, "must be a whole number or a number, not str"),
        ({"prompt": "p", "timeout": 0}, "at least"),
        ({"prompt": "p", "timeout": float("nan")}, "'timeout' must be"),
        ({"prompt": "p", "timeout": float("inf")}, "'timeout' must be"),
        ({"prompt": "p", "thinking": "hard"}, "off, low, medium or high"),
        ({"prompt": "p", "schema": "object"}, "'schema' must be an object, not str"),
        ({"prompt": "p", "system": ["s"]}, "'system' must be text, not list"),
        ({"prompt": 5}, "'prompt' must be text, not int"),
        ({}, "there is no 'prompt'"),
        ({"prompt": None}, "there is no 'prompt'"),
        ({"prompt": ""}, "the prompt is empty"),
        (" \n", "the prompt is empty"),
        (5, "a prompt must be text, an object or a Task, not int"),
        (None, "not NoneType"),
        (["p"], "not list"),
    ],
)
def test_what_cannot_be_a_prompt_is_refused_with_the_reason(line: Any, words: str) -> None:
    with pytest.raises(InputError) as caught:
        to_task(line, {})
    assert words in caught.value.message


@pytest.mark.parametrize("prompt", ["p", {"prompt": "p"}, Task(prompt="p")])
def test_defaults_are_checked_too(prompt: PromptLike) -> None:
    with pytest.raises(InputError, match="did you mean 'system'"):
        to_task(prompt, {"sistem": "s"})
    with pytest.raises(InputError, match="whole number"):
        to_task(prompt, {"seed": "s"})


def test_a_collection_is_checked_whole_and_the_wrong_one_is_named() -> None:
    with pytest.raises(InputError, match="prompt 2: the prompt is empty") as caught:
        to_source(["a", "b", "", "d"], {})
    assert caught.value.hint == "nothing was sent"


@pytest.mark.parametrize("kind", [list, tuple, set])
def test_a_collection_without_prompts_is_refused(kind: Callable[[], Any]) -> None:
    prompts = kind()
    with pytest.raises(InputError, match="there are no prompts"):
        to_source(prompts, {})


@pytest.mark.parametrize(
    "prompts",
    ["one text", b"bytes", {"prompt": "p"}, 5, None, Task(prompt="p")],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_collection_of_prompts_is_refused(prompts: Any) -> None:
    with pytest.raises(InputError, match="prompts must be a list or an iterator") as caught:
        to_source(prompts, {})
    assert caught.value.hint == "write: [prompt]"


def test_a_collection_has_a_length_and_an_iterator_has_none() -> None:
    source, total = to_source(("a", {"prompt": "b"}, Task(prompt="c")), {"system": "s"})
    tasks = list(cast("list[Task]", source))
    assert total == 3
    assert [(task.prompt, task.system) for task in tasks] == [("a", "s"), ("b", "s"), ("c", "s")]
    source, total = to_source(iter("ab"), {})
    assert total is None
    assert [task.prompt for task in cast("list[Task]", source)] == ["a", "b"]


def test_an_iterator_is_checked_as_it_is_read() -> None:
    source, _ = to_source(iter(["a", ""]), {})
    given = iter(cast("list[Task]", source))
    assert next(given).prompt == "a"
    with pytest.raises(InputError, match="the prompt is empty"):
        next(given)


async def test_an_asynchronous_iterator_is_a_source_too() -> None:
    async def prompts() -> AsyncIterator[PromptLike]:
        yield "a"
        yield {"prompt": "b"}

    source, total = to_source(prompts(), {"system": "s"})
    given = cast("AsyncIterator[Task]", source)
    assert total is None
    assert [(task.prompt, task.system) async for task in given] == [("a", "s"), ("b", "s")]
