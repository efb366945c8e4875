"""Layers of settings: each is a tree of values that knows where every one of them was written.

A layer holds values in the type that their key has (text from the environment becomes a number where a
number is due), but does not judge them: what does not fit is left as it is, for the model to refuse.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

from clawswarm.config import fields
from clawswarm.config.fields import Node, Path
from clawswarm.config.section import Section

_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_TRUTH = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


class NotJsonError(ValueError):
    """A value that had to be JSON is not; the text tells what is wrong without repeating the value."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a value was written: a file with its line, or a variable."""

    where: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Layer:
    """One source of settings.

    Attributes:
        tree: the values, nested as the model is.
        marks: where they were written; a value below a mark was written there too.
        text: whether the values were text (environment) rather than typed (file).
    """

    tree: dict[str, Any] = field(default_factory=dict[str, Any])
    marks: dict[Path, Mark] = field(default_factory=dict[Path, Mark])
    text: bool = False

    def mark(self, path: Path) -> Mark:
        """Where `path`, or the nearest thing above or below it, was written."""
        for length in range(len(path), -1, -1):
            if (found := self.marks.get(path[:length])) is not None:
                return found
        below = (mark for other, mark in self.marks.items() if other[: len(path)] == path)
        return next(below, Mark("configuration"))

    def says(self, path: Path) -> bool | None:
        """True: the layer sets `path`. None: it does not. False: it does not, and hides the layers below."""
        here: Any = self.tree
        whole = False
        for part in path:
            if isinstance(here, dict) and part in here:
                here = cast("dict[Any, Any]", here)[part]
            elif isinstance(here, list) and isinstance(part, int) and part < len(cast("list[Any]", here)):
                here, whole = cast("list[Any]", here)[part], True
            else:
                return False if whole or not isinstance(here, dict) else None
        return True

    def put(self, path: tuple[str, ...], value: object, mark: Mark) -> None:
        """Set `path`. Groups come before the keys inside them, or they would replace them."""
        here = self.tree
        for part in path[:-1]:
            if not isinstance(here.get(part), dict):
                here[part] = {}
            here = here[part]
        here[path[-1]] = value
        self.marks[path] = mark


def leaves(section: Section, above: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value of `section` with its path; groups, and lists of groups, are opened."""
    for key in type(section).model_fields:
        value: Any = getattr(section, key)
        path = (*above, key)
        if isinstance(value, Section):
            yield from leaves(value, path)
        elif isinstance(value, list) and any(isinstance(item, Section) for item in cast("list[Any]", value)):
            for index, item in enumerate(cast("list[Section]", value)):
                yield from leaves(item, (*path, index))
        else:
            yield path, value


def nearest_origin(path: Path, layers: tuple[Layer, ...]) -> Mark:
    """Where `path`, or the group around it, was written."""
    for length in range(len(path), 0, -1):
        if (found := origin(path[:length], layers)) is not None:
            return found
    return Mark("configuration")


def origin(path: Path, layers: tuple[Layer, ...]) -> Mark | None:
    """Where the value at `path` was written (`layers`: strongest first); None for a default."""
    for layer in layers:
        says = layer.says(path)
        if says is not None:
            return layer.mark(path) if says else None
    return None


def fit(value: object, node: Node | None) -> Any:
    """`value` with its numbers in the type that the keys of `node` hold.

    A group or list with nothing below it (every line commented out) is an empty one.
    """
    if node is None:
        return value
    kinds = fields.kinds(node)
    if isinstance(value, Mapping):
        group = cast("Mapping[Any, object]", value)
        return {
            str(key): fit(below, fields.child(node, str(key)))
            for key, below in group.items()
            if below is not None or not _is_group(fields.child(node, str(key)))
        }
    if isinstance(value, list | tuple):
        items = cast("list[object] | tuple[object, ...]", value)
        return [fit(item, fields.child(node, index)) for index, item in enumerate(items)]
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    if any(shape.get("format") == fields.MONEY for shape in fields.shapes(node)):
        return Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    return float(value) if isinstance(value, Decimal) and "number" in kinds else value


def _is_group(node: Node | None) -> bool:
    """Whether only a group or a list may stand there, so that null can only mean an empty one."""
    return node is not None and fields.kinds(node) <= {"object", "array"}


def from_text(text: str, node: Node | None) -> Any:
    """The value that `text` means for a key of this kind; the text itself where it means none.

    Raises:
        NotJsonError: a list or group was begun that cannot be read.
    """
    if node is None:
        return text
    kinds = fields.kinds(node)
    bare = text.strip()
    if bare == "null" and "null" in kinds:
        return None
    if "boolean" in kinds:
        return _TRUTH.get(bare.lower(), text)
    try:
        if "integer" in kinds and _INTEGER.fullmatch(bare):
            return int(bare)
        if "number" in kinds and _NUMBER.fullmatch(bare):
            return fit(Decimal(bare), node)
    except (ValueError, ArithmeticError):
        return text
    if kinds & {"array", "object"} and bare[:1] in ("[", "{"):
        try:
            return fit(_from_json(bare), node)
        except NotJsonError:
            if "string" not in kinds:
                raise
    return text


def _from_json(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg}, at character {error.pos + 1}") from None
    except NotJsonError:
        raise
    except RecursionError:
        raise NotJsonError("it is nested too deeply") from None
    except (ValueError, ArithmeticError):
        raise NotJsonError("it holds a number that cannot be read") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotJsonError("a key stands twice in one group")
    return found
