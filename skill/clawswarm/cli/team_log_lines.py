"""An event of the journal on one line, and as data."""

import shutil
from typing import Any

from clawswarm.cli.screen import one_line, output_is_screen
from clawswarm.cli.team_layout import wrapped
from clawswarm.cli.team_times import clock_time
from clawswarm.team.moments import iso
from clawswarm.types.journal import Event

WHO = 10
"""Columns of who did it: the longest role."""
NARROWEST = 20
"""Columns of what it says, at least."""


def event_line(event: Event) -> str:
    """Such as `03:45:10  builder     task login is begun`."""
    return f"{_head(event)}{one_line(event.says)}"


def journal_lines(event: Event) -> list[str]:
    """The same with its number, as the journal has it; on a terminal in a column of its own."""
    head = f"{event.seq:>5}  {_head(event)}"
    if not output_is_screen():
        return [head + one_line(event.says)]
    width = max(len(head) + NARROWEST, shutil.get_terminal_size().columns)
    return wrapped(one_line(event.says), width, first=head, then=" " * len(head))


def _head(event: Event) -> str:
    return f"{clock_time(event.at)}  {event.actor:<{WHO}}  "


def event_json(event: Event) -> dict[str, Any]:
    """As `Event.as_json`, with the time in ISO 8601 as everywhere else in this command."""
    return event.as_json() | {"at": iso(event.at)}
