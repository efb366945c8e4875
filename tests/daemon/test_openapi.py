"""The OpenAPI document, and what a tool that believes every word of it finds."""

import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from clawswarm.types.task import FIELDS
from tests.daemon.homes import Home
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
async def test_schemathesis_finds_nothing(warm: Home, tmp_path: Path) -> None:
    """No 5xx, no answer that the document does not have, no bad request that passes, no good one refused."""
    line = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{warm.presence.url}/openapi.json",
        "--header", f"Authorization: Bearer {warm.token}",
        "--checks", "all", "--exclude-checks", LEFT_OUT,
        "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "40",
        "--generation-deterministic", "--request-timeout", "10", "--no-color",
    ]  # fmt: skip
    done = await anyio.run_process(line, check=False, cwd=tmp_path)
    text = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 0, text[-8000:]
    found = re.search(r"(\d+) generated", text)
    assert found is not None
    assert int(found[1]) > 500
    assert not [line for line in warm.log() if "traceback" in line or '"error"' in line]
    assert (await warm.ask("GET", "/status"))["status"] == "running"
