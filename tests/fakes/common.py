"""What several fakes need: JSON access without surprises, schemas, SSE lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from tests.fakes.behaviours import Say

JSON = "application/json"
SSE = "text/event-stream; charset=utf-8"
NDJSON = "application/x-ndjson"

_WORDS = re.compile(r"\S+\s*|\s+")


def obj(value: object) -> dict[str, Any]:
    """`value` if it is a JSON object, else an empty one."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """`value` if it is a JSON array, else an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def objects(value: object) -> list[dict[str, Any]]:
    """The objects of a JSON array."""
    return [obj(item) for item in items(value)]


def encode(value: object) -> bytes:
    """Compact UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def sse(value: object, event: str | None = None, end: str = "\n") -> bytes:
    """One server-sent event."""
    name = f"event: {event}{end}".encode() if event else b""
    return name + b"data: " + encode(value) + (end * 2).encode()


def words(text: str) -> list[str]:
    """The text in word-sized pieces that join to the same text."""
    return _WORDS.findall(text)


def halves(text: str) -> tuple[str, str]:
    """Two pieces, as a stream cuts JSON arguments anywhere."""
    return text[: len(text) // 2], text[len(text) // 2 :]


def text_of(content: object) -> str:
    """The text of a message: a string, or the text parts of a list."""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in objects(content))


def last_user_text(messages: object) -> str:
    """The text of the last user message that has any."""
    for message in reversed(objects(messages)):
        if message.get("role") == "user" and (text := text_of(message.get("content"))):
            return text
    return ""


def answer_text(
    say: Say, prompt: str, schema: Mapping[str, Any] | None, *, as_json: bool = False
) -> str | None:
    """The text of a normal answer; None where tool calls stand alone."""
    if say.text is not None:
        return say.text
    if say.tool_calls:
        return None
    if schema is not None:
        return json.dumps(minimal_instance(schema), ensure_ascii=False)
    return json.dumps({"echo": prompt}, ensure_ascii=False) if as_json else f"echo: {prompt}"


def minimal_instance(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """The smallest value that fits a JSON Schema (or Gemini's upper-case dialect)."""
    top = schema if root is None else root
    if "$ref" in schema:
        return minimal_instance(_resolve(top, str(schema["$ref"])), top)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return items(schema["enum"])[0]
    for union in ("anyOf", "oneOf"):
        if options := objects(schema.get(union)):
            return minimal_instance(options[0], top)
    if parts := objects(schema.get("allOf")):
        merged: dict[str, Any] = {}
        for part in parts:
            merged |= _resolve(top, str(part["$ref"])) if "$ref" in part else part
        return minimal_instance(merged, top)
    return _plain_instance(schema, top)


def _plain_instance(schema: Mapping[str, Any], top: Mapping[str, Any]) -> Any:
    declared = schema.get("type")
    kind = str((items(declared) or [declared or "object"])[0]).lower()
    match kind:
        case "object":
            properties = obj(schema.get("properties"))
            return {
                str(name): minimal_instance(obj(properties.get(name)) or {"type": "string"}, top)
                for name in items(schema.get("required"))
            }
        case "array":
            item = obj(schema.get("items")) or {"type": "string"}
            return [minimal_instance(item, top) for _ in range(int(schema.get("minItems", 0)))]
        case "string":
            return "x" * int(schema.get("minLength", 1))
        case "integer" | "number":
            low = schema.get("minimum")
            above = schema.get("exclusiveMinimum")
            value = low if low is not None else (above + 1 if above is not None else 0)
            high = schema.get("maximum")
            return min(value, high) if high is not None else value
        case "boolean":
            return False
        case _:
            return None


def _resolve(top: Mapping[str, Any], reference: str) -> dict[str, Any]:
    found: Any = top
    for step in reference.removeprefix("#").strip("/").split("/"):
        found = obj(found).get(step) if step else found
    return obj(found)


def every_schema(schema: object, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """A schema and all those inside it, each with its place; property names are not keywords."""
    node = obj(schema)
    if not node:
        return
    yield path, node
    for keyword in ("properties", "$defs", "definitions"):
        for name, child in obj(node.get(keyword)).items():
            yield from every_schema(child, f"{path}/{keyword}/{name}")
    for keyword in ("items", "additionalProperties"):
        yield from every_schema(node.get(keyword), f"{path}/{keyword}")
    for keyword in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for place, child in enumerate(items(node.get(keyword))):
            yield from every_schema(child, f"{path}/{keyword}/{place}")


def schema_keywords(schema: object) -> set[str]:
    """Every keyword used anywhere in a schema."""
    return {keyword for _, node in every_schema(schema) for keyword in node}


def strict_problem(schema: object, *, all_required: bool) -> str | None:
    """Why a schema is not strict: an open object or, with `all_required`, an optional property."""
    for path, node in every_schema(schema):
        if node.get("type") != "object" and "properties" not in node:
            continue
        place = f"In context=({', '.join(map(repr, path.strip('/').split('/'))) if path else ''})"
        if node.get("additionalProperties") is not False:
            return f"{place}, 'additionalProperties' is required to be supplied and to be false."
        missing = [name for name in obj(node.get("properties")) if name not in items(node.get("required"))]
        if all_required and missing:
            return (
                f"{place}, 'required' is required to be supplied and to be an array including every key "
                f"in properties. Missing '{missing[0]}'."
            )
    return None
