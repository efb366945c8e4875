"""Swarm: fan prompts out to cheap or local models in parallel.

    from clawswarm import Swarm, parallel, research

    result = await parallel(["What is OpenAI?", "What is Anthropic?"])
    result.results  # texts, in order; None where a task failed

    found = await research(["OpenAI", "Anthropic"], "AI safety")
    found.report  # Markdown, with numbered sources

`clawswarm.sync` has the same names for scripts without an event loop.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from clawswarm.version import __version__

if TYPE_CHECKING:
    from clawswarm.access.swarm import Swarm, parallel, research
    from clawswarm.types.research import ResearchResult
    from clawswarm.types.result import BatchResult, TaskResult
    from clawswarm.types.task import Task

__all__ = [
    "BatchResult",
    "ResearchResult",
    "Swarm",
    "Task",
    "TaskResult",
    "__version__",
    "parallel",
    "research",
]

_HOMES = {
    "Swarm": "clawswarm.access.swarm",
    "parallel": "clawswarm.access.swarm",
    "research": "clawswarm.access.swarm",
    "ResearchResult": "clawswarm.types.research",
    "BatchResult": "clawswarm.types.result",
    "TaskResult": "clawswarm.types.result",
    "Task": "clawswarm.types.task",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: `import clawswarm` stays cheap."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
