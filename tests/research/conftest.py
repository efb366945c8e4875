"""A world to research in."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.research.support import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with a_world(tmp_path) as world:
        yield world
