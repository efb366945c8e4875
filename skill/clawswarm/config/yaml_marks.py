"""YAML with line numbers: a text becomes plain values and the line of every key and list item.

Only plain data is read: no tags of Python, no key twice, no value that contains itself. Numbers with a
fraction stay decimals, exactly as written. Anything but a number, a truth value or null is text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

from clawswarm.config.fields import Path
from clawswarm.errors import ConfigError

_TAG = "tag:yaml.org,2002:"
_TEXT_TAGS = {"str", "timestamp", "value", "merge"}
_TRUE = {"yes", "true", "on"}
_MOST_VALUES = 100_000
_MOST_BITS = 1024


@dataclass(frozen=True, slots=True)
class Document:
    """The values of a file, with the line on which each path starts (counted from 1)."""

    value: Any
    lines: Mapping[Path, int]


def parse(text: str, name: str) -> Document:
    """Read the one document in `text`; `name` is what errors call it.

    Raises:
        ConfigError: the text is not plain YAML; says on which line.
    """
    try:
        loader = yaml.SafeLoader(text)
        reader = _Reader(name, loader)
        node = loader.get_single_node()
        value = None if node is None else reader.read(node, ())
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _broken(name, line, f"a character that YAML forbids, code {error.character!r}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise _broken(name, mark.line + 1 if mark else 1, reason) from None
    except RecursionError:
        raise _broken(name, 1, "the values are nested too deeply") from None
    return Document(value, reader.lines)


def _broken(name: str, line: int, reason: str) -> ConfigError:
    return ConfigError(f"{name}:{line}: this is not valid YAML: {reason}", hint="correct that line")


@dataclass(slots=True)
class _Reader:
    """Turns nodes into values and notes their lines."""

    name: str
    loader: yaml.SafeLoader
    lines: dict[Path, int] = field(default_factory=dict[Path, int])
    open_nodes: set[int] = field(default_factory=set[int])
    values: int = 0

    def read(self, node: yaml.Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self.values += 1
        if self.values > _MOST_VALUES:
            raise _broken(self.name, line, f"there are more than {_MOST_VALUES} values")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self.open_nodes:
            raise _broken(self.name, line, "a value contains itself")
        self.open_nodes.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
                return [self.read(item, (*path, index)) for index, item in enumerate(node.value)]
        finally:
            self.open_nodes.discard(id(node))
        raise self._unsupported(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise _broken(self.name, line, "a key is not a plain word")
            key = self._text(key_node)
            here = (*path, key)
            if key in found:
                raise ConfigError(
                    f"{self.name}:{line}: key {key!r} stands here twice, first on line {self.lines[here]}",
                    hint="remove one of the two",
                )
            self.lines[here] = line
            found[key] = self.read(value_node, here)
        return found

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        text = self._text(node)
        tag = node.tag.removeprefix(_TAG)
        # YAML 1.1 counts 5:30 in sixties; nobody who writes it means 330.
        if tag in _TEXT_TAGS or (tag in {"int", "float"} and ":" in text):
            return text
        try:
            match tag:
                case "null":
                    return None
                case "bool" if text.lower() in yaml.SafeLoader.bool_values:
                    return text.lower() in _TRUE
                case "int":
                    return _small(int(self.loader.construct_yaml_int(node)))
                case "float":
                    return _decimal(text)
                case _:
                    pass
        except (ValueError, ArithmeticError):
            raise _broken(self.name, node.start_mark.line + 1, "a number that cannot be read") from None
        raise self._unsupported(node)

    def _text(self, node: yaml.ScalarNode) -> str:
        text = str(node.value)
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise _broken(self.name, node.start_mark.line + 1, "half of a character (a lone surrogate)")
        return text

    def _unsupported(self, node: yaml.Node) -> ConfigError:
        return _broken(self.name, node.start_mark.line + 1, f"the tag {node.tag!r} is not allowed here")


def _small(number: int) -> int:
    """`number`, unless it is so long (in hexadecimal, say) that it could not even be printed."""
    if number.bit_length() > _MOST_BITS:
        raise ValueError
    return number


def _decimal(text: str) -> Decimal:
    plain = text.replace("_", "").lower()
    if plain.lstrip("+-") in {".inf", ".nan"}:
        return Decimal(plain.replace(".", ""))
    return Decimal(plain)
