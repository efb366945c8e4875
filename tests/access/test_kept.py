"""Things that are opened once, when they are needed, and closed with their keeper."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import pytest

from clawswarm.access.kept import open_kept

pytestmark = pytest.mark.anyio


@dataclass
class Shop:
    """Opens things, and notes it.

    Attributes:
        trouble: raised by the next opening.
    """

    trouble: Exception | None = None
    log: list[str] = field(default_factory=list[str])
    go_on: anyio.Event = field(default_factory=anyio.Event)

    @asynccontextmanager
    async def thing(self) -> AsyncGenerator[int]:
        if (trouble := self.trouble) is not None:
            self.trouble = None
            raise trouble
        self.log.append("opening")
        await self.go_on.wait()
        number = self.log.count("opening")
        try:
            yield number
        finally:
            self.log.append(f"closed {number}")


async def test_it_is_opened_once_however_many_ask_at_once() -> None:
    shop = Shop()
    found: list[int] = []
    async with open_kept() as kept:

        async def ask() -> None:
            found.append(await kept.get("thing", shop.thing))

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            shop.go_on.set()
        assert shop.log == ["opening"]
    assert found == [1] * 5
    assert shop.log == ["opening", "closed 1"]


async def test_what_could_not_be_opened_is_tried_again() -> None:
    shop = Shop(trouble=ValueError("not yet"))
    shop.go_on.set()
    async with open_kept() as kept:
        with pytest.raises(ValueError, match="not yet"):
            await kept.get("thing", shop.thing)
        assert await kept.get("thing", shop.thing) == 1


async def test_who_is_called_off_while_it_opens_leaves_nothing_behind() -> None:
    shop = Shop()
    async with open_kept() as kept:
        async with anyio.create_task_group() as group:
            group.start_soon(kept.get, "thing", shop.thing)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
        shop.go_on.set()
        assert await kept.get("thing", shop.thing) == 2


async def test_what_is_dropped_is_closed_and_opened_anew() -> None:
    shop = Shop()
    shop.go_on.set()
    async with open_kept() as kept:
        assert await kept.get("thing", shop.thing) == 1
        kept.drop("thing")
        await anyio.wait_all_tasks_blocked()
        assert shop.log == ["opening", "closed 1"]
        assert await kept.get("thing", shop.thing) == 2
        kept.drop("nothing")


async def test_an_error_of_the_block_comes_out_as_itself() -> None:
    with pytest.raises(ValueError, match="mine"):
        async with open_kept():
            raise ValueError("mine")
