"""Claude, through Anthropic's own SDK (provider-facts, section 4), with its retries switched off.

The SDK is imported when the first Claude endpoint is opened: its import takes over a second.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx2

from clawswarm.clock import Clock
from clawswarm.errors import TaskError
from clawswarm.providers import hints
from clawswarm.providers.base import Answer, CallOptions
from clawswarm.providers.http import Http, parse_json
from clawswarm.providers.refusals import incomplete, malformed, refusal
from clawswarm.providers.shape import JsonDict, child, children, is_list, is_object
from clawswarm.types.result import FinishReason, Reply, Usage
from clawswarm.types.task import Message, Task, ToolCall

if TYPE_CHECKING:
    from anthropic import APIStatusError

LONGEST_UNSTREAMED = 21_333
"""`max_tokens` above which the SDK refuses to answer in one piece."""

_FINISH: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "blocked",
    "model_context_window_exceeded": "context_overflow",
}
_BY_TYPE: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_BUDGETS = {"low": 1024, "medium": 8192, "high": 24576}


class Anthropic:
    """One Messages endpoint; `base_url` is where `/v1/messages` begins."""

    name = "anthropic"

    def __init__(self, *, http: Http, clock: Clock, base_url: str, key: str, options: CallOptions) -> None:
        import anthropic

        self._sdk = anthropic
        self._clock = clock
        self._options = options
        self._client = anthropic.AsyncAnthropic(
            api_key=key,
            base_url=base_url,
            max_retries=0,
            timeout=None,  # the engine's deadlines hold
            http_client=httpx2.AsyncClient(transport=http.transport),
            open_telemetry=False,
        )

    async def complete(self, task: Task, *, model: str) -> Answer:
        request = self._request(task, model)
        streaming = self._options.stream or request["max_tokens"] > LONGEST_UNSTREAMED
        try:
            document, headers = await (self._streamed(request) if streaming else self._whole(request))
        except self._sdk.APIStatusError as error:
            raise self._refused(error) from error
        except (self._sdk.APIConnectionError, httpx2.HTTPError, OSError) as error:
            raise _broken(error) from error
        except (self._sdk.APIError, ValueError) as error:
            raise malformed(self.name, "readable JSON", str(error)) from error
        pace = hints.anthropic_pace(headers, self._clock.now())
        return Answer(reply=self._reply(document, model), pace=pace)

    async def _whole(self, request: dict[str, Any]) -> tuple[Any, Mapping[str, str]]:
        create: Any = self._client.messages.with_raw_response.create
        raw: Any = await create(**request)
        return parse_json(await raw.read(), raw.headers), raw.headers

    async def _streamed(self, request: dict[str, Any]) -> tuple[Any, Mapping[str, str]]:
        async with self._client.messages.stream(**request) as stream:
            ended = False
            async for event in stream:
                ended = ended or event.type == "message_stop"
            if not ended:
                raise incomplete(self.name)
            message = await stream.get_final_message()
            return message.model_dump(mode="json"), stream.response.headers

    # ---- the request

    def _request(self, task: Task, model: str) -> dict[str, Any]:
        options = self._options
        most = task.max_tokens or options.max_tokens or LONGEST_UNSTREAMED
        request: dict[str, Any] = {"model": model, "max_tokens": most, "messages": _messages(task)}
        if task.system:
            request["system"] = task.system
        if task.stop:
            request["stop_sequences"] = list(task.stop)
        if task.tools:
            request["tools"] = [
                {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
                for tool in task.tools
            ]
            request["tool_choice"] = {"type": _tool_choice(model, task.tool_choice)}
        output: dict[str, Any] = {}
        if task.schema is not None:
            output["format"] = {"type": "json_schema", "schema": _closed(task.schema)}
        if (thinking := task.thinking or options.thinking) is not None:
            request["thinking"] = _thinking(model, thinking, most)
            if thinking != "off" and not _takes_budget(model):
                output["effort"] = thinking
        if output:
            request["output_config"] = output
        return request

    # ---- the answer

    def _reply(self, document: Any, model: str) -> Reply:
        if not is_object(document) or not is_list(document.get("content")):
            raise malformed(self.name, "content", document)
        blocks = children(document, "content")  # read by type, never by position: thinking may come first
        calls = tuple(
            ToolCall(id=block["id"], name=block["name"], arguments=child(block, "input"))
            for block in blocks
            if block.get("type") == "tool_use"
        )
        word = str(document.get("stop_reason") or "")
        usage = child(document, "usage")
        return Reply(
            text=_joined(blocks, "text"),
            model=str(document.get("model") or model),
            finish_reason=_FINISH.get(word, "other"),
            detail=word or None,
            usage=_usage(usage) if usage else None,
            tool_calls=calls,
            thinking=_joined(blocks, "thinking") or None,
            native=blocks if calls else None,
        )

    # ---- refusals

    def _refused(self, error: "APIStatusError") -> TaskError:
        """By the error's type first: a stream that fails after 200 keeps its status (provider-facts 4.4)."""
        status = error.status_code
        if status < 400:
            status = _BY_TYPE.get(str(error.type), 500)
        message = error.api_message or str(error)
        return refusal(
            self.name,
            status,
            message,
            retry_after=hints.retry_after(error.response.headers, self._clock.now()),
            code="context_overflow" if status == 400 and "prompt is too long" in message else None,
            hint="make a new key in the Anthropic console" if status == 401 else None,
        )


