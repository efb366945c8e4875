"""Ollama's web search. Needs a key of ollama.com; OLLAMA_SEARCH_BASE_URL names another address."""

import httpx2

from clawswarm.clock import Clock
from clawswarm.config.model import SearchName
from clawswarm.providers.http import Http
from clawswarm.web.search import Hit, SearchCalls, hits_of

PUBLIC = "https://ollama.com"
MOST_RESULTS = 10
_HINT = "check OLLAMA_API_KEY: make one at ollama.com/settings/keys, or set research.search"


class OllamaSearch:
    """One key at ollama.com; models on this machine need none, their search does."""

    name: SearchName = "ollama"

    def __init__(self, *, http: Http, clock: Clock, base_url: str, key: str) -> None:
        self._calls = SearchCalls(self.name, http, clock, _HINT, secrets=(key,))
        self._url = httpx2.URL(f"{base_url.rstrip('/')}/api/web_search")
        self._headers = httpx2.Headers(
            {"content-type": "application/json", "user-agent": "clawswarm", "authorization": f"Bearer {key}"}
        )

    async def search(self, query: str, *, limit: int) -> list[Hit]:
        body = {"query": query, "max_results": min(limit, MOST_RESULTS)}
        return hits_of(await self._calls.post(self._url, self._headers, body), "content", limit)
