"""A place to work on jobs."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.fakes.openai import FakeOpenAI
from tests.jobs.support import Place


@pytest.fixture
async def place(tmp_path: Path) -> AsyncGenerator[Place]:
    async with FakeOpenAI() as server:
        yield Place(tmp_path / "memory", server)
