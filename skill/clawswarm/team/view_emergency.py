"""emergency.md: how bad it is, what is open, and what to do about it (operations guide, sections 4 and 5).

Open emergencies are messages in the guide's format. A human is said to have been told only where a receipt
shows it.
"""

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from clawswarm.team.markdown import inline, page, quote
from clawswarm.team.moments import iso, shown
from clawswarm.team.overview import Overview
from clawswarm.team.rules.levels import MEANING, TITLES, needs_human
from clawswarm.team.rules.roles import display_name
from clawswarm.team.standing import Standing
from clawswarm.team.view_pipeline import paused
from clawswarm.types.alarms import Alert, Attempt, Emergency
from clawswarm.types.team import Level

MOST_OPEN = 50
MOST_FACTS = 20
MOST_FACT = 300

_OUTCOME = {None: "under way", True: "it helped", False: "it failed"}


def emergency_page(overview: Overview) -> str:
    """The whole file."""
    standing = overview.standing
    more = len(standing.emergencies) - MOST_OPEN
    return page(
        "# ~/clawd/memory/emergency.md",
        "",
        f"## Current Level: {standing.level:d}",
        *(_state(standing) if standing.emergencies else _CALM),
        *(
            _open(emergency, overview.alerts.get(emergency.id))
            for emergency in standing.emergencies[:MOST_OPEN]
        ),
        ["", f"And {more} more open ones: `swarm team status --json`"] if more > 0 else [],
        _resolved(overview),
    )


_CALM = (
    "- No emergency",
    '- To raise one: `swarm team emergency "what is wrong"`, or write it into this file',
)


def _state(standing: Standing) -> list[str]:
    human = "not needed yet" if standing.human is None else f"needed: {inline(standing.human)}"
    return [
        f"- Meaning: {MEANING[standing.level]}",
        f"- Circuit breaker: {standing.breaker}",
        f"- Paused: {paused(standing.paused)}",
        f"- Human: {human}",
    ]


def _open(emergency: Emergency, alert: Alert | None) -> list[str]:
    about = [] if emergency.agent is None else [f"- Agent: {display_name(emergency.agent)}"]
    return [
        "",
        f"## Emergency {emergency.id}",
        "",
        f"FROM: {display_name(emergency.by)}",
        f"TO: {'Human' if needs_human(emergency.level) else 'Director'}",
        "TYPE: ALERT",
        "PRIORITY: EMERGENCY",
        f"TIMESTAMP: {iso(emergency.at)}",
        "",
        "### Content",
        *quote(emergency.text),
        "",
        "### Context",
        f"- Level: {emergency.level:d}, {MEANING[emergency.level]}",
        f"- Cause: {TITLES[emergency.cause]}",
        *about,
        *_seen(emergency.saw),
        *(_attempt(number, each) for number, each in enumerate(emergency.attempts, 1)),
        *_told(emergency, alert),
        "",
        "### Expected Response",
        *(f"- {line}" for line in _next(emergency)),
    ]


def _seen(saw: Mapping[str, Any]) -> list[str]:
    """What the guard or the agent saw, as facts."""
    lines = [
        f"- Seen: {inline(str(name), MOST_FACT)}: {inline(_fact(fact), MOST_FACT)}"
        for name, fact in list(saw.items())[:MOST_FACTS]
    ]
    if len(saw) > MOST_FACTS:
        lines.append(f"- Seen: {len(saw) - MOST_FACTS} further facts")
    return lines


def _fact(fact: object) -> str:
    return fact if isinstance(fact, str) else to_json(fact, fallback=str).decode()


def _attempt(number: int, attempt: Attempt) -> str:
    by = f"{display_name(attempt.by)}, {shown(attempt.at)}"
    return f"- Attempt {number} by {by}, {_OUTCOME[attempt.worked]}: {inline(attempt.what)}"


def _told(emergency: Emergency, alert: Alert | None) -> list[str]:
    """Whether a human knows, as far as receipts show it."""
    if not needs_human(emergency.level):
        return []
    if alert is None:
        return ["- Human: no alert is known, nobody can be said to have been told"]
    lines = [
        f"- Received: {receipt.channel}, {shown(receipt.at)}: {inline(receipt.detail)}"
        for receipt in alert.receipts
    ]
    lines += [f"- Not received: {inline(name)}: {inline(why)}" for name, why in alert.trouble.items()]
    told = "told" if alert.told else "called, and nobody can be said to have been told yet"
    return [f"- Human: {told} (alert {alert.id})", *lines]


def _next(emergency: Emergency) -> list[str]:
    resolve = f'`swarm team resolve {emergency.id} "what was done"`'
    match emergency.level:
        case Level.NORMAL | Level.AGENT:
            who = "the agent" if emergency.agent is None else display_name(emergency.agent)
            return [
                f"The Director reassigns the task of {who}, or restarts it",
                f"Then: {resolve} with `--as director`",
            ]
        case Level.COORDINATION:
            return [
                "The Director mediates; the phase may have to begin again",
                f'Say what is tried: `swarm team attempt {emergency.id} "what is tried" --as director`',
                f"Once it helped: {resolve} with `--as director`",
            ]
        case Level.SYSTEM:
            return [
                "All agents wait for a human",
                "The Scribe writes down the full state, the Director a summary that a human can read",
                f"A human lets them go on: {resolve}",
            ]
        case Level.ABORT:
            return [
                "Everything stops; the state is kept",
                f"A human goes on with {resolve}, or ends the run: `swarm team end`",
            ]


def _resolved(overview: Overview) -> list[str]:
    if not overview.resolved:
        return []
    lines = ["", "## Recently Resolved"]
    for each in overview.resolved:
        by, at = display_name(each.resolved_by or ""), "" if each.resolved is None else shown(each.resolved)
        lines += [
            f"- {each.id}, level {each.level:d}, {TITLES[each.cause]}: {inline(each.text)}",
            f"  - Resolved by {by}, {at}: {inline(each.resolution)}",
        ]
    if overview.earlier_resolved:
        lines += ["", f"{overview.earlier_resolved} earlier ones: `swarm team log --kind emergency_resolved`"]
    return lines
