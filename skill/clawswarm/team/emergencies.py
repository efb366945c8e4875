"""Emergencies: raised, tried, resolved (operations guide, sections 3 and 4). Who may do what: `rules.levels`.

An emergency's level only rises. From level 3 on an alert is made in the same change, one an emergency.
"""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from clawswarm.errors import InputError
from clawswarm.team import alert_text
from clawswarm.team.agents import alive
from clawswarm.team.draft import Draft
from clawswarm.team.rules import levels
from clawswarm.team.texts import clean, said
from clawswarm.types.alarms import Alert, Attempt, Emergency
from clawswarm.types.team import SYSTEM, Cause, Level, Role

MOST_TEXT = 20_000
MOST_REASON = 2_000
KEYED = 200
"""Characters of a text that tell one emergency raised by hand from another."""


def raise_emergency(
    draft: Draft,
    *,
    level: int,
    text: str,
    cause: Cause = "manual",
    key: str = "",
    agent: Role | None = None,
    saw: Mapping[str, Any] | None = None,
    human: str | None = None,
) -> Emergency:
    """Raise an emergency, or the level of the open one with the same cause and key. Anybody may.

    Args:
        cause: all but "manual" are raised by the board itself, whoever's change showed them.
        key: what it is about; "" for the text itself.
        agent: whom it concerns; needed at level 1, where it is the one who raises it unless another is named.
        human: why a human is needed at once, which makes it level 3 at least; None: the level says.
    """
    wanted = levels.raised_to(_level(level), human)
    text = clean("an emergency's text", text, MOST_TEXT, required=True)
    human = None if human is None else clean("the reason for a human", human, MOST_REASON, required=True)
    key = key or sha256(text[:KEYED].encode()).hexdigest()
    before = next((e for e in draft.all(Emergency, open_only=True) if (e.cause, e.key) == (cause, key)), None)
    by = draft.actor if cause == "manual" else SYSTEM
    if before is not None:
        if wanted <= before.level:
            return before
        return _rise(draft, before, to=wanted, by=by, why=text, human=human, saw=saw or {})
    emergency = Emergency(
        id=f"e{draft.next_seq}",
        level=wanted,
        cause=cause,
        key=key,
        text=text,
        by=by,
        at=draft.now,
        agent=_concerned(draft, agent) if wanted is Level.AGENT else agent,
        saw=dict(saw or {}),
        human=_why_human(wanted, cause, human),
    )
    draft.record(
        "emergency_raised",
        emergency.id,
        f"level {wanted:d}, {levels.TITLES[cause]}: {said(text)}",
        emergency,
        *alive(draft),
        facts={"level": int(wanted), "cause": cause, "key": key, "agent": agent, "saw": emergency.saw},
        actor=by,
    )
    _call_human(draft, emergency, before=Level.NORMAL)
    return emergency


def attempt(draft: Draft, *, emergency: str, what: str) -> Emergency:
    """Try to resolve it. Below level 3 the team goes on meanwhile, until the attempt has failed."""
    found = _open(draft, emergency)
    _check(levels.refuse_attempt(draft.actor))
    if found.status == "probing":
        raise InputError(
            f"an attempt to resolve {found.id} is under way: {said(found.attempts[-1].what)}",
            hint="say first how it went: it failed, or the emergency is resolved",
        )
    what = clean("what is tried", what, MOST_REASON, required=True)
    tried = Attempt(by=draft.actor, what=what, at=draft.now)
    changed = replace(found, status="probing", attempts=(*found.attempts, tried))
    says = f"attempt {len(changed.attempts)} to resolve {found.id}: {said(what)}"
    number = {"attempt": len(changed.attempts)}
    draft.record("emergency_tried", found.id, says, changed, *alive(draft), facts=number)
    return changed


def failed(draft: Draft, *, emergency: str, reason: str) -> Emergency:
    """The attempt under way did not help. After as many as the rules allow a human is needed."""
    found = _open(draft, emergency)
    _check(levels.refuse_attempt(draft.actor))
    if found.status != "probing":
        raise InputError(
            f"no attempt to resolve {found.id} is under way", hint="say first what is tried: an attempt"
        )
    reason = clean("the reason", reason, MOST_REASON, required=True)
    changed = replace(found, status="open", attempts=_ended(found, worked=False))
    draft.record(
        "emergency_tried",
        found.id,
        f"attempt {len(changed.attempts)} to resolve {found.id} failed: {said(reason)}",
        changed,
        *alive(draft),
        facts={"attempt": len(changed.attempts), "failed": True, "reason": reason},
    )
    count = _failures(changed)
    to = levels.after_failures(found.level, count, draft.rules.guards.attempts)
    if to > found.level:
        why = levels.unresolved(count)
        return _rise(draft, changed, to=to, by=SYSTEM, why=why, human=why, saw={})
    return changed


