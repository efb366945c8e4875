"""Who wants to hear of changes of which resources, in both protocol eras."""

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated
from mcp_types import (
    EmptyResult,
    SubscribeRequestParams,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
    UnsubscribeRequestParams,
)

LookAt = Callable[[ServerRequestContext[Any, Any], Iterable[str]], Awaitable[None]]
"""Has changes of these resources told from now on."""

PATIENCE = 5.0
"""Seconds that one client may take to take a notice."""


class Subscribers:
    """The resources that somebody looks at, and the way to tell them.

    Attributes:
        bus: reaches the clients of 2026-07-28; those before are known by their connection.
    """

    def __init__(self) -> None:
        self.bus = InMemorySubscriptionBus()
        self._wanted: Counter[str] = Counter()
        self._before: dict[str, dict[int, Connection]] = {}

    @property
    def wanted(self) -> set[str]:
        return {uri for uri, count in self._wanted.items() if count > 0} | {
            uri for uri, connections in self._before.items() if connections
        }

    async def tell(self, uri: str) -> None:
        """Say that a resource has changed."""
        await self.bus.publish(ResourceUpdated(uri=uri))
        for connection in list(self._before.get(uri, {}).values()):
            with anyio.move_on_after(PATIENCE):
                await connection.send_resource_updated(uri)

    @asynccontextmanager
    async def listening(self, uris: Iterable[str]) -> AsyncGenerator[None]:
        """Somebody listens as long as the block lasts (2026-07-28)."""
        named = list(uris)
        self._wanted.update(named)
        try:
            yield
        finally:
            self._wanted.subtract(named)

    def subscribe(self, uri: str, connection: Connection) -> None:
        """A client subscribes, until it no longer wants to or leaves (2025-11-25)."""
        known = any(id(connection) in connections for connections in self._before.values())
        self._before.setdefault(uri, {})[id(connection)] = connection
        if not known:
            connection.exit_stack.callback(self._forget, connection)

    def unsubscribe(self, uri: str, connection: Connection) -> None:
        self._before.get(uri, {}).pop(id(connection), None)

    def _forget(self, connection: Connection) -> None:
        for uri in self._before:
            self.unsubscribe(uri, connection)


class Listening(ListenHandler):
    """`subscriptions/listen`: what the client names is looked at before it is told that it is subscribed."""

    def __init__(self, subscribers: Subscribers, look_at: LookAt) -> None:
        super().__init__(subscribers.bus)
        self._subscribers = subscribers
        self._look_at = look_at

    async def __call__(
        self, ctx: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
    ) -> SubscriptionsListenResult:
        uris = params.notifications.resource_subscriptions or []
        async with self._subscribers.listening(uris):
            await self._look_at(ctx, uris)
            return await super().__call__(ctx, params)


class Subscribing:
    """`resources/subscribe` and `resources/unsubscribe`, which the SDK leaves to its users."""

    def __init__(self, subscribers: Subscribers, look_at: LookAt) -> None:
        self._subscribers = subscribers
        self._look_at = look_at

    async def subscribe(
        self, ctx: ServerRequestContext[Any, Any], params: SubscribeRequestParams
    ) -> EmptyResult:
        self._subscribers.subscribe(params.uri, _connection(ctx))
        await self._look_at(ctx, [params.uri])
        return EmptyResult()

    async def unsubscribe(
        self, ctx: ServerRequestContext[Any, Any], params: UnsubscribeRequestParams
    ) -> EmptyResult:
        self._subscribers.unsubscribe(params.uri, _connection(ctx))
        return EmptyResult()


def _connection(ctx: ServerRequestContext[Any, Any]) -> Connection:
    """The client's connection, which outlives the request; the SDK hands out no other way to it."""
    return ctx.session._connection  # pyright: ignore[reportPrivateUsage]
