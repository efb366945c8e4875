"""Ollama's native `/api/chat` (provider-facts, section 1).

`num_ctx` is the same in every call of a run, because another value reloads the model. A prompt that does
not fit is cut silently by the server; how that is noticed stands in `ollama_context`.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx2
from pydantic_core import to_json

from clawswarm.clock import Clock
from clawswarm.errors import TaskError
from clawswarm.providers import counts, hints
from clawswarm.providers.base import Answer, CallOptions
from clawswarm.providers.http import Http, HttpReply, parse_json
from clawswarm.providers.models import bare_name
from clawswarm.providers.ollama_context import UNCUT_BELOW, was_cut
from clawswarm.providers.reasoning import split_reasoning
from clawswarm.providers.refusals import incomplete, malformed, refusal
from clawswarm.providers.shape import JsonDict, child, children, is_object, text_of
from clawswarm.providers.toolcalls import arguments, offered
from clawswarm.types.result import FinishReason, Reply, Usage
from clawswarm.types.task import Message, Task, ToolCall

_FINISH: Mapping[str, FinishReason] = {"stop": "stop", "length": "length"}


class Ollama:
    """One Ollama host; `base_url` is its root."""

    name = "ollama"

    def __init__(
        self, *, http: Http, clock: Clock, base_url: str, key: str | None, options: CallOptions
    ) -> None:
        self._http = http
        self._clock = clock
        self._options = options
        self._chat = httpx2.URL(f"{base_url}/api/chat")
        self._ps = httpx2.URL(f"{base_url}/api/ps")
        self._headers = httpx2.Headers({"content-type": "application/json", "user-agent": "clawswarm"})
        if key is not None:
            self._headers["authorization"] = f"Bearer {key}"

    async def complete(self, task: Task, *, model: str) -> Answer:
        streaming = self._options.stream is not False
        body = to_json(self._request(task, model, streaming=streaming))
        async with self._http.stream("POST", self._chat, self._headers, body) as stream:
            if stream.status != 200:
                raise self._refused(await stream.read(), model)
            if streaming:
                document = self._joined([parse_json(line, stream.headers) async for line in stream.lines()])
            else:
                document = self._checked((await stream.read()).json())
        reply = self._reply(document, model)
        return Answer(reply=await self._with_context_checked(reply, task, model))

    # ---- the request

    def _request(self, task: Task, model: str, *, streaming: bool) -> JsonDict:
        configured = self._options
        body: JsonDict = {
            "model": model,
            "messages": _messages(task),
            "stream": streaming,
            "truncate": False,  # refuse a prompt that does not fit, where the server can
        }
        thinking = task.thinking or configured.thinking
        if thinking is not None:
            body["think"] = _think(model, thinking)
        if configured.keep_alive is not None:
            body["keep_alive"] = _keep_alive(configured.keep_alive)
        if task.schema is not None:
            body["format"] = task.schema
        if task.tools and task.tool_choice != "none":  # there is no tool_choice: not offering them is "none"
            body["tools"] = offered(task.tools)
        if options := self._sampling(task):
            body["options"] = options
        return body

    def _sampling(self, task: Task) -> JsonDict:
        configured = self._options
        options: JsonDict = {
            "num_ctx": configured.num_ctx,
            "num_predict": task.max_tokens or configured.max_tokens,
            "temperature": task.temperature if task.temperature is not None else configured.temperature,
            "seed": task.seed,
            "stop": list(task.stop) or None,
        }
        return {name: value for name, value in options.items() if value is not None}

    # ---- the answer

    def _checked(self, document: Any) -> JsonDict:
        """One document, unless it is an error inside a 200 (provider-facts 1.4)."""
        if not is_object(document):
            raise malformed(self.name, "an object", document)
        if (error := document.get("error")) is not None:
            raise _error(500, str(error), None, begun=True)
        return document

    def _joined(self, chunks: list[Any]) -> JsonDict:
        """The chunks of a stream as the one document that a call without streaming returns."""
        texts: list[str] = []
        thoughts: list[str] = []
        calls: list[Any] = []
        last: JsonDict = {}
        for chunk in chunks:
            last = self._checked(chunk)
            message = child(last, "message")
            texts.append(text_of(message, "content"))
            thoughts.append(text_of(message, "thinking"))
            calls += children(message, "tool_calls")
        if not last.get("done"):
            raise incomplete(self.name)
        message = {"content": "".join(texts), "thinking": "".join(thoughts) or None, "tool_calls": calls}
        return last | {"message": message}

    def _reply(self, document: JsonDict, model: str) -> Reply:
        message = document.get("message")
        if not is_object(message):
            raise malformed(self.name, "a message", document)
        calls = tuple(
            ToolCall(
                id=str(call.get("id") or f"call_{index}"),
                name=str(child(call, "function")["name"]),
                arguments=arguments(self.name, child(call, "function").get("arguments")),
            )
            for index, call in enumerate(children(message, "tool_calls"))
        )
        word = str(document.get("done_reason") or "stop")
        finish = _FINISH.get(word, "other")
        text, thoughts = split_reasoning(text_of(message, "content"))
        return Reply(
            text=text,
            model=str(document.get("model") or model),
            finish_reason="tool_calls" if calls and finish == "stop" else finish,
            detail=word,
            usage=_usage(document),
            tool_calls=calls,
            thinking=text_of(message, "thinking") or thoughts,
            remote=bool(document.get("remote_host") or document.get("remote_model")),
        )

    async def _with_context_checked(self, reply: Reply, task: Task, model: str) -> Reply:
        """The reply, marked `context_overflow` when the server cut the prompt to its context window."""
        counted = reply.usage.input_tokens if reply.usage else 0
        window = self._options.num_ctx
        if window is None and (counted >= UNCUT_BELOW or was_cut(task, counted, None)):
            window = await self._window(model)
        if not was_cut(task, counted, window):
            return reply
        size = "of unknown size" if window is None else f"of {window} tokens"
        detail = f"the context window {size} holds {counted} tokens of the prompt"
        return replace(reply, finish_reason="context_overflow", detail=detail)

    async def _window(self, model: str) -> int | None:
        """The context window of the loaded model; None when the server does not say."""
        try:
            document = (await self._http.get(self._ps, self._headers)).json()
            loaded = {entry.get("name"): entry for entry in children(document, "models")}
            return int((loaded.get(model) or loaded[f"{model}:latest"])["context_length"])
        except (TaskError, KeyError, TypeError, ValueError, AttributeError):
            return None

    # ---- refusals

    def _refused(self, reply: HttpReply, model: str) -> TaskError:
        wait = hints.retry_after(reply.headers, self._clock.now())
        try:
            document = reply.json()
            message = str(document.get("error", document) if is_object(document) else document)
        except TaskError as error:
            message = error.message
        if reply.status == 404:
            return refusal("ollama", 404, message, hint=f"run: ollama pull {model}")
        return _error(reply.status, message, wait)


def _error(status: int, message: str, wait: float | None, *, begun: bool = False) -> TaskError:
    """An Ollama error by its status, and by the few texts that mean something else (provider-facts 1.4)."""
    lowered = message.lower()
    if "context length" in lowered and "exceed" in lowered:
        return refusal(
            "ollama", status, message, code="context_overflow", retryable=False,
            hint="raise provider.num_ctx, or shorten the prompt",
        )  # fmt: skip
    if status == 401:
        return refusal("ollama", status, message, hint="set OLLAMA_API_KEY, or run: ollama signin")
    if status == 503:
        return refusal(
            "ollama", status, message, retry_after=wait,
            hint="more is queued than this Ollama takes: other programs use it, too",
        )  # fmt: skip
    if "does not support thinking" in lowered:
        return refusal("ollama", status, message, hint="leave provider.thinking out for this model")
    if "does not support tools" in lowered:
        return refusal("ollama", status, message, hint="this model cannot call tools: choose another")
    if "memory" in lowered:
        hint = "the model does not fit: use a smaller one, a smaller num_ctx, or fewer slots"
        return refusal("ollama", status, message, hint=hint, begun=begun)
    return refusal("ollama", status, message, retry_after=wait, begun=begun)


def _keep_alive(value: str | int) -> str | int:
    """Seconds as a number: the server takes text only with a unit."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d+", value) else value


def _usage(document: JsonDict) -> Usage | None:
    """A counter is left out when it is zero (provider-facts 1.3); both missing means that nobody counted."""
    if "prompt_eval_count" not in document and "eval_count" not in document:
        return None
    return counts.usage(counts.count(document, "prompt_eval_count"), counts.count(document, "eval_count"))


def _think(model: str, level: str) -> bool | str:
    """`think`: gpt-oss takes levels only and cannot be silenced, every other model on or off."""
    if bare_name(model).startswith("gpt-oss"):
        return "low" if level == "off" else level
    return level != "off"


def _messages(task: Task) -> list[JsonDict]:
    messages: list[JsonDict] = [{"role": "system", "content": task.system}] if task.system else []
    messages.extend(_message(message) for message in task.messages)
    return messages


def _message(message: Message) -> JsonDict:
    body: JsonDict = {"role": message.role, "content": message.text}
    if message.role == "tool":
        body["tool_name"] = message.tool_name
        body["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        body["tool_calls"] = [
            {"id": call.id, "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    return body
