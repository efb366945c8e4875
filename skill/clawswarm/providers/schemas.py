"""JSON Schemas as the strict modes want them: every object closed (provider-facts 3.1 and 4.2)."""

from collections.abc import Iterator, Mapping
from typing import Any

from clawswarm.providers.shape import JsonDict, child, is_list, is_object

_NAMED = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")


def closed(schema: Any) -> Any:
    """`schema` with every object closed that does not say itself whether it is."""
    if not is_object(schema):
        return schema
    result: JsonDict = dict(schema)
    for keyword in _NAMED:
        if is_object(schemas := schema.get(keyword)):
            result[keyword] = {name: closed(part) for name, part in schemas.items()}
    for keyword in _LISTED:
        if is_list(schemas := schema.get(keyword)):
            result[keyword] = [closed(part) for part in schemas]
    for keyword in _SINGLE:
        if is_object(schema.get(keyword)):
            result[keyword] = closed(schema[keyword])
    if _is_of_object(schema):
        result.setdefault("additionalProperties", False)
    return result


def is_strict(schema: Mapping[str, Any]) -> bool:
    """Whether every object in `schema` is closed and requires all its properties."""
    return all(
        part.get("additionalProperties") is False
        and set(part.get("required") or ()) == set(child(part, "properties"))
        for part in _parts(schema)
        if _is_of_object(part)
    )


def _parts(schema: Any) -> Iterator[JsonDict]:
    """`schema` and every schema inside it; names of properties and constant values are neither."""
    if not is_object(schema):
        return
    yield schema
    inner = [*(part for keyword in _NAMED for part in child(schema, keyword).values())]
    inner += [part for keyword in _LISTED if is_list(parts := schema.get(keyword)) for part in parts]
    inner += [schema[keyword] for keyword in _SINGLE if keyword in schema]
    for part in inner:
        yield from _parts(part)


def _is_of_object(schema: JsonDict) -> bool:
    kind = schema.get("type")
    return kind == "object" or (is_list(kind) and "object" in kind) or "properties" in schema
