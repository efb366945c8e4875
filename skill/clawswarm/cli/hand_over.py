"""`--detach`: the work is handed to the daemon as a job, and goes on by itself."""

import os

from clawswarm.access.connect import connect
from clawswarm.access.launch import launch
from clawswarm.cli.output import print_json, say, show
from clawswarm.config.model import Settings
from clawswarm.types.requests import BatchRequest, ResearchRequest


async def hand_over(
    settings: Settings, request: BatchRequest | ResearchRequest, things: str, *, as_json: bool
) -> int:
    """Make a job of `request`. The daemon is started where none runs: it has to outlive this command.

    Args:
        things: what it holds many of, such as "prompts".

    Raises:
        SwarmError: the daemon cannot be started, or refuses the job.
    """
    launched = launch(os.environ)
    if not launched.was_running:
        say(f"🐝 Daemon started on port {launched.presence.port}")
    async with connect(settings, os.environ, request.options, use_daemon=True) as way:
        job = await way.api.submit(request)
    if as_json:
        print_json(job.as_json())
    else:
        show(job.id)
        say(f"📋 {job.total} {things} are worked on. See: swarm jobs wait {job.id}")
    return 0
