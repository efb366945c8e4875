"""The board watches its run: after each change what the change touched, and from time to time what only time
or the machine shows (operations guide, section 4). The thresholds and their meaning: `rules.guards`.

What is raised here is raised by the system, whoever's change showed it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from clawswarm.team.board import Reaction
from clawswarm.team.draft import Draft
from clawswarm.team.emergencies import raise_emergency, settle
from clawswarm.team.rules import guards as rules
from clawswarm.team.rules.levels import TEAM, needs_human
from clawswarm.team.rules.roles import display_name
from clawswarm.team.standing import standing
from clawswarm.team.summons import tell_the_director
from clawswarm.types.alarms import Emergency
from clawswarm.types.board import Agent, Finding, Spend, Task
from clawswarm.types.journal import Event, EventKind
from clawswarm.types.team import SYSTEM, Cause, Level, Severity


def watch(draft: Draft) -> None:
    """Look at what this change touched."""
    for event in tuple(draft.events):
        if look := _LOOKS.get(event.kind):
            look(draft, event)


REACTIONS: tuple[Reaction, ...] = (watch, tell_the_director)
"""What follows each change."""


def sweep(draft: Draft, machine: rules.Machine | None) -> None:
    """Look at the time, and at the machine where it is known. Nobody is watched while all are paused."""
    run, now = draft.run, draft.now
    if standing(draft, run).paused == TEAM:
        return
    found = draft.all(Emergency)
    _heard_again(draft, found)
    if machine is not None:
        _look_at_machine(draft, machine, found)
    _judge(draft, "budget", rules.HOURS_KEY, lambda told: rules.hours(run, now, told))
    waited = [(e.at, now if e.resolved is None else e.resolved) for e in found if needs_human(e.level)]
    worked = rules.working_seconds(run.since, now, waited)
    _judge(draft, "runaway", rules.phase_key(run), lambda told: rules.phase_length(run, worked, told))
    _look_for_silent(draft, found)


def _look_at_call(draft: Draft, event: Event) -> None:
    agent = draft.need(Agent, event.subject)
    seen = rules.calls(agent, draft.rules.guards)
    if seen and not _about(agent, draft.all(Emergency, open_only=True)):
        _raise(draft, seen)


def _look_at_restart(draft: Draft, event: Event) -> None:
    """A fresh start is what ends an emergency about one agent (guide, level 1)."""
    agent = draft.need(Agent, event.subject)
    for emergency in _about(agent, draft.all(Emergency, open_only=True)):
        settle(draft, emergency, f"{display_name(agent.role)} was given a fresh start", by=SYSTEM)


def _look_at_finding(draft: Draft, event: Event) -> None:
    finding, limits = draft.need(Finding, event.subject), draft.rules.guards
    for seen in (rules.contradiction(finding), rules.design_flaw(finding)):
        if seen:
            _raise(draft, seen)
    if finding.severity is Severity.CRITICAL:
        findings, round_ = draft.all(Finding), finding.round
        key = rules.review_key(round_)
        _judge(draft, "quality", key, lambda told: rules.criticals(findings, round_, told, limits))


def _look_at_task(draft: Draft, event: Event) -> None:
    task, limits = draft.need(Task, event.subject), draft.rules.guards
    if task.status == "running":
        _judge(draft, "runaway", rules.task_key(task), lambda told: rules.attempts(task, told, limits))


def _look_at_spend(draft: Draft, event: Event) -> None:
    budget = draft.rules.budget
    if budget.max_run_spend is not None:
        spends = draft.all(Spend)
        _judge(draft, "budget", rules.SPEND_KEY, lambda told: rules.spent(spends, told, budget))


_LOOKS: Mapping[EventKind, Callable[[Draft, Event], None]] = MappingProxyType(
    {
        "call_made": _look_at_call,
        "agent_restarted": _look_at_restart,
        "finding_made": _look_at_finding,
        "task_moved": _look_at_task,
        "spend_noted": _look_at_spend,
    }
)
"""What of a change is looked at, by the kind of its event."""


def _heard_again(draft: Draft, found: Sequence[Emergency]) -> None:
    """An agent that the board hears of is silent no longer."""
    for emergency in found:
        if not (emergency.open and emergency.cause == "silent" and emergency.level is Level.AGENT):
            continue
        if emergency.agent is None:
            continue
        seen = draft.agent(emergency.agent).seen
        if seen is not None and seen > emergency.at:
            settle(draft, emergency, f"{display_name(emergency.agent)} was heard of again", by=SYSTEM)


def _look_for_silent(draft: Draft, found: Sequence[Emergency]) -> None:
    now = standing(draft, draft.run)
    for agent in draft.all(Agent):
        if agent.role in now.paused or agent.seen is None or _about(agent, now.emergencies):
            continue
        since = max(agent.seen, *_let_go(agent, found))
        if seen := rules.silent(agent, since, draft.now, draft.rules.guards):
            _raise(draft, seen)


def _let_go(agent: Agent, found: Iterable[Emergency]) -> list[float]:
    """When the agent was let go on after what had paused it: until then it was to be silent."""
    moments = [0.0]
    for emergency in found:
        if emergency.level >= Level.COORDINATION or emergency.agent is agent.role:
            moments += [attempt.at for attempt in emergency.attempts]
            moments += [] if emergency.resolved is None else [emergency.resolved]
    return moments


def _look_at_machine(draft: Draft, machine: rules.Machine, found: Sequence[Emergency]) -> None:
    """What was resolved and is still exhausted is not raised again, before it has been in order once."""
    for key, seen in rules.resources(machine, draft.rules.guards).items():
        about = [e for e in found if e.cause == "resource" and e.key == key]
        last = max(about, key=lambda e: e.at, default=None)
        if seen and (last is None or "in_order" in last.saw):
            _raise(draft, seen)
        if seen is None and last is not None and not last.open and "in_order" not in last.saw:
            changed = replace(last, saw=last.saw | {"in_order": draft.now})
            says = f"the machine is in order again: {last.key}, see {last.id}"
            draft.record("emergency_resolved", last.id, says, changed, facts={"key": key}, actor=SYSTEM)


def _judge(
    draft: Draft, cause: Cause, key: str, check: Callable[[rules.Told], rules.Sighting | None]
) -> None:
    """Raise what `check` sees. What was told before is looked up only where there is something to tell."""
    if check(rules.UNTOLD) is None:
        return
    about = [e for e in draft.all(Emergency) if (e.cause, e.key) == (cause, key)]
    most = max((e.saw.get("number", 0) for e in about), default=None)
    if seen := check(rules.Told(most, any(e.open for e in about))):
        _raise(draft, seen)


def _raise(draft: Draft, seen: rules.Sighting) -> Emergency:
    return raise_emergency(
        draft,
        level=seen.level,
        text=seen.text,
        cause=seen.cause,
        key=seen.key,
        agent=seen.agent,
        saw=seen.saw,
        human=seen.human,
    )


def _about(agent: Agent, found: Iterable[Emergency]) -> list[Emergency]:
    """The open emergencies that a guard raised about this agent alone."""
    return [
        e
        for e in found
        if e.open and e.agent is agent.role and e.cause in rules.AGENT_CAUSES and e.level is Level.AGENT
    ]
