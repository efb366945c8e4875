"""Whether a reply is an answer."""

from typing import Any

import pytest

from clawswarm.engine.verdict import Schemas, judge, parse_output, validator
from clawswarm.errors import InputError, TaskError
from clawswarm.types.result import FinishReason
from clawswarm.types.task import Task, ToolCall
from tests.engine.support import say

TASK = Task(prompt="p")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}}},
    "required": ["n"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("reason", "detail", "code", "words"),
    [
        ("blocked", "SAFETY", "content_blocked", "SAFETY"),
        ("length", "MAX_TOKENS", "truncated", "100 tokens"),
        ("context_overflow", "cut at 4096", "context_overflow", "cut at 4096"),
        ("other", "MALFORMED_FUNCTION_CALL", "invalid_reply", "MALFORMED_FUNCTION_CALL"),
    ],
)
def test_an_ending_that_is_no_answer_has_an_error_of_its_own(
    reason: FinishReason, detail: str, code: str, words: str
) -> None:
    with pytest.raises(TaskError) as caught:
        judge(say("half an", finish_reason=reason, detail=detail), TASK, "gemini", 100)
    assert caught.value.code == code
    assert words in caught.value.message
    assert caught.value.hint
    assert not caught.value.retryable


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_a_reply_without_text_is_empty(text: str) -> None:
    with pytest.raises(TaskError) as caught:
        judge(say(text), TASK, "gemini", None)
    assert caught.value.code == "empty_reply"


def test_a_truncated_reply_without_a_limit_of_ours_names_the_models() -> None:
    with pytest.raises(TaskError, match="the model's own limit"):
        judge(say("half", finish_reason="length"), TASK, "gemini", None)


@pytest.mark.parametrize("reason", ["stop", "tool_calls"])
def test_a_reply_with_text_or_tool_calls_is_an_answer(reason: FinishReason) -> None:
    judge(say("fine", finish_reason=reason), TASK, "gemini", None)
    calls = (ToolCall(id="1", name="look", arguments={}),)
    judge(say("", finish_reason=reason, tool_calls=calls), TASK, "gemini", None)


@pytest.mark.parametrize(
    "text",
    [
        '{"n": 1}',
        '  {"n": 1}\n',
        '```json\n{"n": 1}\n```',
        '```\n{"n": 1}\n```',
        '\n```JSON\n{"n": 1}```\n',
    ],
)
def test_json_is_read_with_or_without_a_fence(text: str) -> None:
    assert parse_output(text, validator(SCHEMA)) == {"n": 1}


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("I cannot do that", "not JSON"),
        ("", "not JSON"),
        ('{"n": 1', "not JSON"),
        ("```json\nno\n```", "not JSON"),
        ('{"n": "one"}', "at n"),
        ('{"n": 1, "tags": ["a", 2]}', "at tags/1"),
        ("{}", "at the top"),
        ("[1]", "at the top"),
    ],
)
def test_a_reply_that_does_not_fit_the_schema_says_where(text: str, where: str) -> None:
    with pytest.raises(TaskError) as caught:
        parse_output(text, validator(SCHEMA))
    assert caught.value.code == "invalid_output"
    assert where in caught.value.message


@pytest.mark.parametrize("schema", [{"type": "objekt"}, {"required": "n"}, {"pattern": "("}])
def test_a_schema_that_is_none_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="no JSON Schema"):
        validator(schema)


def test_a_reference_to_another_host_is_not_fetched() -> None:
    schema = {"$ref": "http://schemas.example/thing.json"}
    with pytest.raises((InputError, TaskError), match=r"schemas\.example"):
        parse_output("{}", validator(schema))


def test_references_inside_a_schema_work() -> None:
    schema = {"$defs": {"n": {"type": "integer"}}, "type": "array", "items": {"$ref": "#/$defs/n"}}
    assert parse_output("[1, 2]", validator(schema)) == [1, 2]
    with pytest.raises(TaskError, match="at 1"):
        parse_output('[1, "2"]', validator(schema))


def test_a_schema_without_end_is_an_error_of_the_task() -> None:
    with pytest.raises((InputError, TaskError)):
        parse_output("{}", validator({"allOf": [{"$ref": "#"}]}))


def test_a_validator_is_built_once_for_a_schema() -> None:
    schemas = Schemas()
    assert schemas.get(SCHEMA) is schemas.get(SCHEMA)
    assert schemas.get(dict(SCHEMA)) is not schemas.get(SCHEMA)


def test_many_schemas_do_not_pile_up_and_stay_right() -> None:
    schemas = Schemas(limit=4)
    for number in range(50):
        schema = {"const": number}
        assert parse_output(str(number), schemas.get(schema)) == number
