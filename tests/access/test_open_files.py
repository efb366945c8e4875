"""Room for sockets: the soft limit is raised, and a hard limit that is too low is told."""

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest


def limits_after(soft: int, hard: int, sockets: int) -> dict[str, Any]:
    """Run `make_room` in a child with these limits: the process's own must stay as they are."""
    code = f"""
        import json, resource
        resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
        from clawswarm.access.open_files import make_room
        warning = make_room({sockets})
        print(json.dumps({{"warning": warning, "soft": resource.getrlimit(resource.RLIMIT_NOFILE)[0]}}))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("soft", "hard", "sockets", "then"),
    [(256, 4096, 16, 256), (256, 4096, 500, 628), (1024, 4096, 1000, 1128)],
)
def test_the_soft_limit_is_raised_as_far_as_it_is_needed(
    soft: int, hard: int, sockets: int, then: int
) -> None:
    assert limits_after(soft, hard, sockets) == {"warning": None, "soft": then}


def test_a_hard_limit_that_is_too_low_is_told_with_what_to_do() -> None:
    found = limits_after(256, 512, 1000)
    assert found["soft"] == 512
    assert "lower the concurrency to 384" in found["warning"]
    assert "ulimit -n 1128" in found["warning"]
