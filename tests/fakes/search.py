"""Search services on loopback, each as strict as the real one: Brave, Ollama's web search, SearXNG.

    async with FakeBrave() as search:
        search.answers["ferry"] = [Result("Ferries", site.url("/a"), "A ferry was built.")]
        search.enqueue(Refuse(429, "slow down", retry_after=2))   # the next request; then as before
        environ = search.environ                                  # its key and its address

The scripting is that of every fake server: `Refuse`, `Raw`, `Hang`, `Held`, `Cut` and `Drip` of a `Say()`.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from tests.fakes.behaviours import Refuse, Say, StreamError
from tests.fakes.common import encode, obj
from tests.fakes.server import FakeServer
from tests.fakes.wire import Seen, Wire

KEY = "search-key-0123456789abcdef"


@dataclass(frozen=True, slots=True)
class Result:
    """One page that a service finds."""

    title: str
    url: str
    snippet: str = ""


class FakeSearch(FakeServer):
    """A service that finds what it was told to.

    Attributes:
        answers: results by a part of the query, in any case; the first that matches. "" matches every query.
        queries: what was asked for, refused requests left out, in order.
        limits: how many results each of these queries asked for; None where it did not say.
    """

    path = ""
    method = "GET"

    def __init__(self, *, key: str | None = KEY, latency: float = 0.0, slots: int | None = None) -> None:
        super().__init__(latency=latency, slots=slots)
        self.key = key
        self.answers: dict[str, Sequence[Result]] = {}
        self.queries: list[str] = []
        self.limits: list[int | None] = []

    # What a service defines.

    def query_of(self, seen: Seen) -> str:
        return seen.query.get("q", "")

    def limit_of(self, seen: Seen) -> int | None:
        """How many results are wanted."""
        return None

    def objection(self, seen: Seen) -> Wire | None:
        """What the service has against a request for the right path."""
        raise NotImplementedError

    def document(self, query: str, results: Sequence[Result]) -> object:
        """The whole answer."""
        raise NotImplementedError

    @property
    def environ(self) -> dict[str, str]:
        """Variables that name the service's key and address to Swarm."""
        return {}

    # What every fake server defines.

    def is_call(self, seen: Seen) -> bool:
        return seen.path == self.path

    def other(self, seen: Seen) -> Wire:
        return Wire(404, (b"<html><h1>Not Found</h1></html>",), content_type="text/html")

    def check(self, seen: Seen) -> Wire | None:
        if seen.method != self.method:
            return self.refuse(seen, Refuse(405, f"method {seen.method} is not allowed"))
        return self.objection(seen)

    def say(self, seen: Seen, say: Say) -> Wire:
        query, limit = self.query_of(seen), self.limit_of(seen)
        self.queries.append(query)
        self.limits.append(limit)
        found: Sequence[Result] = next(
            (results for part, results in self.answers.items() if part.lower() in query.lower()), ()
        )
        return Wire(200, (encode(self.document(query, found[:limit])),))

    def blocked(self, seen: Seen, reason: str) -> Wire:
        return self.refuse(seen, Refuse(403, reason))

    def broken_stream(self, seen: Seen, error: StreamError) -> bytes:
        raise TypeError("a search service streams nothing")

    def _wire_of(self, refusal: Refuse, document: object) -> Wire:
        headers = dict(refusal.headers)
        if refusal.retry_after is not None:
            headers["Retry-After"] = f"{refusal.retry_after:g}"
        return Wire(refusal.status, (encode(document),), headers=headers)


