"""Chat completions: OpenAI, Groq, OpenRouter, LM Studio, llama.cpp, vLLM (provider-facts, section 3)."""

from collections.abc import Mapping
from typing import Any, Literal

import httpx2
from pydantic_core import to_json

from clawswarm.clock import Clock
from clawswarm.errors import TaskError
from clawswarm.providers import hints
from clawswarm.providers.base import Answer, CallOptions
from clawswarm.providers.http import Http, HttpReply, parse_json
from clawswarm.providers.joined import JoinedChunks
from clawswarm.providers.models import is_openai_reasoning, takes_temperature
from clawswarm.providers.refusals import Override, incomplete, malformed, refusal
from clawswarm.providers.shape import JsonDict, child, children, is_list, is_object, unwrapped
from clawswarm.providers.toolcalls import arguments
from clawswarm.types.money import to_pico
from clawswarm.types.result import FinishReason, Reply, Usage
from clawswarm.types.task import Message, Task, ToolCall

Dialect = Literal["openai", "groq", "openai-compatible"]

_FINISH: Mapping[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "blocked",
}
_EFFORT = {"off": "none", "low": "low", "medium": "medium", "high": "high"}


class OpenAICompat:
    """One chat-completions endpoint; `base_url` ends where `/chat/completions` begins."""

    def __init__(
        self, name: Dialect, *, http: Http, clock: Clock, base_url: str, key: str | None, options: CallOptions
    ) -> None:
        self.name: str = name
        self._dialect: Dialect = name
        self._http = http
        self._clock = clock
        self._options = options
        self._url = httpx2.URL(f"{base_url}/chat/completions")
        self._headers = httpx2.Headers({"content-type": "application/json", "user-agent": "clawswarm"})
        if key is not None:
            self._headers["authorization"] = f"Bearer {key}"

    async def complete(self, task: Task, *, model: str) -> Answer:
        streaming = bool(self._options.stream)
        body = to_json(self._request(task, model, streaming=streaming))
        if not streaming:
            reply = await self._http.post(self._url, self._headers, body)
            return self._answer(reply, model)
        async with self._http.stream("POST", self._url, self._headers, body) as stream:
            if stream.status != 200 or "text/event-stream" not in stream.headers.get("content-type", ""):
                # A refusal, an error inside a 200, or a server that does not stream.
                return self._answer(await stream.read(), model)
            joined = JoinedChunks()
            async for data in stream.events():
                if data == "[DONE]":
                    break
                joined.add(self._checked(parse_json(data, stream.headers)))
            if joined.finish_reason is None:
                raise incomplete(self.name)
            return Answer(reply=self._reply(joined.document(), model), pace=hints.openai_pace(stream.headers))

    def _answer(self, reply: HttpReply, model: str) -> Answer:
        if reply.status != 200:
            raise self._refused(reply)
        document = self._checked(reply.json())
        return Answer(reply=self._reply(document, model), pace=hints.openai_pace(reply.headers))

    # ---- the request

    def _request(self, task: Task, model: str, *, streaming: bool) -> dict[str, Any]:
        options = self._options
        thinking = task.thinking or options.thinking
        reasoning = self.name == "openai" and is_openai_reasoning(model)
        body: dict[str, Any] = {"model": model, "messages": _messages(task)}
        if (most := task.max_tokens or options.max_tokens) is not None:
            body["max_completion_tokens" if reasoning else "max_tokens"] = most
        if task.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": tool.parameters,
                    },
                }
                for tool in task.tools
            ]
            body["tool_choice"] = task.tool_choice
            if reasoning:
                thinking = "off"  # functions work only with reasoning_effort "none" (provider-facts 3.3)
        if thinking is not None and (effort := self._effort(model, thinking)) is not None:
            body["reasoning_effort"] = effort
        temperature = task.temperature if task.temperature is not None else options.temperature
        if temperature is not None and takes_temperature(self._dialect, model, thinking):
            body["temperature"] = temperature
        if task.seed is not None:
            body["seed"] = task.seed
        if task.stop and not reasoning:
            body["stop"] = list(task.stop)
        if task.schema is not None:
            strict = _is_strict(task.schema) and not (self.name == "groq" and (streaming or task.tools))
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "Answer", "strict": strict, "schema": task.schema},
            }
        if streaming:
            body["stream"] = True
            body["stream_options"] = {"include_usage": True}
        return body

    def _effort(self, model: str, thinking: str) -> str | None:
        """`reasoning_effort`, for models known to take it; gpt-oss has no "none" (provider-facts 3.4)."""
        if "gpt-oss" in model:
            return "low" if thinking == "off" else thinking
        if self.name == "openai":
            return _EFFORT[thinking] if is_openai_reasoning(model) else None
        return _EFFORT[thinking]

    # ---- the answer

    def _checked(self, document: Any) -> JsonDict:
        """The document, unless it is an error inside a 200 (provider-facts 3.4 and 3.5)."""
        document = unwrapped(document)
        if not is_object(document):
            raise malformed(self.name, "an object", document)
        if error := document.get("error") or child(document, "x_groq").get("error"):
            raise self._error(200, error, None)
        return document

    def _reply(self, document: JsonDict, model: str) -> Reply:
        choices = children(document, "choices")
        if not choices or not is_object(message := choices[0].get("message")):
            raise malformed(self.name, "choices[0].message", document)
        word = str(choices[0].get("finish_reason") or "stop")
        refused = message.get("refusal")
        usage = child(document, "usage") or child(child(document, "x_groq"), "usage")
        cost = usage.get("cost")
        return Reply(
            text=message.get("content") or "",
            model=str(document.get("model") or model),
            finish_reason="blocked" if refused else _FINISH.get(word, "other"),
            detail=f"refusal: {refused}" if refused else word,
            usage=_usage(usage) if usage else None,
            tool_calls=tuple(
                ToolCall(
                    id=str(call.get("id") or f"call_{index}"),
                    name=str(child(call, "function")["name"]),
                    arguments=arguments(self.name, child(call, "function").get("arguments")),
                )
                for index, call in enumerate(children(message, "tool_calls"))
            ),
            thinking=message.get("reasoning") or message.get("reasoning_content"),
            cost_pico=None if cost is None else to_pico(cost),
        )

    # ---- refusals

    def _refused(self, reply: HttpReply) -> TaskError:
        wait = hints.retry_after(reply.headers, self._clock.now())
        pace = hints.openai_pace(reply.headers)
        if wait is None and pace is not None and reply.status == 429:
            wait = pace.requests_reset if pace.requests_left == 0 else pace.tokens_reset
        try:
            document = unwrapped(reply.json())
        except TaskError as error:
            return refusal(self.name, reply.status, error.message, retry_after=wait)
        error = document.get("error", document) if is_object(document) else document
        return self._error(reply.status, error, wait)

    def _error(self, status: int, error: Any, wait: float | None) -> TaskError:
        """An `error` object of any dialect; OpenRouter's `code` is the HTTP status, as a number."""
        fields = error if is_object(error) else {"message": str(error)}
        code = fields.get("code")
        message = str(fields.get("message") or fields)
        if raw := child(fields, "metadata").get("raw"):
            message = f"{message}: {raw}"
        if status == 200:
            status = code if isinstance(code, int) and 400 <= code <= 599 else 502
        special = self._special(status, code, message, wait)
        return refusal(self.name, status, message, retry_after=wait, **special)

    def _special(self, status: int, code: Any, message: str, wait: float | None) -> Override:
        """What an error means where its status alone would mislead (provider-facts 3.2, 3.4, 3.5)."""
        if code == "insufficient_quota":
            return {"code": "payment_required", "retryable": False, "hint": "the account has no credit left"}
        if code == "context_length_exceeded":
            hint = "shorten the prompt, or use a model with a larger context"
            return {"code": "context_overflow", "retryable": False, "hint": hint}
        if status == 429 and "too large" in message.lower():
            hint = "this request alone is larger than the limit a minute: shorten it"
            return {"retryable": False, "hint": hint}
        if code in ("tool_use_failed", "json_validate_failed"):
            return {"code": "invalid_output", "hint": "the model's output did not fit the schema: ask again"}
        if status == 402 and wait is not None:
            return {"retryable": True}
        return {}


def _messages(task: Task) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if task.system:
        messages.append({"role": "system", "content": task.system})
    messages.extend(_message(message) for message in task.messages)
    return messages


def _message(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.text}
    body: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.tool_calls:
        body["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": to_json(call.arguments).decode()},
            }
            for call in message.tool_calls
        ]
    return body


def _usage(usage: JsonDict) -> Usage:
    details = child(usage, "prompt_tokens_details")
    return Usage(
        input_tokens=int(usage.get("prompt_tokens") or 0),
        output_tokens=int(usage.get("completion_tokens") or 0),
        cached_tokens=int(details.get("cached_tokens") or 0),
        cache_write_tokens=int(details.get("cache_write_tokens") or 0),
    )


def _is_strict(schema: Any) -> bool:
    """Whether `schema` fits the strict mode: every object closed, every property required (3.1)."""
    if is_list(schema):
        return all(_is_strict(part) for part in schema)
    if not is_object(schema):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        required: list[Any] = schema.get("required") or []
        if schema.get("additionalProperties") is not False or set(required) != set(
            child(schema, "properties")
        ):
            return False
    return all(_is_strict(part) for part in schema.values())
