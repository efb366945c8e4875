"""Each test of this folder runs twice: in this process, and through the daemon."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.contract.ways import Opened, Way
from tests.fakes.openai import FakeOpenAI


@pytest.fixture(params=["local", "daemon"])
async def way(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Way]:
    async with FakeOpenAI() as server, FakeOpenAI("groq") as groq:
        yield Way(request.param, tmp_path, server, groq)


@pytest.fixture
async def opened(way: Way) -> AsyncGenerator[Opened]:
    async with way.open() as opened:
        yield opened
