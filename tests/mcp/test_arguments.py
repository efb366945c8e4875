"""Arguments as hosts send them unchecked: understood where it is clear what is meant, else told in words."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.errors import InputError
from clawswarm_mcp.arguments import read
from clawswarm_mcp.catalog import BY_NAME, TOOLS

UNDERSTOOD: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("swarm_parallel", {"prompts": '["a", "b"]'}, {"prompts": ["a", "b"]}),
    ("swarm_parallel", {"prompts": "a"}, {"prompts": ["a"]}),
    ("swarm_parallel", {"prompts": ["a", 7]}, {"prompts": ["a", "7"]}),
    ("swarm_parallel", {"prompts": ["a"], "wait": "5", "max_spend": "$0.5"}, {"wait": 5, "max_spend": 0.5}),
    (
        "swarm_parallel",
        {"prompts": ["a"], "output_schema": '{"type": "object"}'},
        {"output_schema": {"type": "object"}},
    ),
    ("swarm_parallel", {"prompts": ["a"], "model": None, "system": None}, {"model": None, "system": None}),
    ("swarm_research", {"subjects": '["A"]', "depth": "Quick"}, {"subjects": ["A"], "depth": "quick"}),
    ("swarm_job", {"action": " LIST ", "limit": "3"}, {"action": "list", "limit": 3}),
    ("team_message", {"role": "builder", "type": "status"}, {"type": "STATUS"}),
    ("team_message", {"role": "builder", "messages": "m1"}, {"messages": ("m1",)}),
    ("raise_emergency", {"role": "scout", "level": "2", "text": 5}, {"level": 2, "text": "5"}),
    ("cast_vote", {"role": "scout", "irreversible": "true"}, {"irreversible": True}),
    (
        "team_checkpoint",
        {"trigger": "t", "summary": "s", "reports": '{"builder": "done"}', "blockers": "one"},
        {"reports": {"builder": "done"}, "blockers": ("one",)},
    ),
]

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("swarm_parallel", {}, "'prompts' is missing: it is a list of texts, 1 or more long"),
    ("swarm_parallel", {"prompts": []}, "'prompts' cannot be []"),
    ("swarm_parallel", {"prompts": 5}, "'prompts' cannot be 5: it is a list of texts"),
    ("swarm_parallel", {"prompts": [["a"]]}, "'prompts', at 0 cannot be [\"a\"]"),
    ("swarm_parallel", {"prompts": "[1, 2"}, "'prompts' cannot be"),
    ("swarm_parallel", {"prompts": ["a"], "prompt": "b"}, "no argument 'prompt': did you mean 'prompts'?"),
    ("swarm_parallel", {"prompts": ["a"], "zzz": 1}, "no argument 'zzz': known are prompts, system,"),
    (
        "swarm_parallel",
        {"prompts": ["a"], "wait": 41},
        "'wait' cannot be 41: it is a number, at least 0, at most 40",
    ),
    ("swarm_parallel", {"prompts": ["a"], "wait": "soon"}, "'wait' cannot be \"soon\": it is a number"),
    ("swarm_parallel", {"prompts": ["a"], "wait": float("nan")}, "'wait' cannot be"),
    (
        "swarm_parallel",
        {"prompts": ["a"], "max_spend": -1},
        "'max_spend' cannot be -1: it is a number, at least 0",
    ),
    ("swarm_parallel", {"prompts": ["\ud800"]}, "cannot be read: half of a character"),
    ("swarm_research", {"subjects": ["A"], "depth": "deepest"}, "it is one of quick, standard, deep"),
    ("swarm_job", {"limit": 0}, "'limit' cannot be 0: it is a whole number, at least 1, at most 1000"),
    ("swarm_job", {"action": "stop"}, "it is one of wait, list, cancel"),
    ("raise_emergency", {"role": "scout", "level": 5, "text": "x"}, "at least 1, at most 4"),
    ("raise_emergency", {"role": "scout", "level": 2.5, "text": "x"}, "it is a whole number"),
    (
        "team_checkpoint",
        {"trigger": "t", "summary": "s", "reports": "x"},
        "'reports' cannot be \"x\": it is an object",
    ),
    ("team_control", {"action": "explode"}, "it is one of pause, resume, abort, answer, resolve"),
]


@pytest.mark.parametrize(("name", "given", "meant"), UNDERSTOOD)
def test_what_is_clear_is_understood(name: str, given: dict[str, Any], meant: dict[str, Any]) -> None:
    entry = BY_NAME[name]
    found = read(entry.takes, given, example=entry.example)
    assert {key: getattr(found, key) for key in meant} == meant


@pytest.mark.parametrize(("name", "given", "words"), REFUSED)
def test_what_is_not_is_told_with_what_is_allowed(name: str, given: dict[str, Any], words: str) -> None:
    entry = BY_NAME[name]
    with pytest.raises(InputError) as caught:
        read(entry.takes, given, example=entry.example)
    assert words in caught.value.message
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("nothing was done; call it like this: {")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(TOOLS), st.data())
def test_nothing_but_an_input_error_comes_of_any_arguments(entry: Any, data: st.DataObject) -> None:
    names = st.sampled_from(list(entry.takes.model_fields)) | st.text(max_size=8)
    arguments = data.draw(st.dictionaries(names, JSON, max_size=5))
    with suppress(InputError):
        read(entry.takes, arguments, example=entry.example)
