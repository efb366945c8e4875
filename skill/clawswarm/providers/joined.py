"""A streamed chat completion, joined into the document that a call without streaming returns."""

from typing import Any

from clawswarm.providers.shape import child, children


class JoinedChunks:
    """Collects chunks; text, reasoning and tool-call fragments are joined, by index (provider-facts 3.1)."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self._model: str | None = None
        self._usage: dict[str, Any] | None = None
        self._texts: dict[str, list[str]] = {}
        self._calls: dict[int, dict[str, Any]] = {}

    def add(self, chunk: dict[str, Any]) -> None:
        self._model = self._model or chunk.get("model")
        self._usage = chunk.get("usage") or child(chunk, "x_groq").get("usage") or self._usage
        for choice in children(chunk, "choices"):
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
            delta = child(choice, "delta")
            for field in ("content", "reasoning", "reasoning_content", "refusal"):
                if text := delta.get(field):
                    self._texts.setdefault(field, []).append(text)
            for fragment in children(delta, "tool_calls"):
                self._add_call(fragment)

    def _add_call(self, fragment: dict[str, Any]) -> None:
        call = self._calls.setdefault(
            int(fragment.get("index") or 0), {"id": None, "function": {"name": "", "arguments": ""}}
        )
        function = child(fragment, "function")
        call["id"] = fragment.get("id") or call["id"]
        call["function"]["name"] += function.get("name") or ""
        call["function"]["arguments"] += function.get("arguments") or ""

    def document(self) -> dict[str, Any]:
        """The whole completion so far."""
        message: dict[str, Any] = {field: "".join(parts) for field, parts in self._texts.items()}
        if self._calls:
            message["tool_calls"] = [self._calls[index] for index in sorted(self._calls)]
        return {
            "model": self._model,
            "choices": [{"finish_reason": self.finish_reason, "message": message}],
            "usage": self._usage,
        }