def resolve(draft: Draft, *, emergency: str, reason: str) -> Emergency:
    """It is over. From level 3 on only a human says so."""
    found = _open(draft, emergency)
    _check(
        levels.refuse_resolving(found, draft.actor),
        hint=f'swarm team resolve {found.id} "what was done"' if levels.needs_human(found.level) else None,
    )
    return settle(draft, found, clean("the reason", reason, MOST_REASON, required=True), by=draft.actor)


def settle(draft: Draft, found: Emergency, reason: str, *, by: str) -> Emergency:
    """End an open emergency in the name of `by`, who may do so."""
    changed = replace(
        found,
        status="resolved",
        attempts=_ended(found, worked=True),
        resolution=reason,
        resolved_by=by,
        resolved=draft.now,
    )
    says = f"{found.id} is resolved: {said(reason)}"
    draft.record("emergency_resolved", found.id, says, changed, facts={"level": int(found.level)}, actor=by)
    return changed


def _rise(
    draft: Draft, found: Emergency, *, to: Level, by: str, why: str, human: str | None, saw: Mapping[str, Any]
) -> Emergency:
    """Raise its level. An attempt that was under way has not helped."""
    attempts = _ended(found, worked=False)
    tried = replace(found, status="open", attempts=attempts)
    count = _failures(tried)
    if (most := levels.after_failures(to, count, draft.rules.guards.attempts)) > to:
        to, human = most, human or levels.unresolved(count)
    changed = replace(
        tried, level=to, saw=found.saw | dict(saw), human=_why_human(to, found.cause, human or found.human)
    )
    draft.record(
        "emergency_escalated",
        found.id,
        f"{found.id} rises from level {found.level:d} to {to:d}: {said(why)}",
        changed,
        facts={"from": int(found.level), "to": int(to), "human": changed.human, "saw": dict(saw)},
        actor=by,
    )
    _call_human(draft, changed, before=found.level)
    return changed


def _call_human(draft: Draft, emergency: Emergency, *, before: Level) -> None:
    """Make the alert of an emergency that has just come to need a human."""
    if not levels.needs_human(emergency.level) or levels.needs_human(before):
        return
    run = draft.run
    alert = Alert(
        id=f"a{draft.next_seq}",
        emergency=emergency.id,
        level=emergency.level,
        at=draft.now,
        title=alert_text.title(emergency),
        body=alert_text.body(emergency, run),
        wanted=run.channels,
    )
    draft.record(
        "alert_made",
        alert.id,
        f"a human is called: {alert.title}",
        alert,
        facts={"emergency": emergency.id, "level": int(emergency.level), "wanted": list(run.channels)},
        actor=SYSTEM,
    )


def _level(number: int) -> Level:
    if number not in levels.RAISED:
        known = "; ".join(f"{level:d}: {levels.MEANING[level]}" for level in levels.RAISED)
        raise InputError(f"an emergency has level 1 to 4, not {number}", hint=known)
    return Level(number)


def _concerned(draft: Draft, agent: Role | None) -> Role:
    """The agent that an emergency of level 1 is about."""
    if agent is not None:
        return agent
    if draft.actor in levels.TEAM:
        return Role(draft.actor)
    roles = ", ".join(role.value for role in Role)
    raise InputError("an emergency of level 1 concerns one agent: which?", hint=f"name one of: {roles}")


def _why_human(level: Level, cause: Cause, human: str | None) -> str | None:
    """From level 3 on a human is needed whatever the cause."""
    if human is not None or not levels.needs_human(level):
        return human
    return f"{levels.TITLES[cause]}, level {level:d}"


def _open(draft: Draft, id_: str) -> Emergency:
    found = draft.need(Emergency, id_)
    if not found.open:
        raise InputError(f"{found.id} was resolved by {found.resolved_by}: {said(found.resolution)}")
    return found


def _check(refusal: str | None, hint: str | None = None) -> None:
    if refusal:
        raise InputError(refusal, hint=hint or "the Director and a human may, up to level 2; then a human")


def _ended(emergency: Emergency, *, worked: bool) -> tuple[Attempt, ...]:
    """Its attempts; the one under way, if any, with how it ended."""
    return tuple(a if a.worked is not None else replace(a, worked=worked) for a in emergency.attempts)


def _failures(emergency: Emergency) -> int:
    return sum(attempt.worked is False for attempt in emergency.attempts)
