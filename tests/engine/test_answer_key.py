"""The key of an answer covers everything that shapes it, and nothing else."""

from dataclasses import asdict, fields, replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from clawswarm.engine.answers import answer_key
from clawswarm.providers.base import CallOptions
from clawswarm.types.task import Message, Task, Tool, ToolCall

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
WORD = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=3)
CALL = st.builds(ToolCall, id=WORD, name=WORD, arguments=OBJECT)
MESSAGE = st.builds(
    Message,
    role=st.sampled_from(["user", "assistant", "tool"]),
    text=TEXT,
    tool_calls=st.lists(CALL, max_size=2).map(tuple),
    tool_call_id=st.none() | WORD,
    tool_name=st.none() | WORD,
    native=st.none() | OBJECT,
    native_provider=st.none() | WORD,
)
TOOL = st.builds(Tool, name=WORD, description=TEXT, parameters=OBJECT)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "prompt": TEXT,
    "system": st.none() | TEXT,
    "max_tokens": st.none() | st.integers(1, 9000),
    "schema": st.none() | OBJECT,
    "history": st.lists(MESSAGE, max_size=2).map(tuple),
    "tools": st.lists(TOOL, max_size=2).map(tuple),
    "thinking": st.sampled_from([None, "off", "low", "medium", "high"]),
    "temperature": st.none() | st.floats(0, 2),
    "seed": st.none() | st.integers(0, 99),
    "stop": st.lists(WORD, max_size=2).map(tuple),
}
TASK = st.builds(Task, **FIELDS)
NOT_PART = {"id", "model", "timeout", "cache", "web_search"}
"""They do not shape the answer; the model is handed in apart, as the provider will be asked for it. What
searched the web is never kept."""


def key(
    task: Task, *, address: str = "demo here", model: str = "m", options: CallOptions | None = None
) -> bytes:
    return answer_key(task, address=address, model=model, defaults=to_json(options or CallOptions()))


def test_every_field_of_a_task_is_either_part_of_the_key_or_known_not_to_be() -> None:
    assert {field.name for field in fields(Task)} == FIELDS.keys() | NOT_PART | {"tool_choice"}


@pytest.mark.parametrize("name", FIELDS)
@settings(max_examples=25)
@given(data=st.data(), task=TASK)
def test_another_value_of_any_field_is_another_key(name: str, data: st.DataObject, task: Task) -> None:
    other = replace(task, **{name: data.draw(FIELDS[name])})
    assume(asdict(other)[name] != asdict(task)[name])
    assert key(task) != key(other)


@given(task=TASK)
def test_the_choice_of_tools_counts_where_there_are_tools(task: Task) -> None:
    other = replace(task, tool_choice="required")
    assert (key(task) != key(other)) or not task.tools


@given(task=TASK, id=st.none() | TEXT, timeout=st.none() | st.floats(1, 99), cache=st.none() | st.just(True))
def test_what_does_not_shape_the_answer_does_not_change_the_key(
    task: Task, id: str | None, timeout: float | None, cache: bool | None
) -> None:
    assert key(task) == key(replace(task, id=id, timeout=timeout, cache=cache))


@given(task=TASK, model=TEXT, address=TEXT)
def test_another_model_or_address_is_another_key(task: Task, model: str, address: str) -> None:
    assert (key(task) == key(task, model=model)) is (model == "m")
    assert (key(task) == key(task, address=address)) is (address == "demo here")


OPTIONS: dict[str, Any] = {
    "max_tokens": 7,
    "temperature": 0.0,
    "thinking": "low",
    "stream": True,
    "keep_alive": "1m",
    "num_ctx": 4096,
}


def test_every_configured_option_is_known_here() -> None:
    assert {field.name for field in fields(CallOptions)} == OPTIONS.keys()


@pytest.mark.parametrize("name", OPTIONS)
def test_another_configured_option_is_another_key(name: str) -> None:
    task = Task(prompt="p")
    assert key(task) != key(task, options=CallOptions(**{name: OPTIONS[name]}))


def test_text_does_not_move_between_fields_unnoticed() -> None:
    keys = {
        key(Task(prompt="ab", system="c")),
        key(Task(prompt="a", system="bc")),
        key(Task(prompt="abc")),
        key(Task(prompt="", system="abc")),
        key(Task(prompt="ab", stop=("c",))),
        key(Task(prompt="ab", stop=("c", ""))),
        key(Task(prompt="ab"), model="mc"),
        key(Task(prompt="ab"), address="demo herem", model=""),
    }
    assert len(keys) == 8


def test_texts_that_are_alike_for_thousands_of_characters_are_different_questions() -> None:
    assert key(Task(prompt="x" * 50_000 + "a")) != key(Task(prompt="x" * 50_000 + "b"))
