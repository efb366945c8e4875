"""Replies that follow a JSON Schema: what is sent, and what comes out as data."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.providers.schemas import closed, is_strict
from clawswarm.types.task import Task
from tests.fakes.behaviours import Say
from tests.fakes.common import every_schema, strict_problem
from tests.providers.wires import (
    ANTHROPIC,
    CHAT,
    CLOSED,
    GEMINI,
    GROQ,
    OLLAMA,
    OPEN,
    WEATHER,
    Wire,
    both_modes,
    every_wire,
    one,
    opened,
    swarm_on,
)

pytestmark = pytest.mark.anyio


@both_modes
@pytest.mark.parametrize("schema", [CLOSED, OPEN], ids=["closed", "open"])
@every_wire
async def test_the_reply_is_parsed_into_data(wire: Wire, schema: dict[str, Any], stream: bool) -> None:
    async with wire.make() as fake, swarm_on(wire, fake, stream=stream) as swarm:
        result = await one(swarm, Task(prompt="list", schema=schema))
    assert result.error is None
    assert result.data == ({"n": 0, "tags": []} if schema is CLOSED else {"n": 0})
    assert result.text


@both_modes
@every_wire
async def test_data_that_breaks_the_schema_is_no_answer(wire: Wire, stream: bool) -> None:
    async with wire.make() as fake, swarm_on(wire, fake, stream=stream) as swarm:
        fake.enqueue(Say(text='{"n": "one", "tags": []}'), Say(text="sure! here it is"))
        wrong = await one(swarm, Task(prompt="list", schema=CLOSED))
        prose = await one(swarm, Task(prompt="list", schema=CLOSED))
    for result in (wrong, prose):
        assert result.error is not None
        assert (result.ok, result.error.code, result.data) == (False, "invalid_output", None)
    if wire is not OLLAMA:
        assert wrong.usage is not None
        assert wrong.usage.output_tokens == 20


@both_modes
@pytest.mark.parametrize("wire", CHAT, ids=lambda w: w.id)
async def test_strict_is_claimed_only_for_schemas_that_are(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream) as line:
        await line.ask(Task(prompt="list", schema=CLOSED))
        strict = line.body["response_format"]["json_schema"]
        await line.ask(Task(prompt="list", schema=OPEN))
        loose = line.body["response_format"]["json_schema"]
    assert strict["schema"] == CLOSED
    assert strict["strict"] is not (wire is GROQ and stream)
    assert loose == {"name": "Answer", "strict": False, "schema": OPEN}


async def test_groq_gets_no_strict_where_it_refuses_it() -> None:
    async with opened(GROQ) as line:
        await line.ask(Task(prompt="list", schema=CLOSED), "qwen/qwen3.8-27b")
        assert line.body["response_format"]["json_schema"]["strict"] is False
        await line.ask(Task(prompt="list", schema=CLOSED, tools=(WEATHER,)))
        assert line.body["response_format"]["json_schema"]["strict"] is False
        await line.ask(Task(prompt="list", schema=CLOSED))
        assert line.body["response_format"]["json_schema"]["strict"] is True


async def test_gemini_and_ollama_get_the_schema_as_it_is() -> None:
    async with opened(GEMINI) as line:
        await line.ask(Task(prompt="list", schema=OPEN))
        config = line.body["generationConfig"]
        assert (config["responseMimeType"], config["responseJsonSchema"]) == ("application/json", OPEN)
    async with opened(OLLAMA) as line:
        await line.ask(Task(prompt="list", schema=OPEN))
        assert line.body["format"] == OPEN


async def test_claude_gets_every_object_closed() -> None:
    schema = {
        "type": "object",
        "properties": {
            "type": {"const": {"type": "object"}},
            "properties": {"type": ["object", "null"], "properties": {"a": OPEN}},
            "list": {"type": "array", "items": {"$ref": "#/$defs/node"}},
        },
        "$defs": {"node": {"anyOf": [OPEN, {"type": "null"}]}},
    }
    async with opened(ANTHROPIC) as line:
        await line.ask(Task(prompt="list", schema=schema))
        sent = line.body["output_config"]["format"]["schema"]
    assert strict_problem(sent, all_required=False) is None
    assert sent["properties"]["type"] == {"const": {"type": "object"}}
    assert set(sent["properties"]) == {"type", "properties", "list"}
    assert "additionalProperties" not in schema
    assert OPEN.keys() == {"type", "properties", "required"}


async def test_claude_gets_effort_and_format_side_by_side() -> None:
    async with opened(ANTHROPIC) as line:
        await line.ask(Task(prompt="list", schema=CLOSED, thinking="low"))
        assert line.body["output_config"]["effort"] == "low"
        assert line.body["output_config"]["format"]["schema"] == CLOSED


async def test_a_fence_around_the_json_is_taken_off() -> None:
    async with OLLAMA.make() as fake, swarm_on(OLLAMA, fake) as swarm:
        fake.enqueue(Say(text='```json\n{"n": 3, "tags": ["a"]}\n```'))
        result = await one(swarm, Task(prompt="list", schema=CLOSED))
    assert result.data == {"n": 3, "tags": ["a"]}


names = st.sampled_from(["type", "properties", "required", "items", "a", "additionalProperties"])


Schema = dict[str, Any]


@st.composite
def _objects(draw: st.DrawFn, inner: st.SearchStrategy[Schema]) -> Schema:
    properties = draw(st.dictionaries(names, inner, max_size=3))
    schema: Schema = {
        "type": draw(st.sampled_from(["object", ["object", "null"]])),
        "properties": properties,
        "required": list(properties)[: draw(st.sampled_from([1, 2, None]))],
    }
    if draw(st.booleans()):
        schema["additionalProperties"] = False
    return schema


def _list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _one_of(options: list[Schema]) -> Schema:
    return {"anyOf": options}


def _named(part: Schema) -> Schema:
    return {"$ref": "#/$defs/x", "$defs": {"x": part}}


def _grown(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    several = st.lists(inner, min_size=1, max_size=2)
    return st.one_of(_objects(inner), inner.map(_list_of), several.map(_one_of), inner.map(_named))


LEAVES: list[Schema] = [{"type": "string"}, {"const": {"type": "object"}}, {"enum": [{"properties": {}}]}]
schemas: st.SearchStrategy[Schema] = st.recursive(st.sampled_from(LEAVES), _grown, max_leaves=8)


@given(schemas)
def test_a_closed_schema_has_no_open_object(schema: dict[str, Any]) -> None:
    before = str(schema)
    result = closed(schema)
    assert strict_problem(result, all_required=False) is None
    assert closed(result) == result
    assert str(schema) == before
    assert [path for path, _ in every_schema(result)] == [path for path, _ in every_schema(schema)]


@given(schemas)
def test_strict_means_what_the_api_means_by_it(schema: dict[str, Any]) -> None:
    assert is_strict(schema) is (strict_problem(schema, all_required=True) is None)
