"""A fake of Ollama's own API."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from tests.fakes.behaviours import Refuse, Say, StreamError
from tests.fakes.common import JSON, NDJSON, answer_text, encode, last_user_text, obj, objects, words
from tests.fakes.ollama_models import MODELS, ModelInfo, full_name
from tests.fakes.ollama_rules import objection
from tests.fakes.server import FakeServer
from tests.fakes.wire import Seen, Wire

FINISH = {"tool_calls": "stop", "content_filter": "stop", "refusal": "stop"}
CREATED = "2026-11-20T10:00:00.1Z"
VERSION = "0.33.0"


def ollama_busy() -> Refuse:
    """The full pending-load queue, with the two spaces of the original."""
    return Refuse(503, "server busy, please try again.  maximum pending requests exceeded")


class FakeOllama(FakeServer):
    """One Ollama server. A prompt token is a whitespace-separated word.

    Each loaded model has `num_parallel` slots (one for the families Ollama forces
    to one; cloud models have no limit) before which calls wait in order without
    bound. `Say.input_tokens` is not used: the prompt is counted. A call that needs
    a (re)load takes `load_seconds`, one load at a time, and is refused when
    `max_queue` calls already wait for theirs. With `cuts` it is an older server,
    which cuts a prompt that does not fit whatever `truncate` says.
    """

    def __init__(
        self,
        num_parallel: int = 1,
        num_ctx_default: int = 4096,
        models: Mapping[str, ModelInfo] | None = None,
        *,
        key: str | None = None,
        max_queue: int = 512,
        load_seconds: float = 0.0,
        cuts: bool = False,
        latency: float = 0.0,
    ) -> None:
        super().__init__(latency=latency, slots=num_parallel)
        self.num_ctx_default = num_ctx_default
        self.models = dict(MODELS if models is None else models)
        self.key = key
        self.max_queue = max_queue
        self.load_seconds = load_seconds
        self.cuts = cuts
        self.loaded: dict[str, int] = {}
        self.loads = 0
        self.reloads = 0
        self.keep_alive: dict[str, Any] = {}
        self._pending = 0
        self._loading = asyncio.Semaphore(1)

    def is_call(self, seen: Seen) -> bool:
        """A chat with messages; without them it only loads or unloads a model."""
        if seen.method != "POST" or seen.path != "/api/chat":
            return False
        return not seen.json or bool(seen.json.get("messages"))

    def other(self, seen: Seen) -> Wire:
        match seen.method, seen.path:
            case (("GET" | "HEAD"), "/"):
                return Wire(200, (b"Ollama is running",), content_type="text/plain; charset=utf-8")
            case "GET", "/api/version":
                return self._json({"version": VERSION})
            case "GET", "/api/status":
                return self._json({"cloud": {"disabled": False, "source": "default"}})
            case "GET", "/api/tags":
                return self._json({"models": [info.tag(name) for name, info in self.models.items()]})
            case "GET", "/api/ps":
                return self._json({"models": [self._running(name) for name in self.loaded]})
            case "POST", "/api/show":
                name = self._name(seen)
                if refusal := self._name_refusal(seen):
                    return self.refuse(seen, refusal)
                return self._json(self.models[name].show(name))
            case "POST", "/api/chat":
                return self.check(seen) or self._preload(seen)
            case _:
                return Wire(404, (b"404 page not found",), content_type="text/plain")

    def check(self, seen: Seen) -> Wire | None:
        if self.key is not None and seen.bearer != self.key:
            details = {"signin_url": "https://ollama.com/connect"}
            return self.refuse(seen, Refuse(401, "unauthorized", details=details))
        refusal = self._name_refusal(seen)
        if refusal is None:
            name = self._name(seen)
            refusal = objection(name, self.models[name], seen.json)
        uncut = refusal is None and seen.json.get("truncate") is False and not self.cuts
        if uncut and self._prompt_tokens(seen) > self._num_ctx(seen):
            refusal = Refuse(400, "the input length exceeds the context length")
        return None if refusal is None else self.refuse(seen, refusal)

    async def prepare(self, seen: Seen) -> Wire | None:
        """Load the model, where it is not loaded with this context already."""
        name, num_ctx = self._name(seen), self._num_ctx(seen)
        if "keep_alive" in seen.json:
            self.keep_alive[name] = seen.json["keep_alive"]
        if self.models[name].cloud or self.loaded.get(name) == num_ctx:
            return None
        if self._pending >= self.max_queue:
            return self.refuse(seen, ollama_busy())
        self._pending += 1
        try:
            async with self._loading:
                if self.loaded.get(name) != num_ctx:
                    await asyncio.sleep(self.load_seconds)
                    self._load(name, num_ctx)
        finally:
            self._pending -= 1
        return None

    def lane(self, seen: Seen) -> str:
        return self._name(seen)

    def slots_of(self, lane: str) -> int | None:
        info = self.models[lane]
        if info.cloud:
            return None
        return 1 if info.forced_single else self.slots

    def say(self, seen: Seen, say: Say) -> Wire:
        body = seen.json
        name = self._name(seen)
        info = self.models[name]
        form = None if info.cloud else body.get("format")
        prompt = last_user_text(body.get("messages"))
        text = answer_text(say, prompt, obj(form) or None, as_json=form == "json") or ""
        thinking = self._thinking(info, body.get("think"), say)
        calls = _tool_calls(say) if body.get("tools") else []
        if body.get("keep_alive") == 0:
            self.loaded.pop(name, None)
        final = {"done": True, "done_reason": FINISH.get(say.outcome, say.outcome), **self._counts(seen, say)}
        if body.get("stream") is False:
            message: dict[str, Any] = {"role": "assistant", "content": text}
            if thinking:
                message["thinking"] = thinking
            if calls:
                message["tool_calls"] = calls
            return self._json({**self._base(seen), "message": message, **final})
        head = [self._line(seen, "", {"thinking": piece}) for piece in words(thinking)]
        head += [self._line(seen, piece) for piece in words(text)]
        head += [self._line(seen, "", {"tool_calls": [call]}) for call in calls]
        tail = self._line(seen, "", final=final)
        return Wire(200, tuple(head), (tail,), NDJSON, stream=True)

    def refuse(self, seen: Seen, refusal: Refuse) -> Wire:
        headers = dict(refusal.headers)
        if refusal.retry_after is not None:
            headers["Retry-After"] = f"{refusal.retry_after:g}"
        body = encode({"error": refusal.message, **obj(refusal.details)})
        return Wire(refusal.status, (body,), content_type=JSON, headers=headers)

    def blocked(self, seen: Seen, reason: str) -> Wire:
        """Ollama filters nothing; the nearest it has is an empty answer."""
        return self.say(seen, Say(text="", output_tokens=0))

    def broken_stream(self, seen: Seen, error: StreamError) -> bytes:
        return encode({"error": error.message}) + b"\n"

    def _name(self, seen: Seen) -> str:
        return full_name(str(seen.json.get("model") or seen.json.get("name") or ""))

    def _name_refusal(self, seen: Seen) -> Refuse | None:
        if seen.body is None:
            return Refuse(400, "missing request body")
        given = seen.json.get("model") or seen.json.get("name")
        if not given:
            return Refuse(400, "model is required")
        if self._name(seen) not in self.models:
            return Refuse(404, f"model '{given}' not found")
        return None

    def _num_ctx(self, seen: Seen) -> int:
        wanted = obj(seen.json.get("options")).get("num_ctx", self.num_ctx_default)
        return min(int(wanted), self.models[self._name(seen)].context_length)

    def _prompt_tokens(self, seen: Seen) -> int:
        return sum(len(str(m.get("content") or "").split()) for m in objects(seen.json.get("messages")))

    def _load(self, name: str, num_ctx: int) -> None:
        self.loads += 1
        self.reloads += name in self.loaded
        self.loaded[name] = num_ctx

    def _preload(self, seen: Seen) -> Wire:
        name, num_ctx = self._name(seen), self._num_ctx(seen)
        keep = seen.json.get("keep_alive")
        if keep is not None:
            self.keep_alive[name] = keep
        if keep == 0:
            self.loaded.pop(name, None)
        elif self.loaded.get(name) != num_ctx:
            self._load(name, num_ctx)
        message = {"role": "assistant", "content": ""}
        reason = "unload" if keep == 0 else "load"
        return self._json({**self._base(seen), "message": message, "done": True, "done_reason": reason})

    def _thinking(self, info: ModelInfo, think: object, say: Say) -> str:
        silent = think is False and not info.levels_only
        if not info.thinks or silent:
            return ""
        return "(thinking)" if say.thinking is None else say.thinking

    def _counts(self, seen: Seen, say: Say) -> dict[str, int]:
        prompt = min(self._prompt_tokens(seen), self._num_ctx(seen))
        counts = {
            "total_duration": 5_191_566_416,
            "load_duration": 2_154_458,
            "prompt_eval_count": prompt,
            "prompt_eval_duration": 383_809_000 if prompt else 0,
            "eval_count": say.output_tokens,
            "eval_duration": 16_107_000 * say.output_tokens,
        }
        return {name: count for name, count in counts.items() if count}

    def _base(self, seen: Seen) -> dict[str, Any]:
        given = str(seen.json.get("model"))
        name = self._name(seen)
        return {"model": given, "created_at": CREATED, **self.models[name].remote(name)}

    def _line(
        self,
        seen: Seen,
        text: str,
        more: Mapping[str, Any] | None = None,
        final: Mapping[str, Any] | None = None,
    ) -> bytes:
        message = {"role": "assistant", "content": text, **(more or {})}
        return encode({**self._base(seen), "message": message, **(final or {"done": False})}) + b"\n"

    def _running(self, name: str) -> dict[str, Any]:
        info = self.models[name]
        slots = self.slots_of(name) or 1
        size = info.size + info.kv_bytes(self.loaded[name] * slots)
        tag = info.tag(name)
        return {
            **{field: tag[field] for field in ("name", "model", "digest", "details")},
            "size": size,
            "size_vram": size,
            "expires_at": "2026-11-20T10:05:00.000000000Z",
            "context_length": self.loaded[name],
        }

    def _json(self, value: object) -> Wire:
        return Wire(200, (encode(value),), content_type="application/json; charset=utf-8")


def _tool_calls(say: Say) -> list[dict[str, Any]]:
    return [
        {"id": call.id, "function": {"index": n, "name": call.name, "arguments": dict(call.arguments)}}
        for n, call in enumerate(say.tool_calls)
    ]
