"""A batch of the command line: the way in, its events to the display and to whoever wants them."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from clawswarm.access.api import SwarmAPI
from clawswarm.access.connect import Way
from clawswarm.cli.course import Course
from clawswarm.cli.output import say, warn
from clawswarm.cli.progress import show_progress
from clawswarm.types.events import BatchComplete, BatchEvent, BatchStarted, TaskFinished
from clawswarm.types.requests import BatchRequest


@contextmanager
def telling(way: Way, *, quiet: bool = False) -> Generator[None]:
    """Say whether the daemon does the work and what else the user should know: now, and what is new then."""
    told = (*way.notes, *way.api.warnings)
    warn(told)
    if way.daemon is not None and not quiet:
        say(f"🐝 Using daemon (port {way.daemon.port})")
    yield
    warn(warning for warning in way.api.warnings if warning not in told)


def _nobody(_: BatchEvent) -> None:
    """Nobody else listens."""


async def ask(
    api: SwarmAPI,
    request: BatchRequest,
    course: Course,
    *,
    quiet: bool = False,
    take: Callable[[BatchEvent], None] = _nobody,
) -> BatchComplete | None:
    """Ask all prompts of `request`, with the live display; the last event, if it came to that.

    Args:
        take: sees each event.
    """
    last: BatchComplete | None = None

    async def emit(event: BatchEvent) -> None:
        nonlocal last
        match event:
            case BatchStarted():
                course.begin(event)
            case TaskFinished():
                course.add(event.task)
            case BatchComplete():
                course.end(event.stats)
                last = event
        take(event)

    async with show_progress(course, quiet=quiet):
        await api.parallel(request, emit)
    return last
