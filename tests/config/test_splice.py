"""Changing one value of a YAML text: what else stands there stays, to the character."""

from decimal import Decimal
from typing import Any, cast

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from clawswarm.config.splice import Value, removed, replaced
from clawswarm.errors import ConfigError

FILE = """\
# on top
root:   # the root
  limits:
      max: 16     # adjust
      # min: 1
  list:
  - a
  -   b  # two

  provider: {name: 'gemini', url: "http://x"}   # flow

"odd key": yes
"""


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        (("root", "limits", "max"), 4, "max: 16     # adjust", "max: 4     # adjust"),
        (("root", "limits", "more"), True, "# adjust\n", "# adjust\n      more: true\n"),
        (("root", "provider", "name"), "it's", "'gemini'", "'it''s'"),
        (("root", "provider", "url"), "http://y", '"http://x"', '"http://y"'),
        (("root", "provider", "port"), 80, '"http://x"}', '"http://x", port: 80}'),
        (("root", "provider", "a", "b"), 1, '"http://x"}', '"http://x", a: {b: 1}}'),
        (("root", "list"), "c", "  list:\n  - a\n  -   b  # two\n", "  list: c\n"),
        (("root", "cap", "usd"), Decimal("0.50"), "# flow\n", "# flow\n  cap:\n    usd: 0.50\n"),
        (("odd key",), "no", "yes", '"no"'),
        (("new",), "a: b", "yes\n", 'yes\nnew: "a: b"\n'),
    ],
)
def test_one_place_changes(path: tuple[str, ...], value: Value, old: str, new: str) -> None:
    assert FILE.count(old) == 1
    assert replaced(FILE, path, value) == FILE.replace(old, new)


@pytest.mark.parametrize(
    ("path", "gone"),
    [
        (("root", "limits", "max"), "      max: 16     # adjust\n"),
        (("root", "list"), "  list:\n  - a\n  -   b  # two\n"),
        (("root", "provider", "name"), "name: 'gemini', "),
        (("root", "provider", "url"), ', url: "http://x"'),
        (("odd key",), '"odd key": yes\n'),
        (("nobody",), ""),
        (("nobody", "here"), ""),
    ],
)
def test_one_entry_goes(path: tuple[str, ...], gone: str) -> None:
    assert removed(FILE, path) == FILE.replace(gone, "", 1)


def test_an_entry_can_go_without_moving_the_lines_below() -> None:
    assert removed(FILE, ("root", "list"), keep_lines=True) == FILE.replace(
        "  list:\n  - a\n  -   b  # two\n", "\n\n\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "a:\n  b: 1\n"),
        ("# only words", "# only words\na:\n  b: 1\n"),
        ("---\n...\n", "---\na:\n  b: 1\n...\n"),
        ("\ufeffx: 1", "\ufeffx: 1\na:\n  b: 1\n"),
        ("a:", "a:\n  b: 1\n"),
        ("a:   # later\n", "a:   # later\n  b: 1\n"),
        ("a: ~ # later\nc: 2", "a: # later\n  b: 1\nc: 2"),
        ("a: {}  # later\n", "a: {b: 1}  # later\n"),
        ("{a: , c: 2}", "{a: {b: 1} , c: 2}"),
        ("{}", "{a: {b: 1}}"),
        ("a:\r\n    c: 2\r\n", "a:\r\n    c: 2\r\n    b: 1\r\n"),
        ("x:\n   y: 1\na:\n", "x:\n   y: 1\na:\n   b: 1\n"),
        ("a:\n  b: |\n    old\n\n    words\n\n# end\n", "a:\n  b: 1\n# end\n"),
        ("a:\n  c: >+\n    text\n\n", "a:\n  c: >+\n    text\n\n  b: 1\n"),
    ],
)
def test_what_is_missing_is_made_where_it_belongs(text: str, expected: str) -> None:
    assert replaced(text, ("a", "b"), 1) == expected


@pytest.mark.parametrize("text", ["a: word\n", "a: [1]\n", "x: &x {b: 2}\na: *x\n", "- a\n", "~\n"])
def test_what_cannot_be_changed_alone_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        replaced(text, ("a", "b"), 1)
    assert caught.value.hint


names = st.sampled_from(["alpha", "beta", "gamma", "delta", "epsilon"])
scalars = st.sampled_from(
    [
        "1",
        "2.50",
        "yes",
        "'quoted'",
        '"double"',
        "plain words",
        "~",
        "http://h:1/p",
        "|\n{0}  two\n{0}  lines",
    ]
)
comments = st.sampled_from(["", "", "  # said here", " #"])
gaps = st.sampled_from(["", "", "\n", "# a line\n", "      # far right\n"])
values = st.one_of(st.integers(0, 99), st.booleans(), st.text("ab:#'\"{}[], \\", max_size=6))


@st.composite
def groups(draw: st.DrawFn, indent: int = 0, depth: int = 0) -> str:
    """A block of YAML with comments, odd spacing, quotes, lists and groups, in any layout."""
    lines: list[str] = []
    for name in draw(st.lists(names, unique=True, min_size=1, max_size=4)):
        pad = " " * indent
        lines.append(draw(gaps))
        kind = draw(st.sampled_from(["scalar", "scalar", "flow", "list", "group", "empty"]))
        head = f"{pad}{name}:"
        if kind == "group" and depth < 2:
            step = draw(st.integers(1, 5))
            lines.append(f"{head}{draw(comments)}\n{draw(groups(indent + step, depth + 1))}")
        elif kind == "list":
            lines.append(f"{head}\n{pad}- one{draw(comments)}\n{pad}-   {{k:  v}}\n")
        elif kind == "flow":
            lines.append(f"{head} {{alpha:  1 , 'beta': [x,  y]}}{draw(comments)}\n")
        elif kind == "empty":
            lines.append(f"{head}{draw(comments)}\n")
        else:
            value = draw(scalars).format(pad)
            lines.append(f"{head} {value}{'' if value.startswith('|') else draw(comments)}\n")
    return "".join(lines)


def _expected(tree: Any, path: tuple[str, ...], value: Value) -> Any:
    key, *rest = path
    group: dict[str, Any] = dict(cast("dict[str, Any]", tree)) if isinstance(tree, dict) else {}
    group[key] = _expected(group.get(key), tuple(rest), value) if rest else value
    return group


@settings(max_examples=50)
@given(
    text=groups(),
    path=st.lists(names, min_size=1, max_size=3).map(tuple),
    value=values,
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_all_other_lines_stay_as_they_are(text: str, path: tuple[str, ...], value: Value, end: str) -> None:
    text = text.replace("\n", end)
    before = yaml.safe_load(text)
    try:
        after = replaced(text, path, value)
    except ConfigError:
        return  # a value stands where the group would have to be
    assert yaml.safe_load(after) == _expected(before, path, value)
    left, right = text.split(end), after.split(end)
    start = next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), len(left))
    while left[start:] and right[start:] and left[-1] == right[-1]:
        left.pop()
        right.pop()
    touched = left[start:]
    # What went is the value itself: one line, or the lines of a block or a list.
    assert len(touched) <= 1 or touched[0].strip().startswith(path[-1]), (touched, right[start:])
    assert path[-1] not in (_at(yaml.safe_load(removed(after, path)), path[:-1]) or {})


def _at(tree: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        tree = tree[part]
    return tree
