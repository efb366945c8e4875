"""Search by the user's own SearXNG. JSON has to be among the formats that its settings allow."""

import base64

import httpx2

from clawswarm.clock import Clock
from clawswarm.config.model import SearchName
from clawswarm.providers.http import Http
from clawswarm.web.search import Hit, SearchCalls, hits_of

_HINT = (
    "check research.searxng_url; 403 means that JSON is off: add json to search.formats in SearXNG's "
    "settings.yml"
)


class SearXNG:
    """One instance. A login in its address is sent as one."""

    name: SearchName = "searxng"

    def __init__(self, *, http: Http, clock: Clock, base_url: str) -> None:
        address = httpx2.URL(base_url if "://" in base_url else f"http://{base_url}")
        headers = {"accept": "application/json", "user-agent": "clawswarm"}
        if address.userinfo:
            login = base64.b64encode(f"{address.username}:{address.password}".encode()).decode()
            headers["authorization"] = f"Basic {login}"
        path = f"{address.path.rstrip('/').removesuffix('/search')}/search"
        self._url = address.copy_with(userinfo=b"", path=path)
        self._headers = httpx2.Headers(headers)
        self._calls = SearchCalls(self.name, http, clock, _HINT, secrets=(address.password,))

    async def search(self, query: str, *, limit: int) -> list[Hit]:
        url = self._url.copy_with(params={"q": query, "format": "json"})
        return hits_of(await self._calls.get(url, self._headers), "content", limit)
