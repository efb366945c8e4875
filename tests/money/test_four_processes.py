"""Four processes spend at once under one cap. The truth is what the server counted, not what we say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.fakes.behaviours import Say
from tests.money.machine import Machine, machine

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow(reason="starts four processes that make hundreds of calls"),
    pytest.mark.timeout(60),
]


@dataclass
class Night:
    """What the processes said at their end."""

    reports: list[dict[str, Any]]

    @property
    def successful(self) -> int:
        return sum(report["ok"] for report in self.reports)

    @property
    def codes(self) -> set[str]:
        return {code for report in self.reports for code in report["codes"]}

    @property
    def longest(self) -> float:
        return max(report["seconds"] for report in self.reports)


async def spend(machine: Machine, tasks: int, **options: Any) -> Night:
    """Four processes, `tasks` prompts each, 64 at a time, let loose together."""
    spenders = await machine.spenders_at_the_line(4, tasks=tasks, at_once=64, **options)
    for spender in spenders:
        spender.start()
    return Night([await spender.report() for spender in spenders])


async def test_a_tight_reservation_uses_up_the_cap_and_never_passes_it(tmp_path: Path) -> None:
    async with machine(tmp_path, cap_calls=4 * 1000 / 10, latency=0.01) as here:
        night = await spend(here, 1000, max_tokens=20)
        total = await here.total()
    assert 0.85 * here.cap <= here.billed <= here.cap
    assert (total.spent, total.uncertain, total.held) == (here.billed, 0, 0)
    assert night.successful == len(here.server.calls)
    assert night.codes == {"budget_exceeded"}


@pytest.mark.parametrize("calls", [100, 1000], ids=["no room for one reservation", "room for three"])
async def test_a_reservation_far_above_the_cost_fails_tasks_in_time_and_blocks_nobody(
    tmp_path: Path, calls: int
) -> None:
    """The default of 8,192 reply tokens is reserved where twenty are used."""
    async with machine(tmp_path, cap_calls=calls, latency=0.002) as here:
        with anyio.fail_after(30):
            night = await spend(here, 250)
        total = await here.total()
    assert here.billed <= here.cap
    assert (total.spent, total.uncertain, total.held) == (here.billed, 0, 0)
    assert night.successful == len(here.server.calls)
    assert night.codes <= {"budget_exceeded"}
    assert (night.successful > 0) == (calls == 1000)


async def test_a_server_that_counts_more_tokens_than_the_prompt_has_bytes_does_not_break_the_cap(
    tmp_path: Path,
) -> None:
    say = Say(input_tokens=1000)
    async with machine(tmp_path, cap_calls=100, say=say, latency=0.01) as here:
        night = await spend(here, 250, max_tokens=20)
        total = await here.total()
    assert 0.5 * here.cap <= here.billed <= here.cap
    assert (total.spent, total.uncertain, total.held) == (here.billed, 0, 0)
    assert night.codes == {"budget_exceeded"}
