"""A state directory that fails: without a cap the work goes on and says so, under a cap nothing is sent."""

from decimal import Decimal
from functools import partial
from pathlib import Path

import anyio
import pytest

from clawswarm.access import local
from clawswarm.errors import StoreError
from clawswarm.store.connect import connect
from tests.money.priced import ENOUGH, PROMPTS, Paid, codes, settings, swarm
from tests.store.children import write_lock_held
from tests.store.places import UNUSABLE, Place, full_disk, read_only_file

pytestmark = pytest.mark.anyio

FORTY = PROMPTS[:40]


@pytest.fixture(autouse=True)
async def _warm(tmp_path: Path) -> None:
    """Import everything while files may still be read and written."""
    async with swarm(tmp_path / "warm", settings(day=ENOUGH), Paid()) as opened:
        await opened.parallel(["warm"])


@pytest.mark.parametrize("place", UNUSABLE, ids=lambda place: place.__name__)
async def test_without_a_cap_work_goes_on_without_a_state_directory_and_says_why(place: Place) -> None:
    message, _ = UNUSABLE[place]
    demo = Paid()
    with place() as folder:
        async with swarm(folder, settings(), demo) as opened:
            result = await opened.parallel(FORTY)
            warnings = opened.warnings
    assert result.stats.successful == demo.calls == 40
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(" ".join(warnings))


@pytest.mark.parametrize("place", UNUSABLE, ids=lambda place: place.__name__)
async def test_a_daily_cap_without_a_state_directory_sends_nothing(place: Place) -> None:
    message, hint = UNUSABLE[place]
    demo = Paid()
    with place() as folder, pytest.raises(StoreError, match=message) as told:
        async with swarm(folder, settings(day=ENOUGH), demo) as opened:
            await opened.parallel(FORTY)
    assert "nothing was sent" in told.value.message
    assert hint in (told.value.hint or "")
    assert demo.calls == 0


async def test_a_run_cap_alone_needs_no_state_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    demo = Paid()
    async with swarm(tmp_path / "file" / "memory", settings(run=Decimal("0.005")), demo) as opened:
        result = await opened.parallel(PROMPTS[:400])
    assert 0 < result.stats.successful == demo.calls < 400


@pytest.mark.parametrize("capped", [True, False])
@pytest.mark.parametrize("trouble", ["read-only", "full"])
async def test_a_state_directory_that_fails_later_is_as_good_as_none(
    tmp_path: Path, capped: bool, trouble: str
) -> None:
    demo = Paid()
    config = settings(day=ENOUGH if capped else None)
    if trouble == "read-only":
        with read_only_file() as folder:
            async with swarm(folder, config, demo) as opened:
                result = await opened.parallel(FORTY)
                warnings = opened.warnings
    else:
        async with swarm(tmp_path / "memory", config, demo) as opened:
            with full_disk():
                result = await opened.parallel(FORTY)
                warnings = opened.warnings
    if capped:
        assert demo.calls == 0
        assert codes(result) == {"budget_exceeded"}
        assert "nothing was sent" in str(result.tasks[0].error)
    else:
        assert demo.calls == result.stats.successful == 40
        assert "cannot be" in " ".join(warnings)


@pytest.mark.parametrize("capped", [True, False])
async def test_tasks_behind_a_locked_database_do_not_wait_for_it_one_after_another(
    tmp_path: Path, capped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "connect", partial(connect, busy_timeout_ms=200))
    demo = Paid()
    async with swarm(tmp_path / "memory", settings(day=ENOUGH if capped else None), demo) as opened:
        with write_lock_held(tmp_path / "memory" / "swarm.db"), anyio.fail_after(25):
            result = await opened.parallel(PROMPTS[:400])  # else 400 times 0.2 seconds
        warnings = opened.warnings
    if capped:
        assert demo.calls == 0
        assert codes(result) == {"budget_exceeded"}
        assert "locked by another process" in str(result.tasks[0].error)
    else:
        assert demo.calls == result.stats.successful == 400
        assert "locked by another process" in " ".join(warnings)
