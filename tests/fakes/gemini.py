"""A fake of Gemini's generateContent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from tests.fakes.behaviours import Refuse, Say, StreamError
from tests.fakes.common import JSON, answer_text, encode, last_user_text, obj, objects, sse, words
from tests.fakes.gemini_rules import ALIASES, MODELS, Thinking, camel, objection
from tests.fakes.gemini_search import Searching
from tests.fakes.server import FakeServer
from tests.fakes.wire import Seen, Wire

FINISH = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "refusal": "PROHIBITED_CONTENT",
}
STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    402: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
GOOGLE = "type.googleapis.com/google.rpc."

_CALL_PATH = re.compile(r"/(v1|v1beta)/models/([^/:]+):(generateContent|streamGenerateContent)")
_LIST_PATH = re.compile(r"/(v1|v1beta)/models")


def gemini_429(
    seconds: float = 46, per: Literal["minute", "day"] = "minute", model: str = "gemini-3.5-flash-lite"
) -> Refuse:
    """A used-up quota of the free tier; Gemini says in the body alone how long to wait."""
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
        "quotaId": f"GenerateRequestsPer{per.title()}PerProjectPerModel-FreeTier",
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": "15" if per == "minute" else "20",
    }
    link = {
        "description": "Learn more about quotas",
        "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
    }
    return Refuse(
        429,
        "You exceeded your current quota, please check your plan and billing details. "
        f"Please retry in {seconds:g}s.",
        retry_after=seconds,
        details=[
            {"@type": f"{GOOGLE}QuotaFailure", "violations": [violation]},
            {"@type": f"{GOOGLE}Help", "links": [link]},
        ],
    )


def gemini_overloaded() -> Refuse:
    """The 503 of a busy model."""
    return Refuse(
        503,
        "This model is currently experiencing high demand. Spikes in demand are usually temporary. "
        "Please try again later.",
    )


class FakeGemini(FakeServer):
    """Serves `v1` and `v1beta`; with `echo_key` a refused key is repeated in full.

    The first function call of an answer carries a `thoughtSignature` this server
    remembers; a later request holding that turn must send it back unchanged.

    Attributes:
        searching: what the model searches for, and finds, where a call gives it Google Search.
    """

    def __init__(
        self,
        *,
        key: str | None = "test-key",
        models: Mapping[str, Thinking] | None = None,
        echo_key: bool = False,
        latency: float = 0.0,
        slots: int | None = None,
    ) -> None:
        super().__init__(latency=latency, slots=slots)
        self.key = key
        self.models: dict[str, Thinking] = dict(MODELS if models is None else models)
        self.echo_key = echo_key
        self.tool_use_tokens = 0
        self.searching = Searching()
        self._signatures: set[str] = set()

    def is_call(self, seen: Seen) -> bool:
        return seen.method == "POST" and _CALL_PATH.fullmatch(seen.path) is not None

    def other(self, seen: Seen) -> Wire:
        if refusal := self._key_refusal(seen):
            return self.refuse(seen, refusal)
        if seen.method == "GET" and _LIST_PATH.fullmatch(seen.path):
            body = encode({"models": [_listed(name) for name in self.models]})
            return Wire(200, (body,), content_type=JSON)
        return self.refuse(seen, Refuse(404, "Requested entity was not found."))

    def check(self, seen: Seen) -> Wire | None:
        refusal = self._key_refusal(seen) or self._model_refusal(seen)
        if refusal is None:
            refusal = objection(self.models[_model(seen)], camel(seen.json))
        if refusal is not None:
            return self.refuse(seen, refusal)
        if self._signature_missing(seen):
            candidate = {"finishReason": "MISSING_THOUGHT_SIGNATURE", "index": 0}
            return self._wire_of(seen, [], self._chunk(seen, Say(output_tokens=0), candidate))
        return None

    def say(self, seen: Seen, say: Say) -> Wire:
        body = camel(seen.json)
        config = obj(body.get("generationConfig"))
        schema = config.get("responseJsonSchema") or config.get("responseSchema")
        as_json = config.get("responseMimeType") == JSON
        prompt = last_user_text(_as_messages(body))
        text = answer_text(say, prompt, obj(schema) if schema else None, as_json=as_json)
        thoughts: list[dict[str, Any]] = []
        if say.thinking is not None and obj(config.get("thinkingConfig")).get("includeThoughts"):
            thoughts = [{"text": piece, "thought": True} for piece in words(say.thinking)]
        texts = [{"text": piece} for piece in words(text or "")]
        calls = [self._call_part(seen, say, number) for number in range(len(say.tool_calls))]
        last: dict[str, Any] = {"finishReason": FINISH.get(say.outcome, say.outcome), "index": 0}
        if any("googleSearch" in tool for tool in objects(body.get("tools"))):
            last |= self.searching.metadata(prompt, text or "")
        if seen.path.endswith(":streamGenerateContent"):
            pieces = [self._chunk(seen, None, _candidate([part])) for part in thoughts + texts + calls]
            end: list[dict[str, Any]] = [{"text": ""}] if say.outcome in {"stop", "tool_calls"} else []
            return self._wire_of(seen, pieces, self._chunk(seen, say, {**_candidate(end), **last}))
        parts = [{"text": say.thinking, "thought": True}] if thoughts else []
        parts += [{"text": text}] if text or (text == "" and say.outcome == "stop") else []
        return self._wire_of(seen, [], self._chunk(seen, say, {**_candidate(parts + calls), **last}))

    def refuse(self, seen: Seen, refusal: Refuse) -> Wire:
        error = self._error(refusal)
        streaming = seen.path.endswith(":streamGenerateContent")
        body = [error] if streaming and not _wants_sse(seen) else error
        return Wire(refusal.status, (encode(body),), content_type=JSON, headers=refusal.headers)

    def blocked(self, seen: Seen, reason: str) -> Wire:
        chunk = self._chunk(seen, Say(output_tokens=0), None)
        return self._wire_of(seen, [], {"promptFeedback": {"blockReason": reason}, **chunk})

    def broken_stream(self, seen: Seen, error: StreamError) -> bytes:
        failure = Refuse(_status_of(error.type), error.message, type=error.type)
        body = self._error(failure)
        return sse(body, end="\r\n") if _wants_sse(seen) else b",\r\n" + encode(body) + b"]"

    def broken_answer(self, seen: Seen, error: StreamError) -> Wire:
        return self.refuse(seen, Refuse(_status_of(error.type), error.message, type=error.type))

    def _wire_of(self, seen: Seen, chunks: list[dict[str, Any]], last: dict[str, Any]) -> Wire:
        if not seen.path.endswith(":streamGenerateContent"):
            return Wire(200, (encode(last),), content_type=JSON)
        if _wants_sse(seen):
            head = tuple(sse(chunk, end="\r\n") for chunk in chunks)
            return Wire(200, head, (sse(last, end="\r\n"),), "text/event-stream", stream=True)
        members = [encode(chunk) for chunk in (*chunks, last)]
        pieces = [(b"," if place else b"[") + b"\r\n" * bool(place) + m for place, m in enumerate(members)]
        return Wire(200, tuple(pieces[:-1]), (pieces[-1] + b"]",), JSON, stream=True)

    def _chunk(self, seen: Seen, say: Say | None, candidate: dict[str, Any] | None) -> dict[str, Any]:
        """One response object; a chunk before the last counts the prompt only."""
        counted = say or Say(output_tokens=0)
        usage = {
            "promptTokenCount": counted.input_tokens,
            "cachedContentTokenCount": counted.cached_tokens,
            "candidatesTokenCount": counted.answer_tokens,
            "thoughtsTokenCount": counted.thinking_tokens,
            "toolUsePromptTokenCount": self.tool_use_tokens if say else 0,
        }
        total = counted.input_tokens + counted.output_tokens + usage["toolUsePromptTokenCount"]
        chunk: dict[str, Any] = {} if candidate is None else {"candidates": [candidate]}
        return {
            **chunk,
            "usageMetadata": {name: n for name, n in usage.items() if n} | {"totalTokenCount": total},
            "modelVersion": _model(seen),
            "responseId": f"response-{seen.number}",
        }

    def _call_part(self, seen: Seen, say: Say, number: int) -> dict[str, Any]:
        call = say.tool_calls[number]
        wanted = {"id": call.id, "name": call.name, "args": dict(call.arguments)}
        part: dict[str, Any] = {"functionCall": wanted}
        if number == 0:
            signature = f"c2lnbmF0dXJl{seen.number:04d}"
            self._signatures.add(signature)
            part["thoughtSignature"] = signature
        return part

    def _signature_missing(self, seen: Seen) -> bool:
        for content in objects(camel(seen.json).get("contents")):
            calls = [part for part in objects(content.get("parts")) if "functionCall" in part]
            if calls and calls[0].get("thoughtSignature") not in self._signatures:
                return True
        return False

    def _key_refusal(self, seen: Seen) -> Refuse | None:
        given = [seen.headers.get("x-goog-api-key"), seen.query.get("key"), seen.bearer]
        keys = [key for key in given if key]
        if len(keys) > 1:
            return Refuse(400, "Multiple authentication credentials received. Please pass only one.")
        if self.key is None or keys == [self.key]:
            return None
        if not keys:
            return Refuse(
                403,
                "Method doesn't allow unregistered callers (callers without established identity). "
                "Please use API Key or other form of API consumer identity to call this API.",
            )
        if seen.bearer:
            return Refuse(
                401,
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login "
                "cookie or other valid authentication credential.",
                code="ACCESS_TOKEN_TYPE_UNSUPPORTED",
            )
        text = "API key not valid. Please pass a valid API key."
        return Refuse(400, f"{text} ({keys[0]})" if self.echo_key else text, code="API_KEY_INVALID")

    def _model_refusal(self, seen: Seen) -> Refuse | None:
        if _model(seen) in self.models:
            return None
        match = _CALL_PATH.fullmatch(seen.path)
        version, name = (match[1], match[2]) if match else ("v1beta", "")
        return Refuse(
            404,
            f"models/{name} is not found for API version {version}, or is not supported for "
            "generateContent. Call ModelService.ListModels to see the list of available models and their "
            "supported methods.",
        )

    def _error(self, refusal: Refuse) -> dict[str, Any]:
        details = objects(refusal.details)
        if refusal.code is not None:
            info = {"reason": refusal.code, "domain": "googleapis.com"}
            details.append({"@type": f"{GOOGLE}ErrorInfo", **info})
        if refusal.retry_after is not None:
            delay = f"{refusal.retry_after:g}s"
            details.append({"@type": f"{GOOGLE}RetryInfo", "retryDelay": delay})
        status = refusal.type or STATUS.get(refusal.status, "UNKNOWN")
        error: dict[str, Any] = {"code": refusal.status, "message": refusal.message, "status": status}
        return {"error": error | ({"details": details} if details else {})}


def _wants_sse(seen: Seen) -> bool:
    return seen.query.get("alt") == "sse"


def _model(seen: Seen) -> str:
    match = _CALL_PATH.fullmatch(seen.path)
    name = match[2] if match else ""
    return ALIASES.get(name, name)


def _status_of(status: str | None) -> int:
    return next((code for code, name in STATUS.items() if name == status), 500)


def _as_messages(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"role": content.get("role", "user"), "content": content.get("parts")}
        for content in objects(body.get("contents"))
    ]


def _candidate(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"content": {"role": "model", "parts": parts}, "index": 0} if parts else {"index": 0}


def _listed(name: str) -> dict[str, Any]:
    return {
        "name": f"models/{name}",
        "displayName": name,
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        "thinking": True,
    }
