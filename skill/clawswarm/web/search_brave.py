"""Brave's web search. Needs a key; answers at BRAVE_BASE_URL, else at its public address."""

import httpx2

from clawswarm.clock import Clock
from clawswarm.config.model import SearchName
from clawswarm.providers.http import Http
from clawswarm.providers.shape import child
from clawswarm.web.search import Hit, SearchCalls, hits_of

PUBLIC = "https://api.search.brave.com"
MOST_RESULTS = 20
LONGEST_QUERY = 400
MOST_WORDS = 50
_HINT = "check BRAVE_API_KEY and its plan at api-dashboard.search.brave.com, or set research.search"


class Brave:
    """One key at Brave."""

    name: SearchName = "brave"

    def __init__(self, *, http: Http, clock: Clock, base_url: str, key: str) -> None:
        self._calls = SearchCalls(self.name, http, clock, _HINT, secrets=(key,))
        self._url = httpx2.URL(f"{base_url.rstrip('/')}/res/v1/web/search")
        self._headers = httpx2.Headers(
            {"accept": "application/json", "user-agent": "clawswarm", "x-subscription-token": key}
        )

    async def search(self, query: str, *, limit: int) -> list[Hit]:
        words = " ".join(query.split()[:MOST_WORDS])[:LONGEST_QUERY]
        count = str(min(limit, MOST_RESULTS))
        url = self._url.copy_with(params={"q": words, "count": count, "text_decorations": "false"})
        return hits_of(child(await self._calls.get(url, self._headers), "web"), "description", limit)
