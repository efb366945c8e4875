"""A webhook's receiver on loopback: answers as it is told, and remembers what it was sent."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from pydantic_core import from_json


@dataclass(frozen=True, slots=True)
class Heard:
    """One POST. `status` is what was answered."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int

    @property
    def key(self) -> str:
        return self.headers["Idempotency-Key"]

    def json(self) -> Any:
        return from_json(self.body)


class Hook:
    """A receiver.

    Args:
        answers: statuses of the first POSTs; what comes behind them is accepted.
        refusals: how often each alert is refused (503) before it is accepted.
    """

    def __init__(self, *answers: int, refusals: int = 0) -> None:
        self.answers = deque(answers)
        self.heard: list[Heard] = []
        self.hanging = False
        self.base = ""
        self._refusals = refusals
        self._tries = Counter[str]()
        self._changed = asyncio.Event()

    @property
    def url(self) -> str:
        return f"{self.base}/hook"

    @property
    def accepted(self) -> list[Heard]:
        return [each for each in self.heard if 200 <= each.status < 300]

    async def until(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        """Wait for a condition on what was heard."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        status = self._status(request.headers.get("Idempotency-Key", ""))
        self.heard.append(Heard(request.path_qs, request.headers.copy(), body, status))
        self._changed.set()
        if self.hanging:
            await asyncio.Event().wait()
        headers = {"Location": f"{self.base}/elsewhere"} if 300 <= status < 400 else {}
        return web.Response(status=status, headers=headers)

    def _status(self, key: str) -> int:
        self._tries[key] += 1
        if self._tries[key] <= self._refusals:
            return 503
        return self.answers.popleft() if self.answers else 200
