"""Homes for servers, with daemons that always end."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.daemon.homes import Home, a_home
from tests.mcp.support import DEMO


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    """A home of the test's own, without a daemon."""
    async with a_home(tmp_path / "home", DEMO) as home:
        yield home
