"""One line a check."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.hosts.commands import ProblemError, say


@dataclass
class Report:
    """What passed, and what did not."""

    passed: int = 0
    failed: list[str] = field(default_factory=list[str])

    async def check(self, name: str, work: Callable[[], Awaitable[str]]) -> bool:
        """Do the work, and print how it ended. What it returns is a word on what was seen."""
        began = time.monotonic()
        try:
            seen = await work()
        except (ProblemError, LookupError, ValueError, TypeError, OSError) as error:
            self.fail(name, error if isinstance(error, ProblemError) else repr(error))
            return False
        self.passed += 1
        say(f"pass  {name}: {seen} ({time.monotonic() - began:.1f} s)")
        return True

    def fail(self, name: str, why: object) -> None:
        self.failed.append(name)
        say(f"FAIL  {name}: {why}")
