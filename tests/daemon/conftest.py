"""One event loop a module, so that its tests can share an application, and real daemons that always end."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cli.conftest import inside as in_process
from tests.daemon.homes import Home, a_home


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    """A home of the test's own, without a daemon."""
    async with a_home(tmp_path / "home") as home:
        yield home


@pytest.fixture(scope="module")
async def warm(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Home]:
    """A home with a daemon that all tests of a module share: they leave it as it is."""
    async with a_home(tmp_path_factory.mktemp("warm")) as home:
        await home.launch()
        yield home


inside = in_process
"""The command line in this process."""
