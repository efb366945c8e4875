"""Claude, through Anthropic's own SDK (provider-facts, section 4), with its retries switched off.

The SDK is imported when the first Claude endpoint is opened: its import takes over a second.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx2

from clawswarm.clock import Clock
from clawswarm.errors import TaskError
from clawswarm.providers import counts, hints
from clawswarm.providers.base import Answer, CallOptions
from clawswarm.providers.bounded import BoundedTransport
from clawswarm.providers.failures import FAILURES, failure
from clawswarm.providers.http import CONNECT_TIMEOUT, Http, parse_json
from clawswarm.providers.models import unknown_model_hint
from clawswarm.providers.refusals import Override, incomplete, malformed, refusal
from clawswarm.providers.schemas import closed
from clawswarm.providers.shape import JsonDict, child, children, is_list, is_object, text_of
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
_TRIPPED = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What the SDK raises over events that it did not foresee."""

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
            timeout=httpx2.Timeout(None, connect=CONNECT_TIMEOUT),  # the engine's deadlines hold
            http_client=httpx2.AsyncClient(transport=BoundedTransport(http.transport)),
            open_telemetry=False,
        )

    async def complete(self, task: Task, *, model: str) -> Answer:
        request = self._request(task, model)
        streaming = self._options.stream or request["max_tokens"] > LONGEST_UNSTREAMED
        try:
            document, headers = await (self._streamed(request) if streaming else self._whole(request))
        except self._sdk.APIStatusError as error:
            raise self._refused(error, model) from error
        except (self._sdk.APIConnectionError, *FAILURES) as error:
            raise failure(error) from error
        except (self._sdk.APIError, *_TRIPPED) as error:
            raise malformed(self.name, "readable parts", f"{type(error).__name__}: {error}") from error
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
            headers = stream.response.headers
            if not ended and "text/event-stream" not in headers.get("content-type", ""):
                raise malformed(self.name, "events", headers.get("content-type"))
            if not ended:
                raise incomplete(self.name)
            message = await stream.get_final_message()
            # Fields that the server did not send stay out: the API refuses them when the turn is sent back.
            return message.model_dump(mode="json", exclude_unset=True), headers

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
            output["format"] = {"type": "json_schema", "schema": closed(task.schema)}
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
        return Reply(
            text=_joined(blocks, "text"),
            model=str(document.get("model") or model),
            finish_reason=_FINISH.get(word, "other"),
            detail=word or None,
            usage=_usage(child(document, "usage")),
            tool_calls=calls,
            thinking=_joined(blocks, "thinking") or None,
            native=blocks if calls else None,
        )

    # ---- refusals

    def _refused(self, error: "APIStatusError", model: str) -> TaskError:
        """By the error's type first: a stream that fails after 200 keeps its status (provider-facts 4.4)."""
        status = error.status_code
        if begun := status < 400:
            status = _BY_TYPE.get(str(error.type), 500)
        message = error.api_message or str(error)
        now, headers = self._clock.now(), error.response.headers
        wait = hints.retry_after(headers, now)
        if wait is None and status == 429 and (pace := hints.anthropic_pace(headers, now)) is not None:
            wait = hints.wait_of(pace)
        special: Override = {}
        if status == 400 and "prompt is too long" in message:
            special = {"code": "context_overflow", "hint": "shorten it, or use a model with a larger context"}
        if status == 401:
            special = {"hint": "make a new key in the Anthropic console"}
        if status == 404:
            special = {"hint": unknown_model_hint("anthropic", model)}
        return refusal(self.name, status, message, retry_after=wait, begun=begun, **special)


def _joined(blocks: list[JsonDict], kind: str) -> str:
    """The texts of all blocks of one type."""
    return "".join(text_of(block, kind) for block in blocks if block.get("type") == kind)


def _takes_budget(model: str) -> bool:
    """Older models think by a budget of tokens instead of an effort (provider-facts 4.2 and 4.5)."""
    return "-4-5" in model or "claude-3" in model


def _thinking(model: str, level: str, most: int) -> dict[str, Any]:
    if level == "off":  # sonnet 5.5 refuses "disabled"
        return {"type": "between_tools" if model.startswith("claude-sonnet-5-5") else "disabled"}
    if _takes_budget(model):
        if most <= _BUDGETS["low"]:
            return {"type": "disabled"}  # the least budget leaves no room for an answer, and is refused
        return {"type": "enabled", "budget_tokens": max(1024, min(_BUDGETS[level], most - 1024))}
    return {"type": "adaptive"}


def _tool_choice(model: str, choice: str) -> str:
    """`tool_choice.type`; sonnet 5.5 refuses to be forced, so there "required" becomes "auto"."""
    if choice == "required":
        return "auto" if model.startswith("claude-sonnet-5-5") else "any"
    return choice


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


def _usage(usage: JsonDict) -> Usage | None:
    """`input_tokens` counts only what was not cached; the total is the sum (provider-facts 4.3)."""
    if "input_tokens" not in usage or "output_tokens" not in usage:
        return None
    written = counts.count(usage, "cache_creation_input_tokens")
    read = counts.count(usage, "cache_read_input_tokens")
    plain = counts.count(usage, "input_tokens")
    return counts.usage(
        counts.total(plain, written, read), counts.count(usage, "output_tokens"), read, written
    )