def _joined(blocks: list[JsonDict], kind: str) -> str:
    """The texts of all blocks of one type."""
    return "".join(str(block.get(kind) or "") for block in blocks if block.get("type") == kind)


def _broken(error: Exception) -> TaskError:
    cause = error.__cause__ or error
    unreached = isinstance(cause, httpx2.ConnectError)
    return TaskError(
        "connection_failed",
        f"no connection to anthropic: {cause or type(cause).__name__}",
        hint="check the network and the base URL",
        retryable=True,
        billed=False if unreached else None,
    )


def _takes_budget(model: str) -> bool:
    """Older models think by a budget of tokens instead of an effort (provider-facts 4.2 and 4.5)."""
    return "-4-5" in model or "claude-3" in model


def _thinking(model: str, level: str, most: int) -> dict[str, Any]:
    if level == "off":  # sonnet 5.5 refuses "disabled"
        return {"type": "between_tools" if model.startswith("claude-sonnet-5-5") else "disabled"}
    if _takes_budget(model):
        return {"type": "enabled", "budget_tokens": max(1024, min(_BUDGETS[level], most - 1024))}
    return {"type": "adaptive"}


def _tool_choice(model: str, choice: str) -> str:
    """`tool_choice.type`; sonnet 5.5 refuses to be forced, so there "required" becomes "auto"."""
    if choice == "required":
        return "auto" if model.startswith("claude-sonnet-5-5") else "any"
    return choice


def _closed(schema: Any) -> Any:
    """`schema` with every object closed, as structured output demands."""
    if is_list(schema):
        return [_closed(part) for part in schema]
    if not is_object(schema):
        return schema
    closed = {name: _closed(part) for name, part in schema.items()}
    if closed.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def _messages(task: Task) -> list[dict[str, Any]]:
    """The conversation; answers to several tool calls of one turn travel in one user message."""
    messages: list[dict[str, Any]] = []
    for message in task.messages:
        body = _message(message)
        if message.role == "tool" and messages and messages[-1]["role"] == "user":
            messages[-1]["content"] += body["content"]
        else:
            messages.append(body)
    return messages


def _message(message: Message) -> dict[str, Any]:
    if message.native is not None and message.native_provider == "anthropic":
        return {"role": "assistant", "content": message.native}
    if message.role == "tool":
        result = {"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.text}
        return {"role": "user", "content": [result]}
    content: list[dict[str, Any]] = [{"type": "text", "text": message.text}] if message.text else []
    content += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments}
        for call in message.tool_calls
    ]
    return {"role": message.role, "content": content}


def _usage(usage: JsonDict) -> Usage:
    """`input_tokens` counts only what was not cached; the total is the sum (provider-facts 4.3)."""
    written = int(usage.get("cache_creation_input_tokens") or 0)
    read = int(usage.get("cache_read_input_tokens") or 0)
    return Usage(
        input_tokens=int(usage.get("input_tokens") or 0) + written + read,
        output_tokens=int(usage.get("output_tokens") or 0),
        cached_tokens=read,
        cache_write_tokens=written,
    )
