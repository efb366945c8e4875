"""After a change that calls a human: whether anybody has been told, and what is done about it."""

import os
from collections.abc import Iterable
from importlib import import_module

from clawswarm.access.presence import look
from clawswarm.access.team import Team
from clawswarm.cli.team_screen import told
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.team.alerts import waiting
from clawswarm.types.alarms import Alert
from clawswarm.types.journal import Event


def called(team: Team, settings: Settings, events: Iterable[Event]) -> list[Alert]:
    """The alerts that these events made, once they were taken to whom they are for, as far as that goes.

    The daemon does that where one runs; where none does, this process does. Either way for some seconds.
    """
    made = [event.subject for event in events if event.kind == "alert_made"]
    waits = {call.alert.id for call, _ in waiting(team.board)} if made else set[str]()
    if waits.intersection(made):
        # What sends them takes as long to load as all the rest: only who has something to send loads it.
        daemon = look(Paths.of(os.environ)) is not None
        import_module("clawswarm.cli.team_around").see_through(team, settings, made, daemon=daemon)
    with team.board.reading() as (_, documents):
        return [alert for alert in (documents.get(Alert, id_) for id_ in made) if alert is not None]


def in_words(alert: Alert) -> list[str]:
    """What is known of it, for a person; and who goes on trying."""
    first, *more = told(alert)
    lines = [f"swarm: {alert.id}, for {alert.emergency}: {first}", *(f"  {line}" for line in more)]
    if alert.open:
        if look(Paths.of(os.environ)) is None:
            lines.append("  no daemon runs that would keep trying: swarm start")
        else:
            lines.append("  the daemon keeps trying; how it stands: swarm team status")
    return lines
