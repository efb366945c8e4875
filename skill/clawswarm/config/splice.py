"""Changes to single values of a YAML text. Every character that a change does not concern stays as it is.

A YAML library that reads a file and writes it anew keeps comments at best; spacing, line breaks and quotes
come out as it likes them. So the file is never written anew: the parser that also reads the configuration
tells where a value stands, and only that part of the text is replaced.
"""

import json
import re
from dataclasses import dataclass
from decimal import Decimal

import yaml

from clawswarm.config import yaml_marks
from clawswarm.config.fields import Path, dotted
from clawswarm.config.problems import plain_text
from clawswarm.errors import ConfigError

Value = str | int | bool | Decimal

INDENT = 2
"""Columns by which a group is indented in a file that has none yet."""

_LINE_END = re.compile(r"\r\n|\n|\r")
_BY_HAND = "change it by hand, or write it as plain keys with values"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One key of a mapping with its value, and what stands around it."""

    mapping: yaml.MappingNode
    place: int

    @property
    def key(self) -> yaml.Node:
        return self.mapping.value[self.place][0]

    @property
    def value(self) -> yaml.Node:
        return self.mapping.value[self.place][1]


def replaced(text: str, path: Path, value: Value) -> str:
    """`text` with `value` at `path`; groups that are missing are made.

    Raises:
        ConfigError: something else than a group stands on the way, or it is written in a way that cannot be
            changed without changing more.
    """
    node = _root(text)
    for depth, part in enumerate(path):
        if node is None or _is_empty(node):
            return _filled(text, node, path[depth:], value, path[:depth])
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{dotted(path[:depth])!r} is no group of keys", hint=_BY_HAND)
        entry = _entry(node, part)
        if entry is None:
            return _added(text, node, path[depth:], value)
        _refuse_alias(entry, path[: depth + 1])
        if depth == len(path) - 1:
            return _revalued(text, entry, value)
        node = entry.value
    raise ConfigError("no key was named", hint="name the key to change")


def removed(text: str, path: Path, *, keep_lines: bool = False) -> str:
    """`text` without the entry at `path`; the text itself where there is none.

    Args:
        keep_lines: leave empty lines in its place, so that all others keep their numbers.
    """
    node = _root(text)
    for part in path[:-1]:
        node = _child(node, part)
    entry = _entry(node, path[-1])
    if entry is None:
        return text
    _refuse_alias(entry, path)
    start, end = _span(text, entry)
    gap = "".join(_LINE_END.findall(text[start:end])) if keep_lines else ""
    return text[:start] + gap + text[end:]


def _root(text: str) -> yaml.Node | None:
    return yaml.SafeLoader(text).get_single_node()


def _entry(node: yaml.Node | None, part: str | int) -> _Entry | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    found = (place for place, (key, _) in enumerate(node.value) if key.value == part)
    place = next(found, None)
    return None if place is None else _Entry(node, place)


def _child(node: yaml.Node | None, part: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        return node.value[part]
    entry = _entry(node, part)
    return None if entry is None else entry.value


def _refuse_alias(entry: _Entry, path: Path) -> None:
    """An alias stands for a value that is written elsewhere, and that others may use."""
    if entry.value.start_mark.index < entry.key.end_mark.index:
        line = entry.key.start_mark.line + 1
        raise ConfigError(f"{dotted(path)!r} (line {line}) is an alias of another value", hint=_BY_HAND)


def _is_empty(node: yaml.Node) -> bool:
    """Whether a group may be put where `node` stands: nothing, null, or {}."""
    if isinstance(node, yaml.MappingNode):
        return not node.value
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


# ---- where things end


def _end(node: yaml.Node) -> int:
    """Where the last character of `node` stands, without what a block is followed by."""
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        return _end(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        return _end(node.value[-1])
    return node.end_mark.index


def _next_line(text: str, index: int) -> int:
    """The start of the line after the one that `index` is in; `index` itself where a line begins."""
    if index and text[index - 1] in "\r\n":
        return index  # a block of text ends where the next line starts
    found = _LINE_END.search(text, index)
    return found.end() if found else len(text)


def _line_start(text: str, index: int) -> int:
    return max(text.rfind("\n", 0, index), text.rfind("\r", 0, index)) + 1


def _line_end(text: str) -> str:
    """How lines end in this text."""
    found = _LINE_END.search(text)
    return found[0] if found else "\n"


def _span(text: str, entry: _Entry) -> tuple[int, int]:
    """What goes when an entry goes: its lines, or its part of a line."""
    entries = entry.mapping.value
    start, end = entry.key.start_mark.index, _end(entry.value)
    if entry.mapping.flow_style:
        if entry.place > 0:
            return _end(entries[entry.place - 1][1]), end
        return start, entries[1][0].start_mark.index if len(entries) > 1 else end
    begins = _line_start(text, start)
    if text[begins:start].strip(" \ufeff"):
        return start, end  # "- key: value": the dash stays
    return begins + text[begins:start].count("\ufeff"), _next_line(text, end)


# ---- what is written


def _filled(text: str, node: yaml.Node | None, path: Path, value: Value, above: Path) -> str:
    """`text` with a group in place of nothing: of the whole document, or of the value of a key."""
    if node is None or (not above and node.start_mark.index == node.end_mark.index):
        return _inserted(text, _body_end(text), _lines(path, value, 0, text))
    if not above and not isinstance(node, yaml.MappingNode):
        raise ConfigError("the file holds one empty value, and no key", hint=_BY_HAND)
    start, end = node.start_mark.index, node.end_mark.index
    parent = _root(text)
    for part in above[:-1]:
        parent = _child(parent, part)
    inside = isinstance(parent, yaml.MappingNode) and bool(parent.flow_style)
    if inside or isinstance(node, yaml.MappingNode):  # {} stays what it is, filled
        gap = " " if text[start - 1 : start] == ":" else ""
        return text[:start] + gap + _flow_group(path, value) + text[end:]
    entry = _entry(parent, above[-1])
    column = entry.key.start_mark.column if entry else 0
    emptied = text[:start].rstrip(" ") + text[end:] if start < end else text
    below = _next_line(emptied, min(start, len(text[:start].rstrip(" "))))
    return _inserted(emptied, below, _lines(path, value, column + _step(emptied), emptied))


def _body_end(text: str) -> int:
    """Where a document that holds comments only may be continued: before its end mark."""
    found = re.search(r"^\.\.\.", text, re.MULTILINE)
    return found.start() if found else len(text)


def _added(text: str, node: yaml.MappingNode, path: Path, value: Value) -> str:
    """`text` with one more entry at the end of a mapping."""
    last = _end(node.value[-1][1])
    if node.flow_style:
        return f"{text[:last]}, {_flow_entry(path, value)}{text[last:]}"
    column = node.value[0][0].start_mark.column
    return _inserted(text, _next_line(text, last), _lines(path, value, column, text))


def _revalued(text: str, entry: _Entry, value: Value) -> str:
    """`text` with another value of an entry."""
    node = entry.value
    if not isinstance(node, yaml.ScalarNode):
        gone, end = _span(text, entry)
        return _again(text[:gone] + text[end:], gone, entry, value)
    start, end = node.start_mark.index, node.end_mark.index
    block = node.style in ("|", ">")
    new = _scalar(value, None if block else node.style, flow=bool(entry.mapping.flow_style))
    gap = " " if text[start - 1 : start] == ":" else ""
    tail = _line_end(text) if block and text[end - 1 : end] in ("\r", "\n") else ""
    return text[:start] + gap + new + tail + text[end:]


def _again(text: str, start: int, entry: _Entry, value: Value) -> str:
    """A list or group gave way to a single value: the entry is written anew where it stood."""
    key = str(entry.key.value)
    if entry.mapping.flow_style:
        written = _flow_entry((key,), value)
        others = len(entry.mapping.value) > 1
        if entry.place > 0:
            return f"{text[:start]}, {written}{text[start:]}"
        return text[:start] + written + (", " if others else "") + text[start:]
    return _inserted(text, start, _lines((key,), value, entry.key.start_mark.column, text))


def _step(text: str) -> int:
    """Columns by which this file indents its groups."""
    root = _root(text)
    if isinstance(root, yaml.MappingNode):
        for _, value in root.value:
            if isinstance(value, yaml.MappingNode) and value.value and not value.flow_style:
                return max(1, value.value[0][0].start_mark.column)
    return INDENT


def _lines(path: Path, value: Value, column: int, text: str) -> list[str]:
    step = _step(text)
    lines = [f"{' ' * (column + step * depth)}{part}:" for depth, part in enumerate(path)]
    lines[-1] += f" {_scalar(value, None, flow=False)}"
    return lines


def _inserted(text: str, index: int, lines: list[str]) -> str:
    """`text` with whole lines before `index`, which is the start of a line or the end of the text."""
    end = _line_end(text)
    before, after = text[:index], text[index:]
    if before and before[-1] not in "\r\n\ufeff":
        before += end
    return before + "".join(line + end for line in lines) + after


def _flow_entry(path: Path, value: Value) -> str:
    entry = _scalar(value, None, flow=True)
    for depth, part in enumerate(reversed(path)):
        entry = f"{part}: {entry}" if depth == 0 else f"{part}: {{{entry}}}"
    return entry


def _flow_group(path: Path, value: Value) -> str:
    return f"{{{_flow_entry(path, value)}}}"


def _scalar(value: Value, style: str | None, *, flow: bool) -> str:
    """`value` as YAML, in the quotes that stood there, else in as few as it needs."""
    if not isinstance(value, str):
        return plain_text(value)
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return value if style is None and _is_plain(value, flow=flow) else json.dumps(value, ensure_ascii=False)


def _is_plain(value: str, *, flow: bool) -> bool:
    """Whether `value` means itself without quotes."""
    if not value.isprintable() or value != value.strip():
        return False
    try:
        read = yaml_marks.parse(f"{{k: {value}}}" if flow else f"k: {value}", "").value
    except ConfigError:
        return False
    return read == {"k": value}
