"""Which `/api/chat` requests Ollama refuses, and in what words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.fakes.behaviours import Refuse
from tests.fakes.common import obj, objects
from tests.fakes.ollama_models import ModelInfo

INTEGERS = {
    "num_ctx",
    "num_batch",
    "num_gpu",
    "main_gpu",
    "num_thread",
    "draft_num_predict",
    "num_keep",
    "seed",
} | {"num_predict", "top_k", "repeat_last_n"}
FLOATS = {"top_p", "min_p", "typical_p", "temperature", "repeat_penalty", "presence_penalty"} | {
    "frequency_penalty"
}
LEVELS = ("low", "medium", "high", "max")

_DURATION = re.compile(r"-?(\d+(\.\d+)?(ns|us|ms|s|m|h))+|0")


def objection(name: str, model: ModelInfo, body: Mapping[str, Any]) -> Refuse | None:
    """The first thing wrong with a request for a model that exists."""
    return next(_objections(name, model, body), None)


def _unmarshal(got: str, field: str, wanted: str) -> Refuse:
    return Refuse(400, f"json: cannot unmarshal {got} into Go struct field {field} of type {wanted}")


def _go_kind(value: object) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "bool"),
        (str, "string"),
        (list, "array"),
        (dict, "object"),
    )
    return next((word for kind, word in kinds if isinstance(value, kind)), "number")


def _objections(name: str, model: ModelInfo, body: Mapping[str, Any]) -> Iterator[Refuse]:
    for message in objects(body.get("messages")):
        content = message.get("content", "")
        if not isinstance(content, str):
            yield _unmarshal(_go_kind(content), "Message.messages.content", "string")
        for call in objects(message.get("tool_calls")):
            arguments = obj(call.get("function")).get("arguments")
            if not isinstance(arguments, dict):
                field = "ToolCallFunction.messages.tool_calls.function.arguments"
                yield _unmarshal(_go_kind(arguments), field, "api.ToolCallFunctionArguments")
    keep = body.get("keep_alive")
    if isinstance(keep, str) and not _DURATION.fullmatch(keep):
        yield Refuse(400, f'time: invalid duration "{keep}"')
    logprobs = body.get("top_logprobs")
    if isinstance(logprobs, int) and not 0 <= logprobs <= 20:
        yield Refuse(400, "top_logprobs must be between 0 and 20")
    yield from _think_objections(name, model, body.get("think"))
    if "completion" not in model.capabilities:
        yield Refuse(400, f'"{name}" does not support chat')
    if body.get("tools") and "tools" not in model.capabilities:
        yield Refuse(400, f"registry.ollama.ai/library/{name} does not support tools")
    wanted = body.get("format")
    if wanted is not None and wanted not in ("", "json") and not isinstance(wanted, dict):
        yield Refuse(400, f'invalid format: {wanted!r}; expected "json" or a valid JSON Schema object')
    yield from _option_objections(obj(body.get("options")))


def _think_objections(name: str, model: ModelInfo, think: object) -> Iterator[Refuse]:
    if isinstance(think, str) and think not in LEVELS:
        yield Refuse(
            400,
            f'invalid think value: "{think}" (must be "high", "medium", "low", "max", true, or false)',
        )
    if think not in (None, False) and not model.thinks:
        yield Refuse(400, f'"{name}" does not support thinking')


def _option_objections(options: Mapping[str, Any]) -> Iterator[Refuse]:
    for option, value in options.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        wanted = None
        if option in INTEGERS and not number:
            wanted = "integer"
        if option in FLOATS and not number:
            wanted = "float32"
        if option == "stop" and not isinstance(value, list):
            wanted = "array"
        if wanted:
            yield Refuse(500, f'option "{option}" must be of type {wanted}')
