"""JSON Schemas as short as they can be: hosts send them to a model with every conversation."""

from typing import Any, cast

from pydantic import BaseModel

_NOISE = ("title", "additionalProperties", "default", "$defs", "propertyNames")
"""What pydantic adds and nobody who calls a tool needs."""


def schema_of(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """The schema of a model: everything in place, nothing said twice.

    Args:
        required: whether the names of the fields without a default are listed.
    """
    whole = model.model_json_schema()
    found = cast("dict[str, Any]", _shortened(whole, whole.get("$defs", {})))
    found.pop("description", None)  # the class's own words, for those who read the code
    if not required:
        found.pop("required", None)
    return found


def _shortened(schema: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_shortened(each, definitions) for each in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    node = cast("dict[str, Any]", schema)
    if "$ref" in node:
        return _shortened(definitions[node["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in node:
        forms = [form for form in node["anyOf"] if form != {"type": "null"}]
        if len(forms) == 1:
            rest = {name: value for name, value in node.items() if name != "anyOf"}
            return _shortened({**forms[0], **rest}, definitions)
    short: dict[str, Any] = {}
    for name, value in node.items():
        if name == "properties":
            short[name] = {key: _shortened(each, definitions) for key, each in value.items()}
        elif name not in _NOISE:
            short[name] = _shortened(value, definitions)
    return short
