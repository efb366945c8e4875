"""Chat completions: OpenAI, Groq, OpenRouter, LM Studio, llama.cpp, vLLM (provider-facts, section 3)."""

from collections.abc import Mapping
from typing import Any, Literal

import httpx2
from pydantic_core import to_json

from clawswarm.clock import Clock
from clawswarm.errors import TaskError
from clawswarm.providers import counts, hints
from clawswarm.providers.base import Answer, CallOptions
from clawswarm.providers.http import Http, HttpReply, parse_json
from clawswarm.providers.joined import JoinedChunks
from clawswarm.providers.models import (
    is_openai_reasoning,
    least_effort,
    takes_temperature,
    unknown_model_hint,
)
from clawswarm.providers.reasoning import split_reasoning
from clawswarm.providers.refusals import Override, incomplete, malformed, refusal
from clawswarm.providers.schemas import is_strict
from clawswarm.providers.shape import JsonDict, child, children, is_object, text_of, unwrapped
from clawswarm.providers.toolcalls import arguments, offered
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
_WASTED = {"tool_use_failed", "json_validate_failed"}
"""Codes of calls whose output was made, and is charged, but does not fit."""
MOST_COST = 9_000_000
"""US$; a cost above it is a mistake, and would overflow the ledger."""


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
                    continue  # what follows is the end of the body: read to it, the connection is used again
                joined.add(self._checked(parse_json(data, stream.headers)))
            if joined.finish_reason is None:
                raise incomplete(self.name)
            return Answer(reply=self._reply(joined.document(), model), pace=hints.openai_pace(stream.headers))

    def _answer(self, reply: HttpReply, model: str) -> Answer:
        if reply.status != 200:
            raise self._refused(reply, model)
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
            body["tools"] = offered(task.tools)
            body["tool_choice"] = task.tool_choice
            if reasoning and least_effort(model) == "none":
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
            strict = is_strict(task.schema) and self._takes_strict(task, model, streaming=streaming)
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "Answer", "strict": strict, "schema": task.schema},
            }
        if streaming:
            body["stream"] = True
            body["stream_options"] = {"include_usage": True}
        return body

    def _takes_strict(self, task: Task, model: str, *, streaming: bool) -> bool:
        """Groq: only gpt-oss, and neither with streaming nor with tools (provider-facts 3.4)."""
        return self.name != "groq" or ("gpt-oss" in model and not streaming and not task.tools)

    def _effort(self, model: str, thinking: str) -> str | None:
        """`reasoning_effort`, for models known to take it; gpt-oss has no "none" (provider-facts 3.4)."""
        if self.name == "openai" and not is_openai_reasoning(model) and "gpt-oss" not in model:
            return None
        return least_effort(model) if thinking == "off" else thinking

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
        refused = text_of(message, "refusal")
        usage = child(document, "usage") or child(child(document, "x_groq"), "usage")
        text, thoughts = split_reasoning(_content(message))
        calls = tuple(
            ToolCall(
                id=str(call.get("id") or f"call_{index}"),
                name=str(child(call, "function")["name"]),
                arguments=arguments(self.name, child(call, "function").get("arguments")),
            )
            for index, call in enumerate(children(message, "tool_calls"))
        )
        finish = "blocked" if refused else _FINISH.get(word, "other")
        return Reply(
            text=text,
            model=str(document.get("model") or model),
            finish_reason="tool_calls" if calls and finish == "stop" else finish,
            detail=f"refusal: {refused}" if refused else word,
            usage=_usage(usage),
            tool_calls=calls,
            thinking=text_of(message, "reasoning") or text_of(message, "reasoning_content") or thoughts,
            cost_pico=_cost(usage.get("cost")),
        )

    # ---- refusals

    def _refused(self, reply: HttpReply, model: str) -> TaskError:
        wait = hints.retry_after(reply.headers, self._clock.now())
        pace = hints.openai_pace(reply.headers)
        if wait is None and pace is not None and reply.status == 429:
            wait = hints.wait_of(pace)
        try:
            document = unwrapped(reply.json())
        except TaskError as error:
            return refusal(self.name, reply.status, error.message, retry_after=wait)
        error = document.get("error", document) if is_object(document) else document
        return self._error(reply.status, error, wait, unknown_model_hint(self._dialect, model))

    def _error(
        self, status: int, error: Any, wait: float | None, unknown_model: str | None = None
    ) -> TaskError:
        """An `error` object of any dialect; OpenRouter's `code` is the HTTP status, as a number."""
        fields = error if is_object(error) else {"message": str(error)}
        code = fields.get("code")
        message = str(fields.get("message") or fields)
        if raw := child(fields, "metadata").get("raw"):
            message = f"{message}: {raw}"
        begun = status == 200
        if begun:
            status = code if isinstance(code, int) and 400 <= code <= 599 else 502
        special = self._special(status, fields, message, wait)
        if status == 404 and unknown_model is not None:
            special.setdefault("hint", unknown_model)
        return refusal(self.name, status, message, retry_after=wait, begun=begun, **special)

    def _special(self, status: int, fields: JsonDict, message: str, wait: float | None) -> Override:
        """What an error means where its status alone would mislead (provider-facts 3.2, 3.4, 3.5)."""
        code = fields.get("code")
        if "insufficient_quota" in (code, fields.get("type")):
            return {"code": "payment_required", "retryable": False, "hint": "the account has no credit left"}
        if code == "context_length_exceeded":
            hint = "shorten the prompt, or use a model with a larger context"
            return {"code": "context_overflow", "retryable": False, "hint": hint}
        if status == 429 and "too large" in message.lower():
            hint = "this request alone is larger than the limit a minute: shorten it"
            return {"retryable": False, "hint": hint}
        if code in _WASTED:
            hint = "the model's output did not fit the schema: ask again"
            return {"code": "invalid_output", "hint": hint, "billed": None}
        if status == 403 and "reasons" in child(fields, "metadata"):  # OpenRouter's moderation
            return {"code": "content_blocked", "hint": "reword the prompt, or send it to another provider"}
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


def _content(message: JsonDict) -> str:
    """The text of an answer: a string or, at some servers, a list of parts."""
    return text_of(message, "content") or "".join(
        text_of(part, "text") for part in children(message, "content")
    )


def _usage(usage: JsonDict) -> Usage | None:
    if "prompt_tokens" not in usage or "completion_tokens" not in usage:
        return None
    details = child(usage, "prompt_tokens_details")
    return counts.usage(
        counts.count(usage, "prompt_tokens"),
        counts.count(usage, "completion_tokens"),
        counts.count(details, "cached_tokens"),
        counts.count(details, "cache_write_tokens"),
    )


def _cost(value: Any) -> int | None:
    """OpenRouter's own price in picodollars; None where there is none that makes sense."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST_COST:
        return None
    return to_pico(value)
