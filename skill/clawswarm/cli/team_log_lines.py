"""An event of the journal on one line, and as data."""

from typing import Any

from clawswarm.cli.screen import one_line
from clawswarm.cli.team_times import clock_time
from clawswarm.team.moments import iso
from clawswarm.types.journal import Event

WHO = 10
"""Columns of who did it: the longest role."""


def event_line(event: Event, *, numbered: bool = False) -> str:
    """Such as `03:45:10  builder     task login is begun`; in the journal itself with its number."""
    line = f"{clock_time(event.at)}  {event.actor:<{WHO}}  {one_line(event.says)}"
    return f"{event.seq:>5}  {line}" if numbered else line


def event_json(event: Event) -> dict[str, Any]:
    """As `Event.as_json`, with the time in ISO 8601 as everywhere else in this command."""
    return event.as_json() | {"at": iso(event.at)}
