"""Swarm through the daemon: the same calls over its HTTP API."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import httpx2
from pydantic_core import from_json, to_json

from clawswarm.access.api import Emit
from clawswarm.access.presence import Presence
from clawswarm.errors import (
    Busy,
    ConfigError,
    DaemonError,
    InputError,
    NotConfigured,
    NotFound,
    StoreError,
    SwarmError,
    TaskError,
)
from clawswarm.providers.http import Http, HttpStream, open_http
from clawswarm.types import wire
from clawswarm.types.events import BatchComplete, BatchEvent, TaskFinished
from clawswarm.types.jobs import Job, JobPage, unknown_job
from clawswarm.types.requests import BatchRequest, ResearchRequest, check_text
from clawswarm.types.research import ResearchEvent
from clawswarm.types.result import BatchResult, TaskResult, in_order

E = TypeVar("E", bound="BatchEvent | ResearchEvent")

LONGEST_WAIT = 60.0
"""Seconds that the daemon waits in one request; longer waits are several."""

_ERRORS: Mapping[str, type[SwarmError]] = {
    kind.code: kind for kind in (InputError, NotFound, NotConfigured, ConfigError, StoreError, Busy)
} | {"too_large": InputError}


class RemoteSwarm:
    """A daemon of this user."""

    def __init__(self, http: Http, presence: Presence, token: str) -> None:
        self.presence = presence
        self._http = http
        self._headers = httpx2.Headers(
            {
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
            }
        )
        self.warnings: list[str] = []

    async def parallel(self, request: BatchRequest, emit: Emit[BatchEvent]) -> None:
        body = {"prompts": request.documents(), **request.options.as_json()}
        kept: list[TaskResult] | None = [] if request.keep_results else None
        body["keep_results"] = False  # each has come by itself
        async with aclosing(self._events("/parallel", body, wire.batch_event)) as events:
            async for event in events:
                if isinstance(event, TaskFinished) and kept is not None:
                    kept.append(event.task)
                if isinstance(event, BatchComplete) and kept is not None:
                    result = BatchResult(in_order(kept), event.stats)
                    await emit(BatchComplete(stats=event.stats, result=result))
                else:
                    await emit(event)

    async def research(self, request: ResearchRequest, emit: Emit[ResearchEvent]) -> None:
        check_text("the research", request.as_json())
        async with aclosing(self._events("/research", request.as_json(), wire.research_event)) as events:
            async for event in events:
                await emit(event)

    async def submit(self, request: BatchRequest | ResearchRequest) -> Job:
        if isinstance(request, ResearchRequest):
            check_text("the research", request.as_json())
            body = {"kind": "research", **request.as_json()}
        else:
            body = {"kind": "parallel", "prompts": request.documents(), **request.options.as_json()}
        created = await self.ask("POST", "/jobs", body)
        return wire.job(created)

    async def job(self, job_id: str, *, wait: float = 0, offset: int = 0, limit: int = 1000) -> JobPage:
        """As in the protocol; waits longer than the daemon does in one request are several requests."""
        while True:
            turn = min(wait, LONGEST_WAIT)
            path = f"{_place(job_id)}?wait={turn:g}&offset={offset}&limit={limit}"
            page = wire.job_page(await self.ask("GET", path))
            wait -= turn
            if page.job.status.final or wait <= 0:
                return page

    async def jobs(self, *, limit: int = 100) -> list[Job]:
        return [wire.job(document) for document in (await self.ask("GET", f"/jobs?limit={limit}"))["jobs"]]

    async def cancel(self, job_id: str) -> Job:
        return wire.job(await self.ask("DELETE", _place(job_id)))

    async def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One request with a JSON answer.

        Raises:
            SwarmError: what the daemon answered, or that it does not answer.
        """
        async with self._request(method, path, body) as answer:
            return from_json((await answer.read()).body)

    async def _events(
        self, path: str, body: Mapping[str, Any], read: Callable[[Mapping[str, Any]], E | None]
    ) -> AsyncGenerator[E]:
        """The events of a streamed answer; it is an error that it ends without its last one."""
        async with self._request("POST", path, body) as answer:
            async for line in answer.lines():
                document = from_json(line)
                if document["event"] == "error":
                    raise _error(document["error"])
                if (event := read(document)) is not None:
                    yield event
                    if event.event == "complete":
                        return
        raise self._lost("it ended the answer before the work was done")

    @asynccontextmanager
    async def _request(self, method: str, path: str, body: Any) -> AsyncGenerator[HttpStream]:
        url = httpx2.URL(self.presence.url + path)
        content = None if body is None else to_json(body)
        try:
            async with self._http.stream(method, url, self._headers, content, bounded=False) as answer:
                if answer.status >= 400:
                    raise _refusal(answer.status, answer.headers, (await answer.read()).body)
                yield answer
        except TaskError as error:
            raise self._lost(error.message) from error

    def _lost(self, reason: str) -> DaemonError:
        presence = self.presence
        return DaemonError(
            f"the daemon (port {presence.port}, pid {presence.pid}) cannot be reached: {reason}",
            hint="see: swarm status and swarm logs; jobs go on after: swarm start",
        )


def _place(job_id: str) -> str:
    """The path of a job. An id that would lead elsewhere is nobody's."""
    if "/" in job_id or job_id in ("", ".", ".."):
        raise unknown_job(job_id)
    return f"/jobs/{quote(job_id, safe='', errors='replace')}"


def _refusal(status: int, headers: Mapping[str, str], body: bytes) -> SwarmError:
    try:
        error = _error(from_json(body)["error"])
        if isinstance(error, Busy):
            error.retry_after = float(headers.get("retry-after", error.retry_after))
        return error
    except (ValueError, LookupError, TypeError):
        return DaemonError(
            f"something that is no Swarm daemon answered with status {status}", hint="see: swarm status"
        )


def _error(document: Mapping[str, Any]) -> SwarmError:
    """An error of the daemon as the error it was there."""
    kind = _ERRORS.get(document["code"], DaemonError)
    return kind(document["message"], hint=document["hint"])


@asynccontextmanager
async def open_remote(presence: Presence, token: str) -> AsyncGenerator[RemoteSwarm]:
    """A connection to the daemon. Proxies are never used: it is on this machine.

    Raises:
        DaemonError: it does not answer.
    """
    async with open_http({}) as http:
        yield RemoteSwarm(http, presence, token)
