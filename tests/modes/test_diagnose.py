"""What cannot be brought about from outside: a wrong clock, a full disk, another machine."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clawswarm.engine.checks import Check
from clawswarm.modes.diagnose import Situation, diagnose
from clawswarm.modes.diagnose_places import FULL, NEARLY_FULL, judge_room
from clawswarm.modes.machine import GIB, Machine
from clawswarm.providers.ollama_settings import how_to_set
from tests.clock import FakeClock
from tests.fakes.ollama import FakeOllama
from tests.fakes.openai import FakeOpenAI

pytestmark = pytest.mark.anyio

MAC = Machine(system="darwin", total=24 * GIB, free=20 * GIB, processors=8)


async def look(
    home: Path, environ: dict[str, str], *, ahead: float = 0, machine: Machine = MAC
) -> dict[str, Check]:
    """All checks by name, on a machine whose clock is so many seconds ahead."""
    clock = FakeClock(at=datetime.now(UTC) + timedelta(seconds=ahead))
    situation = Situation(
        environ={"HOME": str(home), "OLLAMA_HOST": "127.0.0.1:9", **environ},
        machine=machine,
        clock=clock,
        daemon=None,
        calls=False,
    )
    return {check.name: check for check in (await diagnose(situation)).checks}


@pytest.mark.parametrize(
    ("ahead", "status", "words"),
    [(0, "ok", "within"), (30, "ok", "within"), (90, "fail", "ahead of openai"), (-900, "fail", "behind")],
)
async def test_a_wrong_clock_is_told(tmp_path: Path, ahead: float, status: str, words: str) -> None:
    async with FakeOpenAI() as fake:
        environ = {"OPENAI_BASE_URL": fake.base_url, "OPENAI_API_KEY": "test-key"}
        check = (await look(tmp_path, environ, ahead=ahead))["clock"]
    assert (check.status, words in check.seen) == (status, True), check
    assert abs(check.details["skew_seconds"] - ahead) <= 2


async def test_where_nobody_tells_the_time_the_clock_is_not_judged(tmp_path: Path) -> None:
    assert (await look(tmp_path, {}))["clock"].status == "skipped"


@pytest.mark.parametrize(
    ("free", "status"), [(FULL - 1, "fail"), (FULL, "warn"), (NEARLY_FULL - 1, "warn"), (NEARLY_FULL, "ok")]
)
def test_a_full_disk_is_told(free: int, status: str) -> None:
    check = judge_room(Path("/state"), free)
    assert (check.status, check.details["free_bytes"]) == (status, free)
    assert status == "ok" or "df -h /state" in (check.fix or "")


async def test_the_guides_machine_gets_the_guides_settings(tmp_path: Path) -> None:
    async with FakeOllama() as fake:
        found = await look(tmp_path, {"OLLAMA_HOST": fake.url})
        assert found["ollama settings"].details["recommended"] == {
            "OLLAMA_NUM_PARALLEL": "2",
            "OLLAMA_KEEP_ALIVE": "60m",
            "OLLAMA_MAX_QUEUE": "100",
            "OLLAMA_MAX_LOADED_MODELS": "1",
        }
        assert "launchctl setenv OLLAMA_NUM_PARALLEL 2" in (found["ollama settings"].fix or "")
        small = Machine(system="linux", total=8 * GIB, free=GIB, processors=2)
        found = await look(tmp_path, {"OLLAMA_HOST": fake.url}, machine=small)
        assert found["ollama memory"].status == "warn"
        unknown = Machine(system="linux", total=None, free=None, processors=2)
        found = await look(tmp_path, {"OLLAMA_HOST": fake.url}, machine=unknown)
        assert "OLLAMA_NUM_PARALLEL" not in found["ollama settings"].details["recommended"]


async def test_more_slots_than_the_memory_holds_are_told(tmp_path: Path) -> None:
    async with FakeOllama() as fake:
        found = await look(tmp_path, {"OLLAMA_HOST": fake.url, "OLLAMA_NUM_PARALLEL": "16"})
    assert found["ollama memory"].status == "warn"
    assert "16 slots and the model need 34.8 GiB" in found["ollama memory"].seen
    assert "--workers 2" in (found["ollama memory"].fix or "")


async def test_the_context_of_a_loaded_model_counts(tmp_path: Path) -> None:
    async with FakeOllama(num_parallel=2) as fake:
        fake.loaded["qwen3:32b"] = 16_384
        found = await look(tmp_path, {"OLLAMA_HOST": fake.url})
    details = found["ollama memory"].details
    assert (details["context"], details["context_from"]) == (16_384, "the loaded model")
    assert details["slot_bytes"] == 4 * GIB
    assert found["ollama"].details["loaded"][0]["context"] == 16_384


def test_linux_sets_variables_by_a_drop_in() -> None:
    text = how_to_set({"OLLAMA_NUM_PARALLEL": "2"}, "linux")
    assert 'Environment="OLLAMA_NUM_PARALLEL=2"' in text
    assert "systemctl edit ollama" in text
