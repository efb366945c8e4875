"""A streamed chat completion, joined into the document that a call without streaming returns."""

from typing import Any

from clawswarm.providers.shape import child, children, text_of


class JoinedChunks:
    """Collects chunks; text, reasoning and tool-call fragments are joined, by index (provider-facts 3.1)."""

    def __init__(self) -> None:
        self.finish_reason: str | None = None
        self._model: str | None = None
        self._usage: dict[str, Any] | None = None
        self._texts: dict[str, list[str]] = {}
        self._calls: list[dict[str, Any]] = []
        self._places: dict[int, int] = {}

    def add(self, chunk: dict[str, Any]) -> None:
        self._model = self._model or chunk.get("model")
        self._usage = chunk.get("usage") or child(chunk, "x_groq").get("usage") or self._usage
        for choice in children(chunk, "choices"):
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
            delta = child(choice, "delta")
            for field in ("content", "reasoning", "reasoning_content", "refusal"):
                if text := text_of(delta, field):
                    self._texts.setdefault(field, []).append(text)
            for fragment in children(delta, "tool_calls"):
                self._add_call(fragment)

    def _add_call(self, fragment: dict[str, Any]) -> None:
        """Fragments belong together by index; some servers number every call 0, and tell them apart by id."""
        index, name = fragment.get("index") or 0, text_of(fragment, "id")
        known = self._places.get(index)
        if known is None or (name and self._calls[known]["id"] not in ("", name)):
            known = self._places[index] = len(self._calls)
            self._calls.append({"id": name, "function": {"name": "", "arguments": ""}})
        call, function = self._calls[known], child(fragment, "function")
        call["id"] = call["id"] or name
        call["function"]["name"] += text_of(function, "name")
        call["function"]["arguments"] += text_of(function, "arguments")

    def document(self) -> dict[str, Any]:
        """The whole completion so far."""
        message: dict[str, Any] = {field: "".join(parts) for field, parts in self._texts.items()}
        if self._calls:
            message["tool_calls"] = self._calls
        return {
            "model": self._model,
            "choices": [{"finish_reason": self.finish_reason, "message": message}],
            "usage": self._usage,
        }
