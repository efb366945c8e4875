"""What the guards are told about the machine."""

import pytest

from clawswarm.access.team_machine import look_at_machine, memory_in_use


@pytest.mark.parametrize(
    ("total", "free", "percent"),
    [(1000, 1000, 0), (1000, 50, 95), (1000, 0, 100), (None, 5, None), (1000, None, None), (0, 0, None)],
)
def test_memory_in_use_is_told_in_percent(total: int | None, free: int | None, percent: float | None) -> None:
    assert memory_in_use(total, free) == (None if percent is None else pytest.approx(percent))


def test_this_machine_has_some_memory_in_use() -> None:
    machine = look_at_machine()
    assert machine.memory_percent is not None
    assert 0 < machine.memory_percent < 100
    assert machine.queue is None
    assert machine.latency_s is None
