"""The OpenAPI document, and what a tool that believes every word of it finds."""

import re
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from aiohttp import web

from clawswarm.types.task import FIELDS
from tests.daemon.homes import DEMO, Home, a_home
from tests.daemon.served import Served, serve, settings_of

pytestmark = pytest.mark.anyio

LEFT_OUT = "use_after_free"
"""The one check that is left out: DELETE cancels a job, and a cancelled job can still be looked at."""


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with serve(settings_of(), home=tmp_path_factory.mktemp("home")) as served:
        yield served


async def test_the_document_has_every_path_and_says_that_a_token_is_needed(served: Served) -> None:
    document = (await served.ask("GET", "/openapi.json")).json
    assert {path: set(item) for path, item in document["paths"].items()} == {
        "/health": {"get"},
        "/status": {"get"},
        "/capabilities": {"get"},
        "/metrics": {"get"},
        "/parallel": {"post"},
        "/research": {"post"},
        "/jobs": {"get", "post"},
        "/jobs/{job_id}": {"get", "delete"},
    }
    assert document["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
    assert document["paths"]["/health"]["get"]["security"] == []


async def test_the_document_describes_every_field_of_a_prompt(served: Served) -> None:
    schemas = (await served.ask("GET", "/openapi.json")).json["components"]["schemas"]
    assert set(schemas["Prompt"]["properties"]) == set(FIELDS)
    assert schemas["Prompt"]["additionalProperties"] is False
    for kind in ("ParallelStream", "Research", "ParallelJob", "ResearchJob"):
        assert schemas[kind]["additionalProperties"] is False


@pytest.mark.slow(reason="sends more than a thousand requests")
@pytest.mark.timeout(60)
async def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    """No 5xx, no answer that the document does not have, no bad request that passes, no good one refused."""
    async with nothing_to_find() as search, a_home(tmp_path / "home", f"{DEMO}{search}") as home:
        await home.launch()
        await assert_nothing_is_found(home, tmp_path)


@asynccontextmanager
async def nothing_to_find() -> AsyncGenerator[str]:
    """A search service on loopback that knows no page, as the configuration names it."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"results": []})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        port = runner.addresses[0][1]
        yield f"research:\n  search: searxng\n  searxng_url: http://127.0.0.1:{port}\n"
    finally:
        await runner.cleanup()


async def assert_nothing_is_found(home: Home, folder: Path) -> None:
    line = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{home.presence.url}/openapi.json",
        "--header", f"Authorization: Bearer {home.token}",
        "--checks", "all", "--exclude-checks", LEFT_OUT,
        "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "25",
        "--generation-deterministic", "--request-timeout", "10", "--no-color",
    ]  # fmt: skip
    done = await anyio.run_process(line, check=False, cwd=folder)
    text = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 0, text[-8000:]
    found = re.search(r"(\d+) generated", text)
    assert found is not None
    assert int(found[1]) > 500
    assert not [line for line in home.log() if "traceback" in line or '"error"' in line]
    assert (await home.ask("GET", "/status"))["status"] == "running"
