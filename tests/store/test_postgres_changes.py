"""Whoever changes a board in PostgreSQL is heard by everyone who listens, at the commit and not before."""

from collections.abc import Iterator

import anyio
import pytest

from clawswarm.clock import SystemClock
from clawswarm.errors import ConfigError, StoreError
from clawswarm.store.postgres import open_postgres
from clawswarm.store.postgres_changes import PostgresChanges, listening
from clawswarm.team.board import Board
from clawswarm.team.draft import Draft
from clawswarm.types.board import Run
from clawswarm.types.team import HUMAN
from tests import postgres
from tests.team.boards import opening

pytestmark = pytest.mark.anyio

LONG = 20.0
SHORT = 0.3
"""Seconds in which nothing may be heard."""


@pytest.fixture
def url() -> Iterator[str]:
    with postgres.database() as made:
        yield made


@pytest.fixture
def board(url: str) -> Iterator[Board]:
    with open_postgres(url) as store:
        board = Board(store, SystemClock())
        board.begin("r1", opening(), actor=HUMAN)
        yield board


def call(draft: Draft) -> Run:
    draft.record("call_made", "builder", "a call")
    return draft.run


def nothing(draft: Draft) -> Run:
    return draft.run


async def heard(changes: PostgresChanges, within: float = LONG) -> bool:
    with anyio.move_on_after(within):
        await changes.wait()
        return True
    return False


async def test_every_change_is_heard(url: str, board: Board) -> None:
    async with listening(url, SystemClock()) as changes:
        for _ in range(3):
            await anyio.to_thread.run_sync(lambda: board.change(call, actor="builder"))
            assert await heard(changes)
        assert not await heard(changes, SHORT)


async def test_changes_made_while_nobody_waits_are_heard_afterwards(url: str, board: Board) -> None:
    async with listening(url, SystemClock()) as changes:
        assert not await heard(changes, SHORT)
        for _ in range(3):
            board.change(call, actor="builder")
        assert await heard(changes)
        board.change(call, actor="builder")
        assert await heard(changes)


async def test_what_changes_nothing_is_not_heard(url: str, board: Board) -> None:
    def breaks(draft: Draft) -> Run:
        call(draft)
        raise RuntimeError("in the middle")

    async with listening(url, SystemClock()) as changes:
        board.change(nothing, actor="builder")
        with pytest.raises(RuntimeError):
            board.change(breaks, actor="builder")
        assert not await heard(changes, SHORT)


async def test_all_who_listen_hear_it(url: str, board: Board) -> None:
    async with listening(url, SystemClock()) as one, listening(url, SystemClock()) as other:
        board.change(call, actor="builder")
        assert await heard(one)
        assert await heard(other)


async def test_a_connection_that_breaks_is_made_anew_and_counts_as_a_change(url: str, board: Board) -> None:
    async with listening(url, SystemClock()) as changes:
        postgres.server().cut(url.rpartition("/")[2])
        assert await heard(changes)
        board.change(call, actor="builder")
        assert await heard(changes)
        assert not await heard(changes, SHORT)


async def test_a_server_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(StoreError, match="cannot be reached"):
        async with listening("postgresql://u@127.0.0.1:1/swarm", SystemClock()):
            pass
    with pytest.raises(ConfigError, match="no address"):
        async with listening("swarm.db", SystemClock()):
            pass
