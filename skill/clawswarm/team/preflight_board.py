"""The run before it is left alone: whether there is one, with its agents and its files."""

from datetime import datetime, timedelta
from typing import Any

from clawswarm.config.paths import Paths
from clawswarm.config.team import TeamRules
from clawswarm.engine.checks import Check
from clawswarm.team.moments import shown
from clawswarm.team.overview import Overview
from clawswarm.team.rules.roles import PROFILES, timeout
from clawswarm.team.views import VIEWS
from clawswarm.types.team import Role

STALE = timedelta(hours=24)
"""Silence after which an open run is probably one that somebody forgot."""

_OPEN_ONE = 'open one: swarm team open "what is to be done"'


def state(overview: Overview | None, paths: Paths, now: datetime) -> Check:
    """The run that is open, and the files that show it."""
    if overview is None:
        return Check(
            name="state", status="warn", seen="no run was opened yet", fix=_OPEN_ONE, details=_NO_RUN
        )
    run = overview.run
    if not run.open:
        seen = f"no run is open; the last one, {run.id}, has ended"
        return Check(name="state", status="warn", seen=seen, fix=_OPEN_ONE, details=_NO_RUN | {"run": run.id})
    active = max(
        [run.opened, run.since, *(agent.seen for agent in overview.agents if agent.seen is not None)]
    )
    missing = [name for name in VIEWS if not (paths.memory / name).is_file()]
    standing = overview.standing
    details = {
        "run": run.id,
        "open": True,
        "phase": run.phase.value,
        "level": int(standing.level),
        "last_active": active,
        "missing_views": missing,
    }
    known = f"run {run.id} is open since {shown(run.opened)} UTC, phase {run.phase.value}"
    if standing.emergencies:
        seen = f"{known}, level {standing.level:d}: {len(standing.emergencies)} emergencies are open"
        fix = "see: swarm team status; then: swarm team resolve"
        return Check(name="state", status="warn", seen=seen, fix=fix, details=details)
    if missing:
        seen = f"{known}, but {paths.memory} lacks {', '.join(missing)}"
        fix = "the next change writes them, and so does the daemon: swarm start"
        return Check(name="state", status="warn", seen=seen, fix=fix, details=details)
    if now.timestamp() - active > STALE.total_seconds():
        seen = f"{known}, and nobody did anything since {shown(active)} UTC"
        fix = 'if it is an earlier one: swarm team end "left over"'
        return Check(name="state", status="warn", seen=seen, fix=fix, details=details)
    seen = f"{known}; {', '.join(VIEWS)} are written"
    return Check(name="state", status="ok", seen=seen, details=details)


_NO_RUN: dict[str, Any] = {"run": None, "open": False}


def agents(overview: Overview | None, rules: TeamRules) -> Check:
    """The seven roles, with the rules of the open run, else those that the next one gets."""
    is_open = overview is not None and overview.run.open
    rules = overview.run.rules if overview is not None and is_open else rules
    details = {"agents": {role.value: {"timeout": timeout(role, rules)} for role in Role}}
    there = {agent.role for agent in overview.agents} if overview is not None and is_open else set(Role)
    if missing := [PROFILES[role].name for role in Role if role not in there]:
        seen = f"the open run lacks {', '.join(missing)}"
        fix = "its board is damaged: swarm team restore, or open another run"
        return Check(name="agents", status="fail", seen=seen, fix=fix, details=details)
    each = ", ".join(f"{PROFILES[role].name} {timeout(role, rules):g} s" for role in Role)
    seen = f"{len(there)} roles: {each}; at most {rules.max_concurrent} work at once"
    return Check(name="agents", status="ok", seen=seen, details=details)
