"""What each key may hold: the model's JSON Schema, walked by path and told in words."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from clawswarm.config.model import Settings
from clawswarm.config.section import VARIABLE_NAME

Path = tuple[str | int, ...]
Node = Mapping[str, Any]

MONEY = "decimal"
"""The `format` of numbers that are kept as decimals."""


class _Plain(GenerateJsonSchema):
    """JSON Schema of what a file may say: money is a number, never text, and nothing has a made-up title."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        number: JsonSchemaValue = super().decimal_schema(schema)["anyOf"][0]
        return {**number, "format": MONEY}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def model_schema() -> dict[str, Any]:
    """The JSON Schema of what stands below `node_scaling:`, made anew for each caller."""
    return Settings.model_json_schema(schema_generator=_Plain)


@cache
def _root() -> Node:
    return model_schema()


def shapes(node: Node) -> tuple[Node, ...]:
    """The alternatives that `node` allows, references followed."""
    if "$ref" in node:
        return shapes(_root()["$defs"][str(node["$ref"]).rpartition("/")[2]])
    if "anyOf" in node:
        return tuple(shape for option in node["anyOf"] for shape in shapes(option))
    return (node,)


def kind(shape: Node) -> str:
    """One of null, boolean, integer, number, string, array, object."""
    return str(shape["type"])


def kinds(node: Node) -> frozenset[str]:
    return frozenset(kind(shape) for shape in shapes(node))


def child(node: Node, part: str | int) -> Node | None:
    """What may stand under key (or index) `part` of `node`, None where nothing may."""
    for shape in shapes(node):
        if isinstance(part, int):
            if "items" in shape:
                return shape["items"]
        elif part in (properties := shape.get("properties", {})):
            return properties[part]
    return None


def at(path: Iterable[str | int]) -> Node | None:
    """What may stand at `path`, None where the path is unknown."""
    node: Node | None = _root()
    for part in path:
        if node is None:
            return None
        node = child(node, part)
    return node


def keys(node: Node) -> tuple[str, ...]:
    """The keys that `node` knows."""
    return tuple(key for shape in shapes(node) for key in shape.get("properties", {}))


def every_path(node: Node | None = None, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every key, groups included; what lies inside a list has no path of its own here."""
    here = _root() if node is None else node
    for key in keys(here):
        path = (*above, key)
        yield path
        yield from every_path(child(here, key), path)


def dotted(path: Iterable[str | int]) -> str:
    return ".".join(str(part) for part in path)


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known word that `word` was probably meant to be."""
    by_form = {name.lower(): name for name in known}
    form = word.lower().replace("-", "_")
    found = difflib.get_close_matches(form, by_form, n=1, cutoff=cutoff)
    return by_form[found[0]] if found else None


def elsewhere(key: str) -> str | None:
    """The dotted key of another group that is spelled exactly so."""
    return next((dotted(path) for path in every_path() if path[-1] == key), None)


def in_words(node: Node) -> str:
    """What `node` expects: "a whole number of at least 1, or null"."""
    texts = dict.fromkeys(_shape_in_words(shape) for shape in shapes(node))
    return ", or ".join(sorted(texts, key=lambda text: text == "null"))


def _shape_in_words(shape: Node) -> str:
    if "enum" in shape:
        return f"one of {', '.join(shape['enum'])}"
    match kind(shape):
        case "boolean":
            return "true or false"
        case "integer":
            return f"a whole number{_bounds(shape)}"
        case "number":
            return f"{'US$ as a number' if shape.get('format') == MONEY else 'a number'}{_bounds(shape)}"
        case "string":
            if shape.get("pattern") == VARIABLE_NAME:
                return "the name of an environment variable"
            return "text that is not empty" if shape.get("minLength") else "text"
        case "array":
            return f"a list (each item {in_words(shape['items'])})"
        case "object":
            return "a group of keys"
        case other:
            return other


def _bounds(shape: Node) -> str:
    parts = [
        f"{words} {Decimal(str(shape[bound])).normalize():f}"
        for bound, words in (
            ("minimum", "of at least"),
            ("exclusiveMinimum", "above"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "below"),
        )
        if bound in shape
    ]
    return f" {' and '.join(parts)}" if parts else ""
