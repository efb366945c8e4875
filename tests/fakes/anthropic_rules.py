"""Which Messages requests Anthropic refuses, and in what words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.behaviours import Refuse
from tests.fakes.common import items, obj, objects, strict_problem

VERSION = "2026-10-21"
OLD_VERSION = "2023-06-01"
FIELDS = {
    "model",
    "max_tokens",
    "messages",
    "system",
    "tools",
    "tool_choice",
    "output_config",
    "thinking",
} | {"cache_control", "stop_sequences", "metadata", "service_tier", "stream", "container", "inference_geo"}
SAMPLING = ("temperature", "top_p", "top_k")
EFFORTS = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class ModelRules:
    """What sets one model apart. `modern` ones think by default and refuse old-style fields."""

    modern: bool = True
    thinking_can_be_disabled: bool = True
    forced_tools: bool = True


MODELS: dict[str, ModelRules] = {
    "claude-haiku-5-5": ModelRules(),
    "claude-sonnet-5-5": ModelRules(thinking_can_be_disabled=False, forced_tools=False),
    "claude-opus-5-5": ModelRules(),
    "claude-haiku-4-5": ModelRules(modern=False),
    "claude-sonnet-4-5": ModelRules(modern=False),
}


def objection(rules: ModelRules, version: str, body: Mapping[str, Any]) -> Refuse | None:
    """The first thing wrong with a request for a model that exists."""
    return next(_objections(rules, version, body), None)


def _bad(message: str) -> Refuse:
    return Refuse(400, message)


def _objections(rules: ModelRules, version: str, body: Mapping[str, Any]) -> Iterator[Refuse]:
    model = str(body.get("model"))
    for field in SAMPLING:
        if field in body and (rules.modern or version != OLD_VERSION):
            yield _bad(f"{field}: `{field}` is not supported by this API version.")
    for field in body:
        if field not in FIELDS and field not in SAMPLING:
            yield _bad(f"{field}: Extra inputs are not permitted")
    limit = body.get("max_tokens")
    if limit is None:
        yield _bad("max_tokens: Field required")
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        yield _bad("max_tokens: Input should be an integer greater than or equal to 1")
    yield from _thinking_objections(model, rules, body)
    yield from _tool_objections(model, rules, body)
    yield from _output_objections(obj(body.get("output_config")))
    yield from _message_objections(rules, objects(body.get("messages")))
    if body.get("service_tier") not in (None, "auto", "standard_only"):
        yield _bad("service_tier: Input should be 'auto' or 'standard_only'")


def _thinking_objections(model: str, rules: ModelRules, body: Mapping[str, Any]) -> Iterator[Refuse]:
    thinking = obj(body.get("thinking"))
    if not thinking:
        return
    kind = thinking.get("type")
    if kind not in {"adaptive", "disabled", "between_tools", "enabled"}:
        yield _bad("thinking.type: Input should be 'adaptive', 'disabled', 'between_tools' or 'enabled'")
    if kind == "disabled" and not rules.thinking_can_be_disabled:
        yield _bad(f"thinking.type: `disabled` is not supported by {model}. Use `between_tools`.")
    if kind == "enabled":
        budget = thinking.get("budget_tokens")
        if rules.modern:
            yield _bad(f"thinking: `budget_tokens` is not supported by {model}.")
        if not isinstance(budget, int) or budget < 1024:
            yield _bad("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
        elif budget >= int(body.get("max_tokens", 0)):
            yield _bad("`max_tokens` must be greater than `thinking.budget_tokens`.")


def _tool_objections(model: str, rules: ModelRules, body: Mapping[str, Any]) -> Iterator[Refuse]:
    tools = objects(body.get("tools"))
    for place, tool in enumerate(tools):
        if tool.get("type", "custom") != "custom":
            continue
        for field in ("name", "input_schema"):
            if field not in tool:
                yield _bad(f"tools.{place}.custom.{field}: Field required")
        if obj(tool.get("input_schema")).get("type") != "object":
            yield _bad(f"tools.{place}.custom.input_schema.type: Input should be 'object'")
    choice = obj(body.get("tool_choice"))
    kind = choice.get("type")
    if choice and kind not in {"auto", "any", "tool", "none"}:
        yield _bad("tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'")
    if choice and not tools:
        yield _bad("tool_choice: may only be specified while providing tools")
    if kind in {"any", "tool"} and not rules.forced_tools:
        yield _bad(f"tool_choice: forced tool use is not supported by {model}.")
    if kind == "tool" and choice.get("name") not in [tool.get("name") for tool in tools]:
        yield _bad(f"tool_choice: Tool '{choice.get('name')}' not found in provided tools")


def _output_objections(config: Mapping[str, Any]) -> Iterator[Refuse]:
    for field in config:
        if field not in {"format", "effort"}:
            yield _bad(f"output_config.{field}: Extra inputs are not permitted")
    if config.get("effort") is not None and config["effort"] not in EFFORTS:
        yield _bad("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'")
    form = obj(config.get("format"))
    if not form:
        return
    if form.get("type") != "json_schema":
        yield _bad("output_config.format.type: Input should be 'json_schema'")
    if not obj(form.get("schema")):
        yield _bad("output_config.format.schema: Field required")
    if strict_problem(form.get("schema"), all_required=False):
        yield _bad(
            "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set "
            "to false"
        )


def _message_objections(rules: ModelRules, messages: list[dict[str, Any]]) -> Iterator[Refuse]:
    if not messages:
        yield _bad("messages: at least one message is required")
        return
    waiting: set[str] = set()
    for place, message in enumerate(messages):
        where = f"messages.{place}"
        if message.get("role") not in {"user", "assistant"}:
            yield _bad(f'messages: Unexpected role "{message.get("role")}". Use the top-level `system`.')
        content = message.get("content")
        blocks = objects(content)
        if not content or any(b.get("type") == "text" and not b.get("text") for b in blocks):
            yield _bad(f"{where}: text content blocks must be non-empty")
        results = {str(b.get("tool_use_id")) for b in blocks if b.get("type") == "tool_result"}
        if missing := waiting - results:
            yield _bad(
                f"{where}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                + ", ".join(sorted(missing))
            )
        if stray := results - waiting:
            yield _bad(
                f"{where}: unexpected `tool_use_id` found in `tool_result` blocks: {', '.join(sorted(stray))}"
            )
        uses = [b for b in blocks if b.get("type") == "tool_use"]
        if any(not isinstance(b.get("input"), dict) for b in uses):
            yield _bad(f"{where}.content: tool_use.input: Input should be an object")
        waiting = {str(b.get("id")) for b in uses}
    if waiting:
        yield _bad(f"`tool_use` ids were found without `tool_result` blocks: {', '.join(sorted(waiting))}")
    if messages[-1].get("role") == "assistant" and rules.modern:
        yield _bad("This model does not support assistant message prefill.")


def thinking_is_on(rules: ModelRules, body: Mapping[str, Any]) -> bool:
    """Whether an answer starts with a thinking block."""
    kind = obj(body.get("thinking")).get("type")
    if kind is None:
        return rules.modern
    if kind == "between_tools":
        blocks = [b for m in items(body.get("messages")) for b in objects(obj(m).get("content"))]
        return any(b.get("type") == "tool_result" for b in blocks)
    return kind != "disabled"
