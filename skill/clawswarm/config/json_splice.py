"""Changes values of a JSON text in place, and nothing else in it: order, spaces and line ends stay."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

INDENT = "  "

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class _Member:
    """A key of an object with its value, by their places in the text."""

    key: str
    start: int
    value: int
    end: int


def with_value(text: str, key: tuple[str, ...], value: Any) -> str:
    """`text`, which is a JSON object, with `value` at `key`; groups that are missing are made.

    Raises:
        ValueError: something else than a group stands on the way.
    """
    place = _after_space(text, 0)
    for depth, part in enumerate(key):
        if text[place] != "{":
            raise ValueError(".".join(key[:depth]))
        members = list(_members(text, place))
        found = next((member for member in reversed(members) if member.key == part), None)
        if found is None:
            return _added(text, place, members, key[depth:], value)
        if depth == len(key) - 1:
            one_line = "\n" not in text[found.value : found.end]
            new = _flat(value) if one_line else _written(value, _margin(text, found.start), text)
            return text[: found.value] + new + text[found.end :]
        place = found.value
    raise ValueError("no key was named")


def _members(text: str, place: int) -> Iterator[_Member]:
    """The members of the object that begins at `place`."""
    place = _after_space(text, place + 1)
    while text[place] != "}":
        start = place
        key, place = _DECODER.raw_decode(text, place)
        value = _after_space(text, _after_space(text, place) + 1)
        _, end = _DECODER.raw_decode(text, value)
        yield _Member(key, start, value, end)
        place = _after_space(text, end)
        if text[place] == ",":
            place = _after_space(text, place + 1)


def _added(text: str, place: int, members: list[_Member], key: tuple[str, ...], value: Any) -> str:
    """`text` with one more member at the end of the object that begins at `place`."""
    for part in reversed(key[1:]):
        value = {part: value}
    name, line_end = _flat(key[0]), _line_end(text)
    if not members:
        outer = _margin(text, place)
        inner = outer + _step(text)
        member = f"{inner}{name}: {_written(value, inner, text)}"
        rest = text[_after_space(text, place + 1) :]
        return f"{text[: place + 1]}{line_end}{member}{line_end}{outer}{rest}"
    last = members[-1].end
    if "\n" not in text[place : members[0].start]:  # written on one line, and stays so
        return f"{text[:last]}, {name}: {_flat(value)}{text[last:]}"
    margin = _margin(text, members[0].start)
    return f"{text[:last]},{line_end}{margin}{name}: {_written(value, margin, text)}{text[last:]}"


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _written(value: Any, margin: str, text: str) -> str:
    """`value` over several lines as `text` has them, the further ones behind `margin`."""
    lines = json.dumps(value, ensure_ascii=False, indent=_step(text)).split("\n")
    return f"{_line_end(text)}{margin}".join(lines)


def _margin(text: str, place: int) -> str:
    """What the line of `place` begins with."""
    start = text.rfind("\n", 0, place) + 1
    line = text[start:place]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _step(text: str) -> str:
    """By what this text indents."""
    found = re.search(r"\n([ \t]+)\S", text)
    return found[1] if found else INDENT


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place
