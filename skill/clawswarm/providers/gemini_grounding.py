"""Gemini's own web search: what it says about the pages it used (provider facts, section 2.2)."""

from typing import Any

from clawswarm.providers.shape import JsonDict, child, children, is_list, text_of
from clawswarm.types.result import FoundPage, Grounding, Support


def grounding(documents: list[JsonDict]) -> Grounding | None:
    """What a call, or the chunks of a stream, say about searches; None where nothing was searched.

    The addresses are Google's redirects, kept as they are. Indices of segments count bytes; the segment's own
    text is taken instead.
    """
    found: JsonDict = {}
    for document in documents:
        for candidate in children(document, "candidates")[:1]:
            found = child(candidate, "groundingMetadata") or found
    if not found:
        return None
    queries: Any = found.get("webSearchQueries")
    chunks = [child(chunk, "web") for chunk in children(found, "groundingChunks")]
    return Grounding(
        pages=tuple(FoundPage(url=text_of(web, "uri"), title=text_of(web, "title")) for web in chunks),
        supports=tuple(
            Support(text=text_of(child(support, "segment"), "text"), pages=_places(support, len(chunks)))
            for support in children(found, "groundingSupports")
        ),
        searches=len(queries) if is_list(queries) else 0,
    )


def _places(support: JsonDict, pages: int) -> tuple[int, ...]:
    indices: Any = support.get("groundingChunkIndices")
    if not is_list(indices):
        return ()
    return tuple(index for index in indices if isinstance(index, int) and 0 <= index < pages)
