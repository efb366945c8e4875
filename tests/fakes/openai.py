"""A fake of OpenAI's chat completions and of three servers that imitate it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.fakes.behaviours import Refuse, Say, StreamError
from tests.fakes.common import JSON, SSE, answer_text, encode, halves, last_user_text, obj, sse, words
from tests.fakes.openai_rules import Flavour, objection
from tests.fakes.server import FakeServer
from tests.fakes.wire import Seen, Wire

API_PATHS: dict[Flavour, str] = {
    "openai": "/v1",
    "groq": "/openai/v1",
    "openrouter": "/api/v1",
    "local": "/v1",
}
MODELS: dict[Flavour, tuple[str, ...]] = {
    "openai": ("gpt-6-luna", "gpt-6.1-terra", "gpt-6-sol", "gpt-5.6-luna", "gpt-5-mini", "gpt-4o-mini"),
    "groq": ("openai/gpt-oss-20b", "openai/gpt-oss-120b", "qwen/qwen3.8-27b", "groq/compound"),
    "openrouter": ("openai/gpt-oss-120b", "openai/gpt-oss-20b:free", "google/gemini-3.5-flash-lite"),
    "local": ("local-model",),
}
SHUTDOWN_DATES = {"gpt-4o-mini": "2027-01-14", "gpt-5-mini": "2026-12-11"}
FINISH = {"refusal": "stop"}
DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": OPENROUTER PROCESSING\n\n"
CREATED = 1763600000


class FakeOpenAI(FakeServer):
    """OpenAI, Groq, OpenRouter or a local server, by `flavour`.

    The local flavour asks for no key unless one is given and takes any model name
    unless `models` is given. With `echo_key` a refused key is repeated in full.
    """

    def __init__(
        self,
        flavour: Flavour = "openai",
        *,
        key: str | None = "test-key",
        models: Sequence[str] | None = None,
        echo_key: bool = False,
        reasoning_field: str = "reasoning_content",
        total_slots: int = 4,
        n_ctx: int = 8192,
        latency: float = 0.0,
        slots: int | None = None,
    ) -> None:
        super().__init__(latency=latency, slots=slots)
        self.flavour: Flavour = flavour
        self.api_path = API_PATHS[flavour]
        self.key = None if flavour == "local" and key == "test-key" else key
        self.models = tuple(MODELS[flavour] if models is None else models)
        self.echo_key = echo_key
        self.reasoning_field = reasoning_field if flavour == "local" else "reasoning"
        self.total_slots = total_slots
        self.n_ctx = n_ctx
        self._any_model = flavour == "local" and models is None

    def is_call(self, seen: Seen) -> bool:
        return seen.method == "POST" and seen.path == f"{self.api_path}/chat/completions"

    def other(self, seen: Seen) -> Wire:
        if seen.method != "GET":
            return self.refuse(seen, Refuse(404, f"Invalid URL ({seen.method} {seen.path})"))
        if self.flavour == "local":
            if seen.path == "/health":
                return self._json({"status": "ok"})
            if seen.path == "/props":
                settings = {"n_ctx": self.n_ctx}
                return self._json({"total_slots": self.total_slots, "default_generation_settings": settings})
        if refusal := self._key_refusal(seen):
            return self.refuse(seen, refusal)
        if seen.path == f"{self.api_path}/models":
            return self._json({"object": "list", "data": [self._model(name) for name in self.models]})
        if seen.path == "/api/v1/key" and self.flavour == "openrouter":
            return self._json({"data": {"label": "test", "usage": 0, "limit": None, "limit_remaining": None}})
        return self.refuse(seen, Refuse(404, f"Invalid URL ({seen.method} {seen.path})"))

    def check(self, seen: Seen) -> Wire | None:
        refusal = self._key_refusal(seen)
        if refusal is None and not seen.json:
            refusal = Refuse(400, "We could not parse the JSON body of your request.")
        refusal = refusal or objection(self.flavour, seen.json) or self._model_refusal(seen)
        return None if refusal is None else self.refuse(seen, refusal)

    def say(self, seen: Seen, say: Say) -> Wire:
        body = seen.json
        form = obj(body.get("response_format"))
        wanted = obj(form.get("json_schema"))
        schema = obj(wanted.get("schema")) if form.get("type") == "json_schema" else None
        as_json = form.get("type") == "json_object"
        text = answer_text(say, last_user_text(body.get("messages")), schema, as_json=as_json)
        if body.get("stream"):
            return self._stream(seen, say, text)
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        if say.outcome == "refusal":
            message |= {"content": None, "refusal": text}
        if say.thinking is not None and self.flavour != "openai":
            message[self.reasoning_field] = say.thinking
        if say.tool_calls:
            message["tool_calls"] = [_call(say, n) for n in range(len(say.tool_calls))]
        choice = {"index": 0, "finish_reason": _finish(say), "logprobs": None, "message": message}
        if self.flavour == "openrouter":
            choice["native_finish_reason"] = _finish(say)
        base = self._base(seen, "chat.completion")
        return self._json({**base, "choices": [choice], "usage": self._usage(say)})

    def refuse(self, seen: Seen, refusal: Refuse) -> Wire:
        headers = {**self._headers(seen), **refusal.headers}
        if refusal.retry_after is not None:
            headers["retry-after"] = f"{refusal.retry_after:g}"
        return Wire(refusal.status, (encode(self._error(refusal)),), content_type=JSON, headers=headers)

    def blocked(self, seen: Seen, reason: str) -> Wire:
        if self.flavour == "openrouter":
            details = {"reasons": [reason], "flagged_input": "", "provider_name": "fake"}
            return self.refuse(seen, Refuse(403, "Your input was flagged", details=details))
        return self.say(seen, Say(text="", output_tokens=0, finish="content_filter"))

    def broken_stream(self, seen: Seen, error: StreamError) -> bytes:
        chunk = self._base(seen, "chat.completion.chunk")
        match self.flavour:
            case "openrouter":
                choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
                return sse({**chunk, **self._error(_failure(error)), "choices": [choice]})
            case "groq":
                state = {"id": f"req_{seen.number}", "error": error.message}
                return sse({**chunk, "choices": [], "x_groq": state})
            case _:
                return sse(self._error(_failure(error)))

    def broken_answer(self, seen: Seen, error: StreamError) -> Wire:
        failure = _failure(error)
        if self.flavour == "openrouter":
            return self._json({**self._base(seen, "chat.completion"), **self._error(failure), "choices": []})
        return self.refuse(seen, failure)

    def _stream(self, seen: Seen, say: Say, text: str | None) -> Wire:
        base = self._base(seen, "chat.completion.chunk")
        with_usage = bool(obj(seen.json.get("stream_options")).get("include_usage"))
        with_usage = with_usage or self.flavour == "openrouter"
        if with_usage and self.flavour == "openai":
            base["usage"] = None

        def chunk(delta: dict[str, Any], finish: str | None = None, more: Any = None) -> bytes:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            return sse({**base, "choices": [choice], **obj(more)})

        state: dict[str, Any] = {"x_groq": {"id": f"req_{seen.number}"}} if self.flavour == "groq" else {}
        pause = KEEP_ALIVE if self.flavour == "openrouter" else b""
        head = [pause + chunk({"role": "assistant", "content": ""}, more=state)]
        if say.thinking is not None and self.flavour != "openai":
            head += [chunk({self.reasoning_field: piece}) for piece in words(say.thinking)]
        field = "refusal" if say.outcome == "refusal" else "content"
        head += [chunk({field: piece}) for piece in words(text or "")]
        for number in range(len(say.tool_calls)):
            head += [chunk({"tool_calls": [delta]}) for delta in _call_deltas(say, number)]
        if self.flavour == "groq":
            state = {"x_groq": {"id": f"req_{seen.number}", "usage": self._usage(say)}}
        tail = [pause + chunk({}, _finish(say), state)]
        if with_usage:
            tail.append(sse({**base, "choices": [], "usage": self._usage(say)}))
        tail.append(DONE)
        return Wire(200, tuple(head), tuple(tail), SSE, self._headers(seen), stream=True)

    def _usage(self, say: Say) -> dict[str, Any]:
        usage: dict[str, Any] = {
            "prompt_tokens": say.input_tokens,
            "completion_tokens": say.output_tokens,
            "total_tokens": say.input_tokens + say.output_tokens,
        }
        details: dict[str, Any] = {"cached_tokens": say.cached_tokens}
        if self.flavour in {"openai", "openrouter"}:
            details["cache_write_tokens"] = 0
        if self.flavour != "local" or say.cached_tokens:
            usage["prompt_tokens_details"] = details
        if self.flavour != "local" or say.thinking_tokens:
            usage["completion_tokens_details"] = {"reasoning_tokens": say.thinking_tokens}
        if self.flavour == "groq":
            usage |= {"queue_time": 0.01, "prompt_time": 0.002, "completion_time": 0.02, "total_time": 0.022}
        if self.flavour == "openrouter":
            cost = say.cost or 0
            usage |= {"cost": cost, "cost_details": {"upstream_inference_cost": None}}
        return usage

    def _base(self, seen: Seen, kind: str) -> dict[str, Any]:
        base: dict[str, Any] = {
            "id": f"chatcmpl-{seen.number}",
            "object": kind,
            "created": CREATED,
            "model": seen.json.get("model"),
        }
        if self.flavour == "openai":
            base["service_tier"] = "default"
        if self.flavour == "openrouter":
            base["provider"] = "fake"
        return base

    def _error(self, refusal: Refuse) -> dict[str, Any]:
        details = obj(refusal.details)
        if self.flavour == "openrouter":
            code = refusal.code if isinstance(refusal.code, int) else refusal.status
            error: dict[str, Any] = {"code": code, "message": refusal.message}
            metadata = {name: value for name, value in details.items() if name != "param"}
            if metadata:
                error["metadata"] = metadata
            return {"error": error, "user_id": "user_fake"}
        kind = refusal.type or _error_type(refusal)
        error = {"message": refusal.message, "type": kind, "code": refusal.code}
        if self.flavour == "openai":
            error["param"] = None
        return {"error": error | {name: value for name, value in details.items() if value is not None}}

    def _headers(self, seen: Seen) -> dict[str, str]:
        if self.flavour == "openrouter":
            return {"X-Generation-Id": f"gen-{seen.number}"}
        headers = {"x-request-id": f"req_{seen.number}"}
        if self.flavour == "openai":
            headers |= {"openai-processing-ms": "7", "openai-version": "2020-10-01"}
        return headers

    def _json(self, value: object) -> Wire:
        return Wire(200, (encode(value),), content_type=JSON)

    def _model(self, name: str) -> dict[str, Any]:
        model: dict[str, Any] = {"id": name, "object": "model", "created": CREATED, "owned_by": "fake"}
        if name in SHUTDOWN_DATES and self.flavour == "openai":
            model["shutdown_date"] = SHUTDOWN_DATES[name]
        if self.flavour == "groq":
            model |= {"active": True, "context_window": 131072}
        if self.flavour == "openrouter":
            free = name.endswith(":free")
            prices = ("0", "0") if free else ("0.00000015", "0.0000006")
            model |= {"name": name, "context_length": 131072}
            model["pricing"] = {"prompt": prices[0], "completion": prices[1]}
        if self.flavour == "local":
            model["max_model_len"] = self.n_ctx
        return model

    def _key_refusal(self, seen: Seen) -> Refuse | None:
        given = seen.bearer
        if self.key is None or given == self.key:
            return None
        if given is None:
            return Refuse(401, "You didn't provide an API key. Send it as a Bearer token.")
        shown = given if self.echo_key else f"{given[:4]}{'*' * 8}{given[-4:]}"
        texts: dict[Flavour, str] = {
            "openai": f"Incorrect API key provided: {shown}. You can find your API key at "
            "https://platform.openai.com/account/api-keys.",
            "groq": "Invalid API Key",
            "openrouter": "User not found.",
            "local": "Invalid API Key",
        }
        text = texts[self.flavour]
        if self.echo_key and given not in text:
            text = f"{text} ({given})"
        return Refuse(401, text, code="invalid_api_key")

    def _model_refusal(self, seen: Seen) -> Refuse | None:
        model = seen.json.get("model")
        if self._any_model or model in self.models:
            return None
        if self.flavour == "openrouter":
            return Refuse(404, f"No endpoints found for {model}.")
        text = f"The model `{model}` does not exist or you do not have access to it."
        return Refuse(404, text, code="model_not_found")


def _failure(error: StreamError) -> Refuse:
    status = error.code if isinstance(error.code, int) else 502
    code = error.code if error.code is not None else "server_error"
    return Refuse(status, error.message, type=error.type or "server_error", code=code)


def _error_type(refusal: Refuse) -> str:
    if refusal.status == 429:
        return "insufficient_quota" if refusal.code == "insufficient_quota" else "requests"
    return "server_error" if refusal.status >= 500 else "invalid_request_error"


def _finish(say: Say) -> str:
    return FINISH.get(say.outcome, say.outcome)


def _call(say: Say, number: int) -> dict[str, Any]:
    call = say.tool_calls[number]
    function = {"name": call.name, "arguments": json.dumps(dict(call.arguments), ensure_ascii=False)}
    return {"id": call.id, "type": "function", "function": function}


def _call_deltas(say: Say, number: int) -> list[dict[str, Any]]:
    whole = _call(say, number)
    name, arguments = whole["function"]["name"], whole["function"]["arguments"]
    first = {"index": number, "id": whole["id"], "type": "function"}
    return [
        {**first, "function": {"name": name, "arguments": ""}},
        *({"index": number, "function": {"arguments": part}} for part in halves(arguments)),
    ]
