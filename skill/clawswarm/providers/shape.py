"""Reading what a server sent, without trusting its shape."""

from typing import Any, TypeGuard

JsonDict = dict[str, Any]


def is_object(value: Any) -> TypeGuard[JsonDict]:
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def child(parent: JsonDict, name: str) -> JsonDict:
    """The object under `name`; an empty one when there is none."""
    value = parent.get(name)
    return value if is_object(value) else {}


def children(parent: JsonDict, name: str) -> list[JsonDict]:
    """The objects in the list under `name`; none when there is no list."""
    value = parent.get(name)
    return [item for item in value if is_object(item)] if is_list(value) else []


def text_of(parent: JsonDict, name: str) -> str:
    """The text under `name`; an empty one when there is none."""
    value = parent.get(name)
    return value if isinstance(value, str) else ""


def unwrapped(document: Any) -> Any:
    """`document`, out of the one-element list that Gemini's OpenAI-style route puts errors in."""
    return document[0] if is_list(document) and document else document
