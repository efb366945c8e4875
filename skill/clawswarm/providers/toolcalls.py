"""Tools as chat APIs take them, and the arguments of calls, which come as text or as objects."""

from collections.abc import Iterable
from typing import Any

from pydantic_core import from_json

from clawswarm.errors import TaskError
from clawswarm.providers.shape import JsonDict, is_object
from clawswarm.types.task import JsonObject, Tool


def offered(tools: Iterable[Tool]) -> list[JsonDict]:
    """Tools as a chat-completions request offers them; Ollama took over the same form."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            },
        }
        for tool in tools
    ]


def arguments(provider: str, value: Any) -> JsonObject:
    """The arguments of a tool call as an object.

    Raises:
        TaskError: `invalid_output`, the model wrote something that is no JSON object.
    """
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        try:
            value = from_json(value)
        except ValueError:
            value = None
    if not is_object(value):
        raise TaskError(
            "invalid_output",
            f"{provider} sent a tool call whose arguments are no JSON object",
            hint="ask again; smaller models get long arguments wrong",
            billed=None,
        )
    return value
