"""The list of tools: ten of them, small, described in words that people search for."""

import math
import re
from typing import Any

import jsonschema
import pytest
from mcp_types import Tool
from pydantic_core import to_json

from clawswarm_mcp.arguments import read
from clawswarm_mcp.catalog import TOOLS, Entry
from tests.mcp.support import bare, in_memory

BUDGET = 2_500
"""Tokens of all names, descriptions, schemas and annotations together (design, section 7)."""

NAMES = [
    "swarm_parallel",
    "swarm_research",
    "swarm_job",
    "team_start",
    "team_status",
    "team_message",
    "team_checkpoint",
    "raise_emergency",
    "cast_vote",
    "team_control",
]

WORDS = {
    "swarm_parallel": "parallel prompts batch bulk fan out many summarize classify translate extract llm",
    "swarm_research": "web research search internet compare companies products sources quotes",
    "swarm_job": "background jobs progress results cancel list",
    "team_start": "team agents overnight long run board",
    "team_status": "team phase agents trust votes emergencies directive",
    "team_message": "agent inbox acknowledge",
    "team_checkpoint": "save state milestone phase roll back",
    "raise_emergency": "stop stuck conflict budget unsafe human",
    "cast_vote": "vote proposal topic options converged missing",
    "team_control": "human pause resume abort answer emergency decide rollback checkpoint",
}

pytestmark = pytest.mark.anyio

every_tool = pytest.mark.parametrize("entry", TOOLS, ids=lambda entry: entry.name)


async def listed(tmp_path: Any) -> list[Tool]:
    async with in_memory(bare(tmp_path)) as desk:
        return (await desk.client.list_tools()).tools


def tokens(text: str) -> int:
    """Tokens: the pieces that tokenizers begin with, long words and long punctuation counted as several.

    It lies some percent above what the tokenizers of two vendors make of this list.
    """
    pieces = re.findall(r"[^\s\w]?[^\W\d_]+|\d{1,3}|[^\s\w]+|_|\s+", text)
    return sum(math.ceil(len(piece) / (12 if piece[-1].isalpha() else 4)) for piece in pieces)


async def test_the_list_is_within_its_budget_however_it_is_counted(tmp_path: Any) -> None:
    tools = await listed(tmp_path)
    document = to_json({"tools": [tool.model_dump(by_alias=True, exclude_none=True) for tool in tools]})
    assert len(document) / 4 <= BUDGET
    assert tokens(document.decode()) <= BUDGET


async def test_there_are_ten_tools_with_titles_and_annotations(tmp_path: Any) -> None:
    tools = await listed(tmp_path)
    assert [tool.name for tool in tools] == NAMES
    for tool in tools:
        assert tool.title
        assert tool.annotations is not None
        hints = tool.annotations
        writes = not hints.read_only_hint
        assert hints.open_world_hint is (None if tool.name in ("swarm_parallel", "swarm_research") else False)
        assert not writes or hints.destructive_hint is (tool.name in ("swarm_job", "team_control"))
    assert [tool.name for tool in tools if tool.annotations and tool.annotations.read_only_hint] == [
        "team_status"
    ]


@every_tool
def test_it_is_found_by_the_words_that_people_use(entry: Entry) -> None:
    text = f"{entry.name} {entry.description}".lower().replace("_", " ")
    assert [word for word in WORDS[entry.name].split() if word not in text] == []
    assert len(entry.description) <= 1_200  # hosts cut there
    assert "sub-agent" not in text
    assert "subagent" not in text


async def test_the_schemas_are_schemas_and_hold_no_noise(tmp_path: Any) -> None:
    for tool in await listed(tmp_path):
        for schema in (tool.input_schema, tool.output_schema):
            assert schema is not None
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
            text = to_json(schema).decode()
            assert '"title":' not in text
            assert "$ref" not in text
            assert "anyOf" not in text


@every_tool
def test_the_example_that_errors_show_is_right(entry: Entry) -> None:
    read(entry.takes, entry.example, example=entry.example)


async def test_the_arguments_are_described(tmp_path: Any) -> None:
    """Every number says its limits; what is not plain from its name says what it is, most with an example."""
    for tool in await listed(tmp_path):
        fields = tool.input_schema["properties"]
        for name, field in fields.items():
            if field.get("type") in ("number", "integer"):
                assert {"minimum", "exclusiveMinimum"} & set(field), (tool.name, name)
        assert any("description" in field for field in fields.values()) or len(fields) <= 3
