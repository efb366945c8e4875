"""A value put into a JSON text: it is there afterwards, and nothing else has moved."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.config.json_splice import with_value

NAMES = st.sampled_from(["a", "b", "agents", 'qu"ote', "ä", "$include", ""])
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.lists(st.integers(), max_size=3)
KEYS = st.lists(NAMES, min_size=1, max_size=4)
TREES: st.SearchStrategy[Any] = st.recursive(
    st.dictionaries(NAMES, LEAVES, max_size=3),
    lambda inner: st.dictionaries(NAMES, inner | LEAVES, max_size=3),
    max_leaves=8,
)
FORMS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"indent": 2},
        {"indent": "\t"},
        {"indent": 4, "ensure_ascii": False},
        {"separators": (",", ":")},
        {"separators": (", ", " :  ")},
    ]
)


def put(tree: dict[str, Any], key: tuple[str, ...], value: Any) -> dict[str, Any]:
    """What `tree` should be afterwards."""
    new = value if len(key) == 1 else put(tree.get(key[0]) or {}, key[1:], value)
    return {**tree, key[0]: new}


def is_blocked(tree: Any, key: tuple[str, ...]) -> bool:
    if not isinstance(tree, dict):
        return True
    return len(key) > 1 and key[0] in tree and is_blocked(tree[key[0]], key[1:])


@given(tree=TREES, form=FORMS, key=KEYS, value=LEAVES, windows=st.booleans())
def test_the_value_is_there_and_nothing_else_has_changed(
    tree: dict[str, Any], form: dict[str, Any], key: list[str], value: Any, windows: bool
) -> None:
    text = json.dumps(tree, **form) + "\n"
    if windows:
        text = text.replace("\n", "\r\n")
    if is_blocked(tree, tuple(key)):
        with pytest.raises(ValueError, match=r".*"):
            with_value(text, tuple(key), value)
        return
    after = with_value(text, tuple(key), value)
    found = json.loads(after)
    assert found == put(tree, tuple(key), value)
    assert list(found)[: len(tree)] == list(tree)
    assert not windows or "\n" not in after.replace("\r\n", "")


@given(tree=TREES, form=FORMS, key=KEYS, value=LEAVES)
def test_what_stands_before_and_after_stays_as_it_is_written(
    tree: dict[str, Any], form: dict[str, Any], key: list[str], value: Any
) -> None:
    outer = {"first": 1.50, "middle": tree, "last": [True]}
    text = json.dumps(outer, **form)
    if is_blocked(tree, tuple(key)):
        return
    after = with_value(text, ("middle", *key), value)
    head, tail = text.split(json.dumps("middle"))[0], text[text.rindex(json.dumps("last")) :]
    assert after.startswith(head)
    assert after.endswith(tail)


def test_a_file_written_by_a_program_looks_as_if_the_program_had_written_it() -> None:
    tree: dict[str, Any] = {"agents": {"defaults": {"model": "m", "subagents": {}}}, "tools": {"deny": ["a"]}}
    text = json.dumps(tree, indent=2)
    for key, value in (
        (("agents", "defaults", "subagents", "maxConcurrent"), 2),
        (("agents", "defaults", "model"), "n"),
        (("tools", "deny"), ["a", "b"]),
        (("tools", "subagents", "tools", "deny"), ["c"]),
    ):
        text = with_value(text, key, value)
        tree = put(tree, key, value)
    assert text == json.dumps(tree, indent=2)


def test_of_a_key_that_stands_twice_the_one_that_counts_is_changed() -> None:
    assert with_value('{"a": 1, "a": 2}', ("a",), 3) == '{"a": 1, "a": 3}'
