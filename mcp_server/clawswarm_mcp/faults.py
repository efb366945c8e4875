"""What went wrong, in words for a model: what it was, what is allowed, what to do next."""

import re
from collections.abc import Mapping

from clawswarm.errors import SwarmError

UNFORESEEN = (
    "something went wrong inside Swarm; it was written to the server's log. Try once more, or: swarm diagnose"
)

_IN_TOOLS: Mapping[str, str] = {
    "swarm jobs list": "swarm_job with action list",
    "swarm jobs cancel": "swarm_job with action cancel and job_id",
    "swarm team open": "team_start with goal",
    "swarm team end": "team_control with action abort",
    "swarm team resume": "team_control with action resume",
    "swarm team resolve": "team_control with action resolve and emergency",
    "swarm team status": "team_status",
    "swarm team inbox": "team_message with action inbox and role",
}
"""Commands that hints name, as what a caller of tools can do."""

_COMMAND = re.compile(f"`?({'|'.join(map(re.escape, _IN_TOOLS))})`?")


def in_words(error: SwarmError) -> str:
    """The error, and the way out of it."""
    return error.message if error.hint is None else f"{error.message}\n{in_tools(error.hint)}"


def in_tools(hint: str) -> str:
    """A hint for people at a terminal, as one for callers of tools."""
    return _COMMAND.sub(lambda found: _IN_TOOLS[found[1]], hint)
