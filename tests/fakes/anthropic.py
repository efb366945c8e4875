"""A fake of Anthropic's Messages API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.fakes.anthropic_rules import MODELS, OLD_VERSION, VERSION, ModelRules, objection, thinking_is_on
from tests.fakes.behaviours import Refuse, Say, StreamError
from tests.fakes.common import (
    JSON,
    SSE,
    answer_text,
    encode,
    halves,
    last_user_text,
    obj,
    objects,
    sse,
    words,
)
from tests.fakes.server import FakeServer
from tests.fakes.wire import Seen, Wire

FINISH = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def anthropic_429(retry_after: float | None = 30, kind: str = "requests") -> Refuse:
    """A rate limit, with the headers that say which."""
    limit = f"anthropic-ratelimit-{kind}"
    headers = {f"{limit}-limit": "50", f"{limit}-remaining": "0", f"{limit}-reset": "2026-11-20T10:00:30Z"}
    text = f"This request would exceed your organization's rate limit of 50 {kind} per minute."
    return Refuse(429, text, headers=headers, retry_after=retry_after)


def anthropic_overloaded() -> Refuse:
    return Refuse(529, "Overloaded")


class FakeAnthropic(FakeServer):
    """Takes the key as Bearer or x-api-key; with `echo_key` a refused one is repeated in full.

    `Say.finish` "pause_turn", "stop_sequence" or "model_context_window_exceeded" passes as it is.
    """

    def __init__(
        self,
        *,
        key: str | None = "test-key",
        models: Mapping[str, ModelRules] | None = None,
        echo_key: bool = False,
        latency: float = 0.0,
        slots: int | None = None,
    ) -> None:
        super().__init__(latency=latency, slots=slots)
        self.key = key
        self.models = dict(MODELS if models is None else models)
        self.echo_key = echo_key
        self._signatures: set[str] = set()

    def is_call(self, seen: Seen) -> bool:
        return seen.method == "POST" and seen.path == "/v1/messages"

    def other(self, seen: Seen) -> Wire:
        if refusal := self._header_refusal(seen):
            return self.refuse(seen, refusal)
        if seen.method == "POST" and seen.path == "/v1/messages/count_tokens":
            return self._json(seen, {"input_tokens": len(str(seen.json.get("messages")).split())})
        if seen.method == "GET" and seen.path == "/v1/models":
            data = [{"type": "model", "id": name, "display_name": name} for name in self.models]
            data = [{**model, "created_at": "2026-10-07T00:00:00Z"} for model in data]
            ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {}
            return self._json(seen, {"data": data, "has_more": False, **ends})
        return self.refuse(seen, Refuse(404, "Not found"))

    def check(self, seen: Seen) -> Wire | None:
        refusal = self._header_refusal(seen) or self._body_refusal(seen)
        return None if refusal is None else self.refuse(seen, refusal)

    def say(self, seen: Seen, say: Say) -> Wire:
        blocks = self._blocks(seen, say)
        stop = FINISH.get(say.outcome, say.outcome)
        details = _refusal_details("The model declined to answer.") if stop == "refusal" else None
        return self._answer(seen, say, blocks, stop, details)

    def refuse(self, seen: Seen, refusal: Refuse) -> Wire:
        headers = {**self._headers(seen), **refusal.headers}
        if refusal.retry_after is not None:
            headers["retry-after"] = f"{refusal.retry_after:g}"
        error: dict[str, Any] = {"type": refusal.type or _type_of(refusal.status), "message": refusal.message}
        details = obj(refusal.details)
        if refusal.code is not None:
            details = {"error_code": refusal.code, **details}
        if details:
            error["details"] = details
        body = {"type": "error", "error": error, "request_id": self._request_id(seen)}
        return Wire(refusal.status, (encode(body),), content_type=JSON, headers=headers)

    def blocked(self, seen: Seen, reason: str) -> Wire:
        return self._answer(seen, Say(output_tokens=0), [], "refusal", _refusal_details(reason))

    def broken_stream(self, seen: Seen, error: StreamError) -> bytes:
        told = {"type": error.type or "overloaded_error", "message": error.message}
        body = {"type": "error", "error": told, "request_id": self._request_id(seen)}
        return sse(body, event="error")

    def broken_answer(self, seen: Seen, error: StreamError) -> Wire:
        kind = error.type or "overloaded_error"
        status = next((code for code, name in TYPES.items() if name == kind), 500)
        return self.refuse(seen, Refuse(status, error.message, type=kind))

    def _blocks(self, seen: Seen, say: Say) -> list[dict[str, Any]]:
        body = seen.json
        schema = obj(obj(obj(body.get("output_config")).get("format")).get("schema"))
        text = answer_text(say, last_user_text(body.get("messages")), schema or None)
        blocks: list[dict[str, Any]] = []
        if thinking_is_on(self.models[str(body.get("model"))], body):
            signature = f"sig-{seen.number}"
            self._signatures.add(signature)
            blocks.append({"type": "thinking", "thinking": say.thinking or "", "signature": signature})
        if text:
            blocks.append({"type": "text", "text": text})
        blocks += [
            {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)}
            for call in say.tool_calls
        ]
        return blocks

    def _answer(
        self,
        seen: Seen,
        say: Say,
        blocks: list[dict[str, Any]],
        stop: str,
        details: Mapping[str, Any] | None,
    ) -> Wire:
        message: dict[str, Any] = {
            "id": f"msg_{seen.number}",
            "type": "message",
            "role": "assistant",
            "model": seen.json.get("model"),
            "content": blocks,
            "stop_reason": stop,
            "stop_sequence": None,
            "stop_details": details,
            "usage": _usage(say),
        }
        if not seen.json.get("stream"):
            return self._json(seen, message)
        started = {**_usage(say), "output_tokens": 1, "output_tokens_details": {"thinking_tokens": 0}}
        opening: dict[str, Any] = {
            **message,
            "content": [],
            "stop_reason": None,
            "stop_details": None,
            "usage": started,
        }
        head = [_event("message_start", message=opening)]
        for index, block in enumerate(blocks):
            head += _block_events(index, block)
            if index == 0:
                head.insert(2, _event("ping"))
        delta = {"stop_reason": stop, "stop_sequence": None, "stop_details": details}
        tail = (_event("message_delta", delta=delta, usage=_usage(say)), _event("message_stop"))
        return Wire(200, tuple(head), tail, SSE, self._headers(seen), stream=True)

    def _header_refusal(self, seen: Seen) -> Refuse | None:
        given = seen.headers.get("x-api-key") or seen.bearer
        if self.key is not None and given != self.key:
            if not given:
                return Refuse(401, "x-api-key header or bearer token is required")
            text = "invalid bearer token" if seen.bearer else "invalid x-api-key"
            return Refuse(401, f"{text} ({given})" if self.echo_key else text)
        version = seen.headers.get("anthropic-version")
        if version is None:
            return Refuse(400, "anthropic-version: header is required")
        if version not in {VERSION, OLD_VERSION}:
            return Refuse(400, f'anthropic-version: "{version}" is not a valid version')
        return None

    def _body_refusal(self, seen: Seen) -> Refuse | None:
        body = seen.json
        if not body:
            return Refuse(400, "The request body is not valid JSON")
        model = body.get("model")
        if not model:
            return Refuse(400, "model: Field required")
        if model not in self.models:
            return Refuse(404, f"model: {model}")
        for message in objects(body.get("messages")):
            for block in objects(message.get("content")):
                if block.get("type") == "thinking" and block.get("signature") not in self._signatures:
                    return Refuse(400, "messages: Invalid `signature` in `thinking` block")
        return objection(self.models[str(model)], seen.headers["anthropic-version"], body)

    def _request_id(self, seen: Seen) -> str:
        return f"req_{seen.number:06d}"

    def _headers(self, seen: Seen) -> dict[str, str]:
        return {"request-id": self._request_id(seen)}

    def _json(self, seen: Seen, value: object) -> Wire:
        return Wire(200, (encode(value),), content_type=JSON, headers=self._headers(seen))


def _type_of(status: int) -> str:
    return TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")


def _refusal_details(explanation: str) -> dict[str, Any]:
    return {"type": "refusal", "category": None, "explanation": explanation}


def _usage(say: Say) -> dict[str, Any]:
    return {
        "input_tokens": say.uncached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": say.cached_tokens,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": say.output_tokens,
        "output_tokens_details": {"thinking_tokens": say.thinking_tokens},
        "service_tier": "standard",
    }


def _event(name: str, **fields: object) -> bytes:
    return sse({"type": name, **fields}, event=name)


def _block_events(index: int, block: Mapping[str, Any]) -> list[bytes]:
    """The events of one content block: it starts empty and grows by deltas."""
    empty: dict[str, Any]
    match block["type"]:
        case "thinking":
            empty = {"type": "thinking", "thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in words(block["thinking"])]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        case "tool_use":
            empty = {**block, "input": {}}
            parts = halves(json.dumps(block["input"], ensure_ascii=False))
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in ("", *parts)]
        case _:
            empty = {"type": "text", "text": ""}
            deltas = [{"type": "text_delta", "text": piece} for piece in words(block["text"])]
    return [
        _event("content_block_start", index=index, content_block=empty),
        *(_event("content_block_delta", index=index, delta=delta) for delta in deltas),
        _event("content_block_stop", index=index),
    ]
