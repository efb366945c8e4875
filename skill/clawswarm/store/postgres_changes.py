"""Hears of changes of a board in PostgreSQL as they are committed, whoever makes them and wherever."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from clawswarm.clock import Clock, sleep_until
from clawswarm.store.board import CHANGED
from clawswarm.store.postgres import arguments, driver_missing
from clawswarm.store.postgres_errors import Address, as_store_error

if TYPE_CHECKING:
    from psycopg import AsyncConnection

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds between tries to reach a server that went away."""


class PostgresChanges:
    """A connection that listens. For one task at a time."""

    def __init__(self, address: Address, connection: "AsyncConnection", clock: Clock) -> None:
        self._address = address
        self._connection = connection
        self._clock = clock

    async def wait(self) -> None:
        """Return when the board may have changed since the last call; several changes may be told at once.

        A connection that breaks is made anew, for as long as that takes; what happened meanwhile counts as
        a change.
        """
        import psycopg

        try:
            async for _ in self._connection.notifies(stop_after=1):
                return
        except psycopg.Error:
            await self._again()

    async def aclose(self) -> None:
        await self._connection.close()

    async def _again(self) -> None:
        import psycopg

        await self._connection.close()
        pause = FIRST_PAUSE
        while True:
            try:
                self._connection = await _listen(self._address)
                return
            except psycopg.Error:
                await sleep_until(self._clock, self._clock.monotonic() + pause)
                pause = min(2 * pause, LONGEST_PAUSE)


@asynccontextmanager
async def listening(url: str, clock: Clock) -> AsyncGenerator[PostgresChanges]:
    """Listen to the board at `url`: what is committed from now on is heard.

    Raises:
        ConfigError: that is no address of a PostgreSQL database.
        StoreError: it cannot be reached.
    """
    address = Address.parse(url)
    try:
        import psycopg
    except ImportError as error:
        raise driver_missing(error) from error
    try:
        connection = await _listen(address)
    except psycopg.Error as error:
        raise as_store_error(address, error) from error
    changes = PostgresChanges(address, connection, clock)
    try:
        yield changes
    finally:
        await changes.aclose()


async def _listen(address: Address) -> "AsyncConnection":
    import psycopg

    connection = await psycopg.AsyncConnection.connect(**arguments(address), autocommit=True)
    try:
        await connection.execute(f"LISTEN {CHANGED}")
    except BaseException:
        await connection.close()
        raise
    return connection
