"""One event loop a module, so that an application can be shared by its tests, and real daemons that always end."""

import pytest


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"
