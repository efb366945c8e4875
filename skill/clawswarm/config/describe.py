"""The configuration, described: its JSON Schema, and the values in force with where each came from."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from clawswarm.config.fields import Path, dotted, model_schema
from clawswarm.config.load import ROOT, Loaded
from clawswarm.config.masking import masked
from clawswarm.config.origins import leaves
from clawswarm.config.problems import plain_text
from clawswarm.config.section import Section

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NULL = {"type": "null"}


@dataclass(frozen=True, slots=True)
class Row:
    """One key of `swarm config show`."""

    key: str
    value: str
    origin: str


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the whole configuration file."""
    settings = model_schema()
    groups: dict[str, Any] = settings.pop("$defs")
    groups["Settings"] = settings
    for group in groups.values():
        group["description"] = _one_line(group["description"])
        for key, node in group["properties"].items():
            group["properties"][key] = _property(node)
    return {
        "$schema": DIALECT,
        "title": "Configuration of Swarm",
        "description": "The file ~/.config/clawdbot/node-scaling.yaml.",
        "type": ["object", "null"],
        "properties": {
            ROOT: {
                "anyOf": [{"$ref": "#/$defs/Settings"}, _NULL],
                "description": "All settings of Swarm.",
            }
        },
        "additionalProperties": False,
        "$defs": groups,
    }


def rows(loaded: Loaded) -> list[Row]:
    """Every key, set or not, in the order of the documentation."""
    return [
        Row(key=(key := dotted(path)), value=_as_text(value, path), origin=loaded.origins[key])
        for path, value in leaves(loaded.settings)
    ]


def as_json(loaded: Loaded) -> dict[str, Any]:
    """The values, nested as in the file, and beside them the place of each dotted key."""
    return {
        "path": str(loaded.path),
        ROOT: _as_json(loaded.settings, ()),
        "origins": dict(loaded.origins),
        "warnings": list(loaded.warnings),
    }


def _property(node: dict[str, Any]) -> dict[str, Any]:
    """`node` on one line, and with null allowed where a file may leave a group or list empty."""
    described = dict(node)
    if "description" in described:
        described["description"] = _one_line(described["description"])
    if "$ref" in described:
        return {"anyOf": [{"$ref": described.pop("$ref")}, _NULL], **described}
    if described.get("type") == "array":
        described["type"] = ["array", "null"]
    return described


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _as_text(value: object, path: Path) -> str:
    match value:
        case list() | dict():
            return json.dumps(_as_json(cast("object", value), path), ensure_ascii=False)
        case _:
            return masked(path, plain_text(value))


def _as_json(value: object, path: Path) -> Any:
    """`value` without its secrets; `path` says which key it belongs to."""
    match value:
        case Section():
            return {key: _as_json(getattr(value, key), (*path, key)) for key in type(value).model_fields}
        case list():
            return [_as_json(item, (*path, place)) for place, item in enumerate(cast("list[object]", value))]
        case dict():
            group = cast("dict[str, object]", value)
            return {key: _as_json(item, (*path, key)) for key, item in group.items()}
        case str():
            return masked(path, value)
        case Decimal():
            return float(value)
        case _:
            return value
