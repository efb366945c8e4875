"""Gemini's `generateContent` (provider-facts, section 2)."""

from collections.abc import Mapping
from typing import Any

import httpx2
from pydantic_core import to_json

from clawswarm.clock import Clock
from clawswarm.errors import TaskError
from clawswarm.providers import counts, hints
from clawswarm.providers.base import Answer, CallOptions
from clawswarm.providers.gemini_grounding import grounding
from clawswarm.providers.http import Http, HttpReply, parse_json
from clawswarm.providers.models import gemini_thinking, takes_temperature, unknown_model_hint
from clawswarm.providers.refusals import incomplete, malformed, refusal
from clawswarm.providers.shape import JsonDict, child, children, is_list, is_object, text_of, unwrapped
from clawswarm.providers.toolcalls import arguments
from clawswarm.types.result import FinishReason, Reply, Usage
from clawswarm.types.task import Message, Task, ToolCall

_FINISH: Mapping[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "blocked",
    "RECITATION": "blocked",
    "LANGUAGE": "blocked",
    "BLOCKLIST": "blocked",
    "PROHIBITED_CONTENT": "blocked",
    "SPII": "blocked",
}
_TOOL_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}


class Gemini:
    """One Gemini endpoint; `base_url` ends with the API version, such as `…/v1beta`."""

    name = "gemini"

    def __init__(self, *, http: Http, clock: Clock, base_url: str, key: str, options: CallOptions) -> None:
        self._http = http
        self._clock = clock
        self._base_url = base_url
        self._options = options
        self._headers = httpx2.Headers(
            {"content-type": "application/json", "user-agent": "clawswarm", "x-goog-api-key": key}
        )
        self._urls: dict[str, httpx2.URL] = {}

    async def complete(self, task: Task, *, model: str) -> Answer:
        model = model.removeprefix("models/")
        body = to_json(self._request(task, model))
        if not self._options.stream:
            reply = await self._http.post(self._url(model, "generateContent"), self._headers, body)
            if reply.status != 200:
                raise self._refused(reply, model)
            return Answer(reply=self._reply([self._checked(reply.json())], model))
        url = self._url(model, "streamGenerateContent?alt=sse")
        async with self._http.stream("POST", url, self._headers, body) as stream:
            if stream.status != 200 or "text/event-stream" not in stream.headers.get("content-type", ""):
                whole = await stream.read()
                if whole.status != 200:
                    raise self._refused(whole, model)
                document = whole.json()
                parts = document if is_list(document) and document else [document]
                return Answer(reply=self._reply([self._checked(part) for part in parts], model))
            parts = [self._checked(parse_json(data, stream.headers)) async for data in stream.events()]
        if not any(_finished(part) for part in parts):
            raise incomplete(self.name)
        return Answer(reply=self._reply(parts, model))

    def _url(self, model: str, verb: str) -> httpx2.URL:
        name = f"{model}:{verb}"
        if (url := self._urls.get(name)) is None:
            url = self._urls[name] = httpx2.URL(f"{self._base_url}/models/{name}")
        return url

    # ---- the request

    def _request(self, task: Task, model: str) -> dict[str, Any]:
        body: dict[str, Any] = {"contents": _contents(task)}
        if task.system:
            body["systemInstruction"] = {"parts": [{"text": task.system}]}
        if generation := self._generation(task, model):
            body["generationConfig"] = generation
        if task.web_search:
            if task.tools or task.schema is not None:
                raise TaskError("bad_request", "web search goes with neither tools nor a schema here")
            body["tools"] = [{"googleSearch": {}}]
        elif task.tools:
            body["tools"] = [
                {
                    "functionDeclarations": [
                        {
                            "name": tool.name,
                            "description": tool.description,
                            "parametersJsonSchema": tool.parameters,  # "parameters" knows a subset only
                        }
                        for tool in task.tools
                    ]
                }
            ]
            body["toolConfig"] = {"functionCallingConfig": {"mode": _TOOL_MODES[task.tool_choice]}}
        return body

    def _generation(self, task: Task, model: str) -> dict[str, Any]:
        options = self._options
        config: dict[str, Any] = {}
        if (most := task.max_tokens or options.max_tokens) is not None:
            config["maxOutputTokens"] = most
        thinking = task.thinking or options.thinking
        if thinking is not None:
            config["thinkingConfig"] = gemini_thinking(model, thinking)
        temperature = task.temperature if task.temperature is not None else options.temperature
        if temperature is not None and takes_temperature("gemini", model, thinking):
            config["temperature"] = temperature
        if task.seed is not None:
            config["seed"] = task.seed
        if task.stop:
            config["stopSequences"] = list(task.stop)
        if task.schema is not None:
            config["responseMimeType"] = "application/json"
            config["responseJsonSchema"] = task.schema
        return config

    # ---- the answer

    def _checked(self, document: Any) -> JsonDict:
        """The document, unless it is an error inside a 200, which some routes wrap in a list."""
        document = unwrapped(document)
        if not is_object(document):
            raise malformed(self.name, "an object", document)
        if error := child(document, "error"):
            code = error.get("code")
            status = code if isinstance(code, int) and 400 <= code <= 599 else 500
            raise self._error(status, error, None, begun=True)
        return document

    def _reply(self, documents: list[JsonDict], model: str) -> Reply:
        """One reply from the document of a call, or from the chunks of a stream."""
        last: JsonDict = {}
        word: str | None = None
        blocked: str | None = None
        parts: list[JsonDict] = []
        for document in documents:
            last = last | document
            blocked = text_of(child(document, "promptFeedback"), "blockReason") or blocked
            for candidate in children(document, "candidates")[:1]:
                word = text_of(candidate, "finishReason") or word
                parts += children(child(candidate, "content"), "parts")
        if word is None and blocked is None:
            raise malformed(self.name, "candidates", documents[-1])
        finish = "blocked" if word is None else _FINISH.get(word, "other")
        calls = self._calls(parts)
        return Reply(
            text=_text(parts, thought=False),
            model=str(last.get("modelVersion") or model),
            finish_reason="tool_calls" if calls and finish == "stop" else finish,
            detail=blocked or word,
            usage=_usage(child(last, "usageMetadata")),
            tool_calls=calls,
            thinking=_text(parts, thought=True) or None,
            native=parts if calls else None,
            grounding=grounding(documents),
        )

    def _calls(self, parts: list[JsonDict]) -> tuple[ToolCall, ...]:
        calls = [call for part in parts if (call := child(part, "functionCall"))]
        return tuple(
            ToolCall(
                id=str(call.get("id") or f"call_{index}"),
                name=str(call["name"]),
                arguments=arguments(self.name, call.get("args")),
            )
            for index, call in enumerate(calls)
        )

    # ---- refusals

    def _refused(self, reply: HttpReply, model: str) -> TaskError:
        wait = hints.retry_after(reply.headers, self._clock.now())
        try:
            document = unwrapped(reply.json())
        except TaskError as error:
            return refusal(self.name, reply.status, error.message, retry_after=wait)
        error = child(document, "error") if is_object(document) else {}
        return self._error(reply.status, error or {"message": str(document)}, wait, model=model)

    def _error(
        self, status: int, error: JsonDict, wait: float | None, *, model: str = "", begun: bool = False
    ) -> TaskError:
        """An error by its status, its ErrorInfo reason and its quota (provider-facts 2.3)."""
        details = children(error, "details")
        reasons = {str(detail.get("reason")) for detail in details}
        message = str(error.get("message") or error.get("status") or error)
        if "API_KEY_INVALID" in reasons or "API key not valid" in message:
            hint = "make a new key in Google AI Studio: keys that begin with AIza are refused since 2026"
            return refusal(self.name, status, message, code="auth_failed", hint=hint)
        if status == 401:
            hint = "make a new key in Google AI Studio: this kind is no longer accepted"
            return refusal(self.name, status, message, hint=hint)
        if status == 404:
            return refusal(self.name, status, message, hint=unknown_model_hint("gemini", model))
        if status == 429:
            return self._limited(message, details, wait, begun=begun)
        if status == 400 and "token count" in message and "exceeds" in message:
            hint = "shorten the prompt, or use a model with a larger context"
            return refusal(self.name, status, message, code="context_overflow", hint=hint)
        if status == 400 and error.get("status") == "FAILED_PRECONDITION":
            hint = "the free tier is not offered in every country: enable billing in Google AI Studio"
            return refusal(self.name, status, message, hint=hint)
        return refusal(self.name, status, message, retry_after=wait, begun=begun)

    def _limited(
        self, message: str, details: list[JsonDict], wait: float | None, *, begun: bool
    ) -> TaskError:
        quotas = [
            str(violation.get("quotaId"))
            for detail in details
            for violation in children(detail, "violations")
        ]
        if any("PerDay" in quota for quota in quotas):
            seconds = hints.until_pacific_midnight(self._clock.now())
            hint = "the daily quota is used up; it starts again at midnight Pacific time"
            return refusal(self.name, 429, message, retry_after=seconds, hint=hint, begun=begun)
        for detail in details:
            if (delay := detail.get("retryDelay")) is not None:
                wait = hints.duration(str(delay))
        return refusal(self.name, 429, message, retry_after=wait, begun=begun)


