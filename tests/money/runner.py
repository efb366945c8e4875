"""A swarm in a process of its own: `python runner.py '{"name": …}'`. Prints one JSON line when it is done.

It says "ready" first and then waits for a line on standard input, so that several start as one.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from typing import Any

from clawswarm import Swarm


async def run(order: dict[str, Any]) -> dict[str, Any]:
    prompts = [f"{order['name']}, prompt {number}" for number in range(order["tasks"])]
    codes: Counter[str] = Counter()
    successful = 0
    known = 0
    async with Swarm(provider="openai", concurrency=order["at_once"], cache=False) as swarm:
        print("ready", flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.readline)
        started = time.monotonic()
        result = await swarm.parallel(prompts, **order["options"])
        seconds = time.monotonic() - started
        for task in result.tasks:
            successful += task.ok
            known += task.cost_pico or 0
            if task.error is not None:
                codes[task.error.code] += 1
        warnings = swarm.warnings
    return {"ok": successful, "codes": codes, "known": known, "seconds": seconds, "warnings": warnings}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(json.loads(sys.argv[1])))), flush=True)  # noqa: T201
