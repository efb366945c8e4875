"""Connections that end at public addresses only, whatever a name resolves to.

Three times, as each can be got around alone: when a name is resolved, when a socket is opened to one of its
addresses, and when the connection stands, before the first byte of a request.
"""

import errno
import socket
from collections.abc import Sequence
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from clawswarm.web.address_guard import Guard, PageError


class GuardedResolver(AbstractResolver):
    """Resolves names; one that leads to a closed address, be it among others, leads nowhere."""

    def __init__(self, guard: Guard, inner: AbstractResolver) -> None:
        self._guard = guard
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        for result in found:
            self._guard.check_address(result["host"])
        return found

    async def close(self) -> None:
        await self._inner.close()


class GuardedConnector(aiohttp.TCPConnector):
    """Opens connections for pages. None is kept for another request."""

    def __init__(self, guard: Guard, resolver: AbstractResolver) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType]
            resolver=GuardedResolver(guard, resolver),
            socket_factory=self._socket,
            use_dns_cache=False,
            force_close=True,
            limit=0,
        )
        self._guard = guard

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Any], timeout: aiohttp.ClientTimeout
    ) -> Any:
        connection = await super().connect(req, traces, timeout)
        try:
            peer: Any = connection.transport and connection.transport.get_extra_info("peername")
            if not peer:
                raise PageError("refused: nobody knows where the connection leads")
            self._guard.check_address(str(peer[0]))
        except BaseException:
            connection.close()
            raise
        return connection

    def _socket(self, info: Sequence[Any]) -> socket.socket:
        family, kind, protocol, _, address = info
        try:
            self._guard.check_address(str(address[0]))
        except PageError as error:
            raise OSError(errno.EACCES, error.message) from error  # all that the caller of this takes
        return socket.socket(family=family, type=kind, proto=protocol)
