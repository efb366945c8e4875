"""Messages that only their sender takes for JSON."""

import json

from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from clawswarm_mcp.mending import mended

TEXT = st.text(st.characters(exclude_categories=()))
"""Half characters included."""


@given(st.dictionaries(TEXT, TEXT | st.integers() | st.lists(TEXT)))
def test_whatever_python_can_send_the_parser_can_read(document: dict[str, object]) -> None:
    message = json.dumps(document)
    found = from_json(mended(message))
    assert found == json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))


@given(st.dictionaries(st.text(), st.text() | st.floats(allow_nan=False) | st.none()))
def test_what_is_well_is_left_as_it_is(document: dict[str, object]) -> None:
    message = json.dumps(document)
    assert mended(message) is message


def test_what_cannot_be_read_is_refused_by_its_id() -> None:
    assert mended("no JSON") == "no JSON"
    assert json.loads(mended('{"id": "a\\"b", "x":')) == {
        "jsonrpc": "2.0",
        "id": 'a"b',
        "method": "unreadable",
    }
    assert json.loads(mended('{"id": 7, "params": ' + "[" * 5_000))["id"] == 7
