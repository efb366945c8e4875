"""Which chat-completion requests the OpenAI-style APIs refuse, and in what words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from tests.fakes.behaviours import Refuse
from tests.fakes.common import encode, items, obj, objects, strict_problem

Flavour: TypeAlias = Literal["openai", "groq", "openrouter", "local"]

EFFORTS = {"none", "minimal", "low", "medium", "high", "xhigh", "max"}
ROLES = {"developer", "system", "user", "assistant", "tool", "function"}
COMMON_FIELDS = (
    {"model", "messages", "max_completion_tokens", "max_tokens", "temperature", "top_p", "n", "stop", "seed"}
    | {"stream", "stream_options", "response_format", "tools", "tool_choice", "parallel_tool_calls"}
    | {"reasoning_effort", "service_tier", "metadata", "user", "frequency_penalty", "presence_penalty"}
    | {"logit_bias", "logprobs", "top_logprobs", "store"}
)
FIELDS: dict[str, set[str]] = {
    "openai": COMMON_FIELDS
    | {"prompt_cache_key", "prompt_cache_retention", "safety_identifier", "verbosity", "modalities"}
    | {"audio", "prediction", "web_search_options", "functions", "function_call"},
    "groq": COMMON_FIELDS
    | {"reasoning_format", "include_reasoning", "documents", "search_settings", "compound_custom"}
    | {"citation_options", "disable_tool_validation", "functions", "function_call"},
}
GROQ_REFUSED = ("logprobs", "top_logprobs", "logit_bias")
LUNA_REFUSED = ("stop", "presence_penalty", "frequency_penalty", "logit_bias")


def is_reasoning(model: str) -> bool:
    """Whether an OpenAI model name belongs to the reasoning families."""
    return model.startswith(("gpt-5", "gpt-6", "o3", "o4"))


def objection(flavour: Flavour, body: Mapping[str, Any]) -> Refuse | None:
    """The first thing wrong with a request body, as the API would say it."""
    return next(_objections(flavour, body), None)


def _bad(message: str, param: str | None = None, code: str | None = None) -> Refuse:
    return Refuse(400, message, code=code, details={"param": param})


def _objections(flavour: Flavour, body: Mapping[str, Any]) -> Iterator[Refuse]:
    for field in ("model", "messages"):
        if not body.get(field):
            yield _bad(f"Missing required parameter: '{field}'.", field, "missing_required_parameter")
    for field in body:
        if field not in FIELDS.get(flavour, set(body)):
            if flavour == "groq":
                yield _bad(f"property '{field}' is unsupported")
            yield _bad(f"Unknown parameter: '{field}'.", field, "unknown_parameter")
    if body.get("stream_options") is not None and not body.get("stream"):
        text = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        yield _bad(text, "stream_options")
    yield from _type_objections(body)
    yield from _message_objections(body)
    yield from _schema_objections(flavour, body)
    if flavour == "openai":
        yield from _openai_objections(body)
    if flavour == "groq":
        yield from _groq_objections(body)


def _type_objections(body: Mapping[str, Any]) -> Iterator[Refuse]:
    for field in ("max_tokens", "max_completion_tokens", "seed", "n"):
        value = body.get(field)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            yield _bad(f"Invalid type for '{field}': expected an integer.", field, "invalid_type")
    for field in ("max_tokens", "max_completion_tokens"):
        if isinstance(body.get(field), int) and body[field] < 1:
            yield _bad(f"Invalid '{field}': integer below minimum value.", field, "integer_below_min_value")
    temperature = body.get("temperature")
    if temperature is not None and not (isinstance(temperature, int | float) and 0 <= temperature <= 2):
        yield _bad("Invalid 'temperature': expected a number from 0 to 2.", "temperature", "invalid_value")
    if len(items(body.get("stop"))) > 4:
        yield _bad("Invalid 'stop': array too long. Expected at most 4.", "stop", "array_above_max_length")
    for place, tool in enumerate(objects(body.get("tools"))):
        if tool.get("type") == "function" and not obj(tool.get("function")).get("name"):
            param = f"tools[{place}].function"
            yield _bad(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")
    if body.get("tool_choice") is not None and not body.get("tools"):
        yield _bad("'tool_choice' is only allowed when 'tools' are specified.", "tool_choice")


def _message_objections(body: Mapping[str, Any]) -> Iterator[Refuse]:
    waiting: list[str] = []
    for place, message in enumerate(objects(body.get("messages"))):
        role = message.get("role")
        param = f"messages.[{place}].role"
        if role not in ROLES:
            yield _bad(f"Invalid value: '{role}'.", f"messages[{place}].role", "invalid_value")
        if role == "tool":
            if message.get("tool_call_id") not in waiting:
                yield _bad(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message "
                    "with 'tool_calls'.",
                    param,
                )
            else:
                waiting.remove(str(message["tool_call_id"]))
            continue
        yield from _unanswered(waiting, param)
        calls = objects(message.get("tool_calls"))
        for number, call in enumerate(calls):
            if not isinstance(obj(call.get("function")).get("arguments"), str):
                where = f"messages[{place}].tool_calls[{number}].function.arguments"
                yield _bad(f"Invalid type for '{where}': expected a string.", where, "invalid_type")
        waiting = [str(call.get("id")) for call in calls]
        if message.get("content") is None and not calls:
            where = f"messages[{place}].content"
            yield _bad(f"Invalid value for 'content': expected a string, got null. ({where})", where)
    yield from _unanswered(waiting, "messages")


def _unanswered(waiting: list[str], param: str) -> Iterator[Refuse]:
    if waiting:
        yield _bad(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            "'tool_call_id'. The following tool_call_ids did not have response messages: "
            + ", ".join(waiting),
            param,
        )


def _schema_objections(flavour: Flavour, body: Mapping[str, Any]) -> Iterator[Refuse]:
    form = obj(body.get("response_format"))
    if form and form.get("type") not in {"text", "json_object", "json_schema"}:
        yield _bad("Invalid value for 'response_format.type'.", "response_format.type", "invalid_value")
    needs_word = form.get("type") == "json_object" and flavour in {"openai", "groq"}
    if needs_word and b"json" not in encode(body.get("messages")).lower():
        yield _bad(
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
            "'json_object'.",
            "messages",
        )
    if form.get("type") == "json_schema":
        wanted = obj(form.get("json_schema"))
        for field in ("name", "schema"):
            if field not in wanted:
                where = f"response_format.json_schema.{field}"
                yield _bad(f"Missing required parameter: '{where}'.", where, "missing_required_parameter")
        if wanted.get("strict") and flavour != "local":
            problem = strict_problem(wanted.get("schema"), all_required=True)
            if problem:
                name = wanted.get("name")
                yield _bad(f"Invalid schema for response_format '{name}': {problem}", "response_format")
    for place, tool in enumerate(objects(body.get("tools"))):
        function = obj(tool.get("function"))
        if function.get("strict") and flavour != "local":
            problem = strict_problem(function.get("parameters"), all_required=True)
            if problem:
                yield _bad(
                    f"Invalid schema for function '{function.get('name')}': {problem}",
                    f"tools[{place}].function.parameters",
                    "invalid_function_parameters",
                )


def _openai_objections(body: Mapping[str, Any]) -> Iterator[Refuse]:
    model = str(body.get("model"))
    effort = body.get("reasoning_effort")
    if not is_reasoning(model):
        if effort is not None:
            yield _unsupported("reasoning_effort")
        return
    if effort is not None and effort not in EFFORTS:
        yield _bad(f"Invalid value: '{effort}'.", "reasoning_effort", "invalid_value")
    if body.get("max_tokens") is not None:
        yield _unsupported("max_tokens", " Use 'max_completion_tokens' instead.")
    if body.get("temperature") not in (None, 1) and effort != "none":
        yield _bad(
            f"Unsupported value: 'temperature' does not support {body['temperature']} with this model. "
            "Only the default (1) value is supported.",
            "temperature",
            "unsupported_value",
        )
    if model == "gpt-6-luna":
        if body.get("tools") and effort != "none":
            yield _bad("Function tools are only supported with reasoning_effort 'none'.", "tools")
        for field in LUNA_REFUSED:
            if body.get(field) is not None:
                yield _unsupported(field)


def _unsupported(field: str, advice: str = "") -> Refuse:
    text = f"Unsupported parameter: '{field}' is not supported with this model.{advice}"
    return _bad(text, field, "unsupported_parameter")


def _groq_objections(body: Mapping[str, Any]) -> Iterator[Refuse]:
    model = str(body.get("model"))
    for field in GROQ_REFUSED:
        if body.get(field) is not None:
            yield _bad(f"'{field}' is not supported with this model")
    if (body.get("n") or 1) > 1:
        yield _bad("'n' must be at most 1")
    if body.get("reasoning_format") is not None and body.get("include_reasoning") is not None:
        yield _bad("cannot specify both 'reasoning_format' and 'include_reasoning'")
    effort = body.get("reasoning_effort")
    if "gpt-oss" in model and effort not in (None, "low", "medium", "high"):
        yield _bad("'reasoning_effort' must be one of 'low', 'medium', or 'high'")
    if obj(obj(body.get("response_format")).get("json_schema")).get("strict"):
        if "gpt-oss" not in model:
            yield _bad("this model does not support strict 'json_schema' response format")
        if body.get("stream") or body.get("tools"):
            yield _bad("strict 'json_schema' cannot be combined with streaming or tools")
