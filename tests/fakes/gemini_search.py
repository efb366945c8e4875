"""What Gemini says about the searches that it made for an answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

REDIRECT = "https://vertexaisearch.cloud.google.com/grounding-api-redirect/"

_SENTENCES = re.compile(r"[^.!?。]+[.!?。]?")


@dataclass
class Searching:
    """How a model with Google Search behaves.

    Attributes:
        queries: what it searches for; None: once, for the prompt. Empty: it answers without a search.
        found: address and title of each page that it uses.
    """

    queries: tuple[str, ...] | None = None
    found: tuple[tuple[str, str], ...] = ((f"{REDIRECT}abc", "example.org"),)

    def metadata(self, prompt: str, text: str) -> dict[str, Any]:
        """What the candidate carries beside its content: nothing, where nothing was searched.

        Sentence by sentence the answer rests on one page after the other. Places in it count bytes; a zero
        is left out, as everywhere in Google's JSON.
        """
        queries = [prompt] if self.queries is None else list(self.queries)
        if not queries:
            return {}
        supports: list[dict[str, Any]] = []
        for number, sentence in enumerate(_SENTENCES.finditer(text) if self.found else ()):
            start = len(text[: sentence.start()].encode())
            segment = {"endIndex": len(text[: sentence.end()].encode()), "text": sentence[0]}
            if start:
                segment["startIndex"] = start
            place = number % len(self.found)
            supports.append({"segment": segment, "groundingChunkIndices": [place], "confidenceScores": [0.9]})
        chunks = [{"web": {"uri": uri, "title": title}} for uri, title in self.found]
        found = {
            "webSearchQueries": queries,
            "groundingChunks": chunks,
            "groundingSupports": supports,
            "searchEntryPoint": {"renderedContent": "<html></html>"},
        }
        return {"groundingMetadata": {name: value for name, value in found.items() if value}}
