"""Records a database as this release leaves it behind: `python -m tests.store.record fixtures/NAME.db`.

Run once a release; the files in `fixtures/` are never written again.
"""

import sys
from pathlib import Path

from clawswarm.store.answers import Answers
from clawswarm.store.connect import open_store
from clawswarm.store.ledger import Ledger, UsageLine

DAY = "2026-11-20"
KEY, BODY = b"k" * 32, b'{"v":1,"text":"kept"}'
LINE = UsageLine(
    tasks=10,
    failed=1,
    cached=2,
    unknown_cost=1,
    input_tokens=100,
    output_tokens=200,
    cost=300,
    saved=40,
    busy_ms=5000,
    wall_ms=900,
)


def record(path: Path) -> None:
    """A day on which something was spent, is uncertain, was used and was kept."""
    with open_store(path) as store:
        ledger = Ledger(store)
        lease = ledger.open_lease(DAY)
        ledger.grow(lease, DAY, need=1000, want=1000, cap=None)
        ledger.settle(lease, DAY, spent=600, uncertain=50, free=350)
        ledger.close_lease(lease)
        ledger.add_usage({(DAY, "gemini", "gemini-3.5-flash-lite"): LINE})
        Answers(store).put({KEY: BODY}, at=1_700_000_000.0)


if __name__ == "__main__":
    record(Path(sys.argv[1]))
