"""`team_start`, `team_status`, `team_message`, `team_checkpoint`, `raise_emergency`: the board of a team."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

import anyio.to_thread
from pydantic import ValidationError

from clawswarm.access.team import Team
from clawswarm.access.team_views import TeamViews
from clawswarm.config.team import TeamRules
from clawswarm.errors import InputError, NotFound
from clawswarm.types.board import Message, Run
from clawswarm.types.team import HUMAN, Level
from clawswarm_mcp.board import cared_for, on_board
from clawswarm_mcp.bounding import fit
from clawswarm_mcp.call import Call, Reply
from clawswarm_mcp.digest import MOST_OPEN, MOST_TASKS, board_in_short, message_row
from clawswarm_mcp.inputs import (
    CheckpointArguments,
    EmergencyArguments,
    MessageArguments,
    StartArguments,
    StatusArguments,
)
from clawswarm_mcp.results import (
    CheckpointResult,
    EmergencyResult,
    MessageResult,
    StartResult,
    StatusResult,
)

NOBODY_WORKS_YET = (
    "The board is open, and nobody works yet: this release has no runner of its own. Play the seven roles "
    "yourself, or give each to an agent of yours; each acts through the team tools with its role, calls "
    "team_status before each step, and obeys the directive."
)
NO_RUN = "no team run is open; team_start opens one"
MOST_INBOX = 20


async def start(call: Call, given: StartArguments) -> Reply:
    """Open a run."""
    settings = await call.session.ways.settings()
    rules = _rules(settings.team.rules, given)

    def work(team: Team, _: TeamViews) -> Run:
        return team.open(given.goal, by=HUMAN, rules=rules).value

    seen = await on_board(call, HUMAN, work)
    uncared = await cared_for(call)
    run = seen.value
    data = StartResult(
        directive=seen.directive,
        reason=seen.reason,
        run=run.id,
        note=NOBODY_WORKS_YET if uncared is None else f"{NOBODY_WORKS_YET} And {uncared}",
    )
    return Reply(data, f"Run {run.id} is open, in the phase planning. No agent was started.{seen.text}")


async def status(call: Call, given: StatusArguments) -> Reply:
    """The board in short."""
    _, views = await call.session.team()
    look = partial(views.glance, given.role, tasks=MOST_TASKS, proposals=MOST_OPEN)
    try:
        glance = await anyio.to_thread.run_sync(look, abandon_on_cancel=True)
    except NotFound:
        return Reply(StatusResult(directive="stop", reason=NO_RUN), f"Directive: stop, because {NO_RUN}.")
    found, run = board_in_short(glance), glance.run
    data = StatusResult(directive=glance.directive, reason=glance.reason, **found)
    text = (
        f"{run.id} is {run.status} in the phase {run.phase}, level {glance.standing.level:d}; "
        f"{len(glance.standing.emergencies)} emergencies and {glance.all_proposals} proposals are open. "
        f"Directive: {glance.directive}, because {glance.reason}"
    )
    return Reply(data, text, ("team://state", "team-state"))


async def message(call: Call, given: MessageArguments) -> Reply:
    """Send, read or acknowledge messages."""
    match given.action:
        case "send":
            return await _send(call, given)
        case "inbox":
            return await _inbox(call, given)
        case "acknowledge":
            return await _acknowledge(call, given)


async def _send(call: Call, given: MessageArguments) -> Reply:
    to = given.to
    if to is None:
        raise InputError("'to' is missing: whom is it for?", hint="a role, or ALL")

    def work(team: Team, views: TeamViews) -> tuple[Message, int | None]:
        sent = team.work.send(
            given.role,
            to=to,
            type=given.type,
            priority=given.priority,
            content=given.content,
            context=given.context,
            expected=given.expected,
            answers=given.reply_to,
        )
        return sent.value, _unread(views, given.role)

    seen = await on_board(call, given.role, work)
    sent, unread = seen.value
    data = MessageResult(directive=seen.directive, reason=seen.reason, id=sent.id, unread=unread)
    return Reply(data, f"{sent.id} was sent to {sent.to}.{_waiting(unread)}{seen.text}")


async def _inbox(call: Call, given: MessageArguments) -> Reply:
    def work(team: Team, views: TeamViews) -> tuple[list[Message], int]:
        return team.work.inbox(given.role, limit=MOST_INBOX), views.unread(given.role)

    seen = await on_board(call, given.role, work)
    waiting, unread = seen.value
    rows = fit([message_row(each) for each in waiting]).rows
    data = MessageResult(directive=seen.directive, reason=seen.reason, messages=rows, unread=unread)
    more = f", the first {len(rows)} are here" if unread > len(rows) else ""
    return Reply(data, f"{unread} messages wait{more}: emergencies first, then the oldest.{seen.text}")


async def _acknowledge(call: Call, given: MessageArguments) -> Reply:
    if not given.messages:
        raise InputError("'messages' is missing: which ones were read?", hint='their ids: ["m12", "m13"]')

    def work(team: Team, views: TeamViews) -> int:
        team.work.acknowledge(given.role, role=given.role, messages_=given.messages)
        return views.unread(given.role)

    seen = await on_board(call, given.role, work)
    data = MessageResult(directive=seen.directive, reason=seen.reason, unread=seen.value)
    return Reply(data, f"Acknowledged; {seen.value} messages wait.{seen.text}")


async def checkpoint(call: Call, given: CheckpointArguments) -> Reply:
    """Take a checkpoint; move on to the next phase where that was asked for."""

    def work(team: Team, _: TeamViews) -> tuple[str, str]:
        taken = team.meetings.take_checkpoint(
            given.role,
            trigger=given.trigger,
            summary=given.summary,
            sentences=given.reports or {},
            blockers=given.blockers,
            decision=given.decision,
            next_trigger=given.next_trigger,
            commit=given.commit,
        ).value
        if given.phase is None or given.phase == taken.phase:
            return taken.id, taken.phase.value
        try:
            moved = team.move_phase(given.role, to=given.phase, reason=given.summary)
        except InputError as error:
            raise InputError(
                f"the checkpoint {taken.id} was taken, but the phase stays {taken.phase}: {error.message}",
                hint=error.hint,
            ) from error
        return taken.id, moved.value.phase.value

    seen = await on_board(call, given.role, work)
    id_, phase = seen.value
    data = CheckpointResult(directive=seen.directive, reason=seen.reason, id=id_, phase=phase)
    text = f"Checkpoint {id_} was taken in the phase {phase}. Back to it: team_control with action rollback."
    return Reply(data, text + seen.text, (f"team://checkpoints/{id_}", id_))


async def emergency(call: Call, given: EmergencyArguments) -> Reply:
    """Raise an emergency."""

    def work(team: Team, _: TeamViews) -> Any:
        return team.raise_emergency(given.role, level=given.level, text=given.text, agent=given.agent).value

    seen = await on_board(call, given.role, work)
    raised = seen.value
    called = raised.level >= Level.SYSTEM
    data = EmergencyResult(
        directive=seen.directive,
        reason=seen.reason,
        id=raised.id,
        level=int(raised.level),
        human=raised.human,
        note=await cared_for(call) if called else None,
    )
    text = f"{raised.id} is open at level {raised.level:d}."
    if called:
        text += " Tell the user at once: a human has to end it (team_control with action resolve or answer)."
    return Reply(data, text + seen.text, ("team://emergency", "emergency"))


def _unread(views: TeamViews, role: str) -> int | None:
    return None if role.strip().lower() == HUMAN else views.unread(role)


def _waiting(unread: int | None) -> str:
    return f" {unread} messages wait in your inbox." if unread else ""


def _rules(configured: TeamRules, given: StartArguments) -> TeamRules | None:
    """The configured rules with the caller's caps; None where there are none.

    Raises:
        InputError: a cap cannot be used.
    """
    caps: Mapping[str, Any] = {
        "max_run_spend": None if given.max_spend is None else Decimal(str(given.max_spend)),
        "max_hours": given.max_hours,
    }
    wanted = {name: value for name, value in caps.items() if value is not None}
    if not wanted:
        return None
    try:
        return TeamRules.model_validate(
            {**configured.model_dump(), "budget": configured.budget.model_dump() | wanted}
        )
    except ValidationError as error:
        raise InputError(f"max_spend or max_hours cannot be used: {error.errors()[0]['msg']}") from None
