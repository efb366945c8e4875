"""What every search backend is, and how patiently one is asked.

A backend translates: a query into the service's request, its answer into hits, a refusal into a `TaskError`.
Waiting and trying again happen here, once.
"""

import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import anyio
import httpx2
from pydantic_core import to_json

from clawswarm.clock import Clock, sleep_until
from clawswarm.config.model import SearchName
from clawswarm.engine.redact import Redactor
from clawswarm.errors import TaskError
from clawswarm.providers import hints
from clawswarm.providers.http import Http, HttpReply
from clawswarm.providers.refusals import refusal
from clawswarm.providers.shape import JsonDict, children, is_object, text_of

TRIES = 5
LONGEST_WAIT = 30.0
"""Seconds; a service that asks for more has no answer today."""
FIRST_BOUND = 0.5
WIDEST_SPACING = 2.0
AT_ONCE = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Hit:
    """A page that a service found. The snippet is the service's; it is never taken for the page."""

    title: str
    url: str
    snippet: str = ""


class SearchBackend(Protocol):
    """A search service, ready to be asked."""

    name: SearchName

    async def search(self, query: str, *, limit: int) -> list[Hit]:
        """The best pages for `query`, at most `limit`; none when there are none.

        Raises:
            TaskError: the service cannot be asked, or refuses.
        """
        ...


class Patience:
    """Asks one service: few at once, again after what may pass, at its own pace once it has named one."""

    def __init__(self, clock: Clock, rng: random.Random | None = None) -> None:
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._turns = anyio.Semaphore(AT_ONCE)
        self._next = clock.monotonic()
        self._spacing = 0.0

    async def __call__(self, ask: Callable[[], Awaitable[T]]) -> T:
        async with self._turns:
            tries = 0
            while True:
                now = self._clock.monotonic()
                turn = max(now, self._next)
                self._next = turn + self._spacing
                await sleep_until(self._clock, turn)
                try:
                    return await ask()
                except TaskError as error:
                    tries += 1
                    asked = error.retry_after or 0.0
                    if not error.retryable or tries >= TRIES or asked > LONGEST_WAIT:
                        raise
                    wait = max(asked, self._rng.random() * FIRST_BOUND * 2**tries)
                    if error.code == "rate_limited":
                        self._spacing = max(self._spacing, min(wait, WIDEST_SPACING))
                        self._next = max(self._next, self._clock.monotonic() + wait)
                    else:
                        await sleep_until(self._clock, self._clock.monotonic() + wait)


class SearchCalls:
    """The requests of one service over HTTP."""

    def __init__(
        self, name: SearchName, http: Http, clock: Clock, hint: str, *, secrets: Iterable[str] = ()
    ) -> None:
        self._name = name
        self._redact = Redactor(secrets)
        self._http = http
        self._clock = clock
        self._hint = hint
        self._patience = Patience(clock)

    async def get(self, url: httpx2.URL, headers: httpx2.Headers) -> JsonDict:
        return await self._patience(lambda: self._checked(self._http.get(url, headers)))

    async def post(self, url: httpx2.URL, headers: httpx2.Headers, body: JsonDict) -> JsonDict:
        return await self._patience(lambda: self._checked(self._http.post(url, headers, to_json(body))))

    async def _checked(self, call: Awaitable[HttpReply]) -> JsonDict:
        reply = await self._in_time(call)
        if reply.status != 200:
            raise self._refused(reply)
        try:
            document: Any = reply.json()
        except TaskError as error:
            words = f"search by {self._name}: {self._redact(error.message)}"
            raise TaskError("invalid_reply", words, hint=self._hint) from None
        if not is_object(document):
            words = f"search by {self._name} answered with something else than an object"
            raise TaskError("invalid_reply", words, hint=self._hint)
        return document

    async def _in_time(self, call: Awaitable[HttpReply]) -> HttpReply:
        with anyio.CancelScope() as scope:
            timer = self._clock.call_at(self._clock.monotonic() + LONGEST_WAIT, scope.cancel)
            try:
                return await call
            finally:
                timer.cancel()
        words = f"search by {self._name} did not answer within {LONGEST_WAIT:g} s"
        raise TaskError("timeout", words, hint=self._hint, retryable=True)

    def _refused(self, reply: HttpReply) -> TaskError:
        try:
            words = _words(reply.json())
        except TaskError as error:
            words = error.message
        wait = hints.retry_after(reply.headers, self._clock.now())
        if wait is None and reply.status == 429:  # Brave: one window after the other, the shortest first
            wait = hints.duration(reply.headers.get("x-ratelimit-reset", "").partition(",")[0])
        service, words = f"search by {self._name}", self._redact(words)
        if reply.status == 404:  # of a model it would mean something else
            return refusal(service, 404, words, hint=self._hint, code="provider_failed")
        if reply.status in (401, 402, 403, 422, 429):
            return refusal(service, reply.status, words, retry_after=wait, hint=self._hint)
        return refusal(service, reply.status, words, retry_after=wait)


def _words(document: Any) -> str:
    """The words of an error, wherever the service puts them."""
    if not is_object(document):
        return str(document)
    error = document.get("error")
    if is_object(error):
        return text_of(error, "detail") or text_of(error, "message") or str(error)
    return str(error or document)


def hits_of(results: JsonDict, snippet: str, limit: int) -> list[Hit]:
    """The hits in a service's `results`; its snippets go by the name `snippet`."""
    found = [
        Hit(title=text_of(item, "title"), url=text_of(item, "url"), snippet=text_of(item, snippet))
        for item in children(results, "results")
    ]
    return [hit for hit in found if hit.url][:limit]
