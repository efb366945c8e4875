"""DuckDuckGo by the library `ddgs`, which reads its result pages: no key, and no promise that it works.

Only DuckDuckGo is asked: the library knows other services, which the user did not choose.
"""

from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread

from clawswarm.clock import Clock
from clawswarm.config.model import SearchName
from clawswarm.errors import TaskError
from clawswarm.providers.refusals import short
from clawswarm.web.search import LONGEST_WAIT, Hit, Patience

TIMEOUT = 10
"""Seconds that the library gives the service."""
_HINT = (
    "DuckDuckGo turns programs away at times: wait a while, or set BRAVE_API_KEY, OLLAMA_API_KEY or "
    "research.searxng_url"
)

Ask = Callable[[str, int], list[dict[str, Any]]]
"""Asks in the calling thread: a query and how many results, for records with title, href and body."""


class DuckDuckGo:
    """The service that is always there, for want of another."""

    name: SearchName = "duckduckgo"

    def __init__(self, *, clock: Clock, ask: Ask | None = None) -> None:
        self._clock = clock
        self._ask = ask or ask_ddgs
        self._patience = Patience(clock)
        self._threads = anyio.CapacityLimiter(2)

    async def search(self, query: str, *, limit: int) -> list[Hit]:
        found = await self._patience(lambda: self._asked(query, limit))
        hits = [
            Hit(
                title=str(item.get("title") or ""),
                url=str(item.get("href") or ""),
                snippet=str(item.get("body") or ""),
            )
            for item in found
        ]
        return [hit for hit in hits if hit.url][:limit]

    async def _asked(self, query: str, limit: int) -> list[dict[str, Any]]:
        with anyio.CancelScope() as scope:
            timer = self._clock.call_at(self._clock.monotonic() + LONGEST_WAIT, scope.cancel)
            try:
                return await anyio.to_thread.run_sync(
                    self._ask, query, limit, limiter=self._threads, abandon_on_cancel=True
                )
            finally:
                timer.cancel()
        raise _failed("timeout", f"no answer within {LONGEST_WAIT:g} s")


def ask_ddgs(query: str, limit: int) -> list[dict[str, Any]]:
    """Ask through the library.

    Raises:
        TaskError: the service cannot be asked, or refuses.
    """
    from ddgs import DDGS  # pyright: ignore[reportUnknownVariableType]
    from ddgs.exceptions import DDGSException, RatelimitException, TimeoutException

    try:
        return DDGS(timeout=TIMEOUT).text(query, max_results=limit, backend="duckduckgo")
    except RatelimitException as error:
        raise _failed("rate_limited", str(error)) from error
    except TimeoutException as error:
        raise _failed("timeout", str(error)) from error
    except DDGSException as error:
        if "No results" in str(error):
            return []
        raise _failed("connection_failed", str(error)) from error
    except Exception as error:  # it reads pages that may change any day
        raise _failed("provider_failed", f"{type(error).__name__}: {error}") from error


def _failed(code: Any, words: str) -> TaskError:
    return TaskError(
        code, f"search by duckduckgo failed: {short(words)}", hint=_HINT, retryable=code != "provider_failed"
    )