def _text(parts: list[JsonDict], *, thought: bool) -> str:
    return "".join(text_of(part, "text") for part in parts if bool(part.get("thought")) is thought)


def _contents(task: Task) -> list[dict[str, Any]]:
    """The conversation; answers to several calls of one turn travel in one content, as Gemini demands."""
    contents: list[dict[str, Any]] = []
    answering = False
    for message in task.messages:
        content = _content(message)
        if message.role == "tool" and answering:
            contents[-1]["parts"] += content["parts"]
        else:
            contents.append(content)
        answering = message.role == "tool"
    return contents


def _content(message: Message) -> dict[str, Any]:
    if message.native is not None and message.native_provider == "gemini":
        return {"role": "model", "parts": message.native}  # thoughtSignature must come back unchanged
    if message.role == "tool":
        answer = {"name": message.tool_name, "response": {"result": message.text}}
        if message.tool_call_id and not message.tool_call_id.startswith("call_"):
            answer["id"] = message.tool_call_id
        return {"role": "user", "parts": [{"functionResponse": answer}]}
    parts: list[dict[str, Any]] = [{"text": message.text}] if message.text else []
    parts += [{"functionCall": {"name": call.name, "args": call.arguments}} for call in message.tool_calls]
    return {"role": "model" if message.role == "assistant" else "user", "parts": parts}


def _finished(document: JsonDict) -> bool:
    return bool(child(document, "promptFeedback").get("blockReason")) or any(
        candidate.get("finishReason") for candidate in children(document, "candidates")
    )


def _usage(usage: JsonDict) -> Usage | None:
    """Billed output is candidates and thoughts; tool use counts as input (provider-facts 2.2)."""
    if "promptTokenCount" not in usage:  # all others are left out when they are zero
        return None
    prompt, tools = counts.count(usage, "promptTokenCount"), counts.count(usage, "toolUsePromptTokenCount")
    answer, thoughts = counts.count(usage, "candidatesTokenCount"), counts.count(usage, "thoughtsTokenCount")
    cached = counts.count(usage, "cachedContentTokenCount")
    return counts.usage(counts.total(prompt, tools), counts.total(answer, thoughts), cached)
