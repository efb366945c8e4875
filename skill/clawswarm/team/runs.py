"""A run: opened, moved through its phases, paused, ended (design, section 6)."""

from collections.abc import Sequence
from dataclasses import replace

from clawswarm.config.team import TeamRules
from clawswarm.errors import InputError
from clawswarm.team.agents import alive
from clawswarm.team.draft import Draft
from clawswarm.team.permits import check
from clawswarm.team.rules import phases, trust
from clawswarm.team.rules.roles import display_name
from clawswarm.team.standing import standing
from clawswarm.team.texts import clean, said
from clawswarm.types.board import Agent, Run
from clawswarm.types.team import HUMAN, Channel, Phase, Role

MOST_GOAL = 10_000
MOST_REASON = 2_000


def open_run(
    draft: Draft, *, run_id: str, goal: str, rules: TeamRules, channels: Sequence[Channel] = ("file",)
) -> Run:
    """Open a run with its seven agents. It keeps these rules, whatever is configured later.

    Raises:
        InputError: there is no goal, or it is too long.
    """
    run = Run(
        id=run_id,
        goal=clean("the goal", goal, MOST_GOAL, required=True),
        rules=rules,
        opened=draft.now,
        since=draft.now,
        channels=tuple(channels),
    )
    agents = [Agent(role=role, trust=trust.first(role, rules.trust)) for role in Role]
    draft.record("run_opened", run.id, f"a run is opened: {said(run.goal)}", run, *agents)
    return run


def pause(draft: Draft, *, reason: str) -> Run:
    """Let the team wait. Anybody may; a human's word replaces an agent's.

    Raises:
        InputError: it is paused already.
    """
    run = draft.run
    if run.paused_by is not None and (draft.actor != HUMAN or run.paused_by == HUMAN):
        raise InputError(_is_paused(run), hint="it goes on with: swarm team resume")
    note = clean("the reason", reason, MOST_REASON, required=True)
    paused = replace(run, status="paused", paused_by=draft.actor, note=note)
    draft.record("run_paused", run.id, f"the run is paused: {said(note)}", paused, *alive(draft))
    return paused


def resume(draft: Draft, *, reason: str) -> Run:
    """Let the team go on.

    Raises:
        InputError: it is not paused, or somebody else has to say so.
    """
    run = draft.run
    if run.paused_by is None:
        raise InputError("the run is not paused", hint="what keeps it from going on: swarm team status")
    allowed = (HUMAN,) if run.paused_by == HUMAN else (run.paused_by, Role.DIRECTOR.value, HUMAN)
    if draft.actor not in allowed:
        may = ", ".join(dict.fromkeys(display_name(name) for name in allowed))
        raise InputError(f"{_is_paused(run)}; {draft.actor} may not resume it", hint=f"who may: {may}")
    why = clean("the reason", reason, MOST_REASON, required=True)
    resumed = replace(run, status="open", paused_by=None, note="")
    working = [replace(agent, seen=draft.now) for agent in draft.all(Agent, open_only=True)]
    draft.record("run_resumed", run.id, f"the run goes on: {said(why)}", resumed, *alive(draft, *working))
    return resumed


def end(draft: Draft, *, reason: str) -> Run:
    """End the run. What was running was not done, and stays as it is."""
    check(draft, "end the run")
    note = clean("the reason", reason, MOST_REASON, required=True)
    ended = replace(draft.run, status="ended", ended=draft.now, paused_by=None, note=note)
    stopped = [replace(agent, status="stopped") for agent in draft.all(Agent, open_only=True)]
    draft.record(
        "run_ended",
        ended.id,
        f"the run is ended: {said(note)}",
        ended,
        *alive(draft, *stopped),
        facts={"phase": ended.phase.value, "stopped": [agent.role.value for agent in stopped]},
    )
    return ended


def move_phase(draft: Draft, *, to: Phase, reason: str) -> Run:
    """Move on to a phase, or back to planning. Each review is a round of its own.

    Raises:
        InputError: that phase does not follow, the run is paused, or an emergency keeps it where it is.
    """
    run = draft.run
    why = clean("the reason", reason, MOST_REASON)
    move = phases.may_move(run.phase, to, actor=draft.actor, reason=why)
    if not move.allowed:
        raise InputError(
            move.reason, hint=f"it may move to: {', '.join(move.may)}" if move.may else _movers()
        )
    if run.paused_by is not None:
        raise InputError(f"{_is_paused(run)}; no phase begins", hint="it goes on with: swarm team resume")
    now = standing(draft, run)
    if now.breaker == "paused":
        raise InputError(
            f"no phase begins while an emergency is open: {now.reason}",
            hint="try to resolve it (swarm team attempt), or resolve it (swarm team resolve)",
        )
    moved = replace(run, phase=to, since=draft.now, round=run.round + 1 if to is Phase.REVIEW else run.round)
    draft.record(
        "phase_moved",
        run.id,
        f"{run.phase} → {to}" + (f": {said(why)}" if why else ""),
        moved,
        *alive(draft),
        facts={"from": run.phase.value, "to": to.value, "round": moved.round, "reason": why},
    )
    return moved


def _is_paused(run: Run) -> str:
    return f"the run is paused by {display_name(run.paused_by or '')}: {said(run.note)}"


def _movers() -> str:
    return f"who moves a run: {', '.join(display_name(name) for name in phases.MOVERS)}"
