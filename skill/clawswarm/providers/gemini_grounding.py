"""Gemini's own web search: what it says about the pages it used (provider facts, section 2.2)."""

from typing import Any

from clawswarm.providers.shape import JsonDict, child, children, is_list, is_object, text_of
from clawswarm.types.result import FoundPage, Grounding, Support


def grounding(documents: list[JsonDict]) -> Grounding | None:
    """What a call, or the chunks of a stream, say about searches; None where nothing was searched.

    The addresses are Google's redirects, kept as they are. Indices of segments count bytes; the segment's own
    text is taken instead.
    """
    found: JsonDict = {}
    for document in documents:
        for candidate in children(document, "candidates")[:1]:
            found = found | child(candidate, "groundingMetadata")  # a stream may tell of it in pieces
    if not found:
        return None
    queries: Any = found.get("webSearchQueries")
    pages, places = _pages(found.get("groundingChunks"))
    return Grounding(
        pages=pages,
        supports=tuple(
            Support(text=text_of(child(support, "segment"), "text"), pages=_named(support, places))
            for support in children(found, "groundingSupports")
        ),
        searches=len(queries) if is_list(queries) else 0,
    )


def _pages(chunks: Any) -> tuple[tuple[FoundPage, ...], dict[int, int]]:
    """The pages that have an address, and the place of each by its place in `chunks`."""
    pages: list[FoundPage] = []
    places: dict[int, int] = {}
    for place, chunk in enumerate(chunks if is_list(chunks) else []):
        web = child(chunk, "web") if is_object(chunk) else {}
        if url := text_of(web, "uri"):
            places[place] = len(pages)
            pages.append(FoundPage(url=url, title=text_of(web, "title")))
    return tuple(pages), places


def _named(support: JsonDict, places: dict[int, int]) -> tuple[int, ...]:
    indices: Any = support.get("groundingChunkIndices")
    found: list[Any] = indices if is_list(indices) else []
    return tuple(places[index] for index in found if type(index) is int and index in places)