class FakeBrave(FakeSearch):
    """Brave's web search. A key that it does not know is a 422, as is anything it cannot use."""

    path = "/res/v1/web/search"

    _CODES = {  # noqa: RUF012
        401: "UNAUTHORIZED",
        402: "PAYMENT_REQUIRED",
        403: "RESOURCE_NOT_ALLOWED",
        422: "VALIDATION",
        429: "RATE_LIMITED",
        500: "INTERNAL",
    }

    @property
    def environ(self) -> dict[str, str]:
        return {"BRAVE_API_KEY": self.key or "", "BRAVE_BASE_URL": self.url}

    def limit_of(self, seen: Seen) -> int | None:
        return int(seen.query.get("count", "20"))

    def objection(self, seen: Seen) -> Wire | None:
        key = seen.headers.get("X-Subscription-Token")
        query, count = self.query_of(seen), seen.query.get("count", "20")
        if key is None or (self.key is not None and key != self.key):
            words = "The provided subscription token is invalid."
            return self.refuse(seen, Refuse(422, words, code="SUBSCRIPTION_TOKEN_INVALID"))
        usable = 0 < len(query) <= 400 and len(query.split()) <= 50
        if not usable or not count.isdigit() or not 1 <= int(count) <= 20:
            return self.refuse(seen, Refuse(422, "Unable to validate request parameter(s)"))
        return None

    def document(self, query: str, results: Sequence[Result]) -> object:
        found = [
            {"title": result.title, "url": result.url, "description": result.snippet, "type": "search_result"}
            for result in results
        ]
        whole: dict[str, object] = {"type": "search", "query": {"original": query}}
        # Without results there is no "web" at all.
        return {**whole, "web": {"type": "search", "results": found}} if found else whole

    def refuse(self, seen: Seen, refusal: Refuse) -> Wire:
        error = {
            "id": "0b5b0c3e",
            "status": refusal.status,
            "code": refusal.code or self._CODES.get(refusal.status, "ERROR"),
            "detail": refusal.message,
            "meta": obj(refusal.details),
        }
        return self._wire_of(refusal, {"type": "ErrorResponse", "error": error, "time": 1_768_392_000})


class FakeOllamaSearch(FakeSearch):
    """The web search of ollama.com."""

    path = "/api/web_search"
    method = "POST"

    @property
    def environ(self) -> dict[str, str]:
        return {"OLLAMA_API_KEY": self.key or "", "OLLAMA_SEARCH_BASE_URL": self.url}

    def query_of(self, seen: Seen) -> str:
        query = seen.json.get("query")
        return query if isinstance(query, str) else ""

    def limit_of(self, seen: Seen) -> int | None:
        wanted = seen.json.get("max_results", 5)
        return wanted if isinstance(wanted, int) else 5

    def objection(self, seen: Seen) -> Wire | None:
        if seen.bearer is None or (self.key is not None and seen.bearer != self.key):
            return self.refuse(seen, Refuse(401, "unauthorized"))
        if not self.query_of(seen):
            return self.refuse(seen, Refuse(400, "query is required"))
        if not 1 <= (self.limit_of(seen) or 0) <= 10:
            return self.refuse(seen, Refuse(400, "max_results must be between 1 and 10"))
        return None

    def document(self, query: str, results: Sequence[Result]) -> object:
        found = [{"title": result.title, "url": result.url, "content": result.snippet} for result in results]
        return {"results": found}

    def refuse(self, seen: Seen, refusal: Refuse) -> Wire:
        return self._wire_of(refusal, {"error": refusal.message})


class FakeSearXNG(FakeSearch):
    """A SearXNG of one's own, below `api_path`. It needs no key unless a proxy before it does.

    Attributes:
        json: whether its settings allow JSON; without, it answers 403 with a page.
        login: "name:password" that a proxy before it asks for.
    """

    def __init__(self, *, json: bool = True, login: str | None = None, api_path: str = "") -> None:
        super().__init__(key=None)
        self.json = json
        self.login = login
        self.api_path = api_path
        self.path = f"{api_path}/search"

    def objection(self, seen: Seen) -> Wire | None:
        if self.login is not None and seen.headers.get("Authorization") != _basic(self.login):
            return _page(401, "Authorization Required")
        if seen.query.get("format") != "json":
            return Wire(200, (b"<html><h1>Results</h1></html>",), content_type="text/html")
        if not self.json:
            return _page(403, "Forbidden")
        if not self.query_of(seen):
            return self.refuse(seen, Refuse(400, "No query"))
        return None

    def document(self, query: str, results: Sequence[Result]) -> object:
        found = [
            {
                "title": result.title,
                "url": result.url,
                "content": result.snippet,
                "engine": "mojeek",
                "score": 1.0,
                "category": "general",
            }
            for result in results
        ]
        return {
            "query": query,
            "number_of_results": len(found),
            "results": found,
            "answers": [],
            "infoboxes": [],
            "suggestions": [],
            "unresponsive_engines": [],
        }

    def refuse(self, seen: Seen, refusal: Refuse) -> Wire:
        return self._wire_of(refusal, {"error": refusal.message})


def _basic(login: str) -> str:
    return f"Basic {base64.b64encode(login.encode()).decode()}"


def _page(status: int, words: str) -> Wire:
    html = f"<!doctype html><title>{status} {words}</title><h1>{words}</h1>".encode()
    return Wire(status, (html,), content_type="text/html")
