"""Arguments of tool calls, which some APIs send as text and some as objects."""

from typing import Any

from pydantic_core import from_json

from clawswarm.errors import TaskError
from clawswarm.providers.shape import is_object
from clawswarm.types.task import JsonObject


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
