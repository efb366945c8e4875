"""Swarm: fan prompts out to cheap or local models in parallel.

    from clawswarm import Swarm, parallel

    result = await parallel(["What is OpenAI?", "What is Anthropic?"])
    result.results  # texts, in order; None where a task failed

`clawswarm.sync` has the same names for scripts without an event loop.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from clawswarm.version import __version__

if TYPE_CHECKING:
    from clawswarm.access.swarm import Swarm, parallel
    from clawswarm.types.result import BatchResult, TaskResult
    from clawswarm.types.task import Task

__all__ = ["BatchResult", "Swarm", "Task", "TaskResult", "__version__", "parallel"]

_HOMES = {
    "Swarm": "clawswarm.access.swarm",
    "parallel": "clawswarm.access.swarm",
    "BatchResult": "clawswarm.types.result",
    "TaskResult": "clawswarm.types.result",
    "Task": "clawswarm.types.task",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: `import clawswarm` stays cheap."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
