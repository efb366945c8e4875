"""What `team_control` does to the board: each action, with what it needs to be said."""

from collections.abc import Callable, Mapping

from clawswarm.access.team import Team
from clawswarm.errors import InputError
from clawswarm_mcp.inputs import ControlArguments

Change = Callable[[Team], tuple[str | None, str]]
"""Does it; the id of what it is about, and what happened, in words."""


def _reason(given: ControlArguments) -> str:
    if not given.reason.strip():
        raise InputError("'reason' is missing: why?", hint="say it in the user's words")
    return given.reason


def _named(given: ControlArguments, name: str) -> str:
    value: str | None = getattr(given, name)
    if value is None:
        raise InputError(f"to {given.action}, {name!r} is needed", hint="team_status shows what there is")
    return value


def _pause(given: ControlArguments) -> Change:
    reason = _reason(given)
    return lambda team: (team.pause(given.role, reason=reason).value.id, "The run is paused.")


def _resume(given: ControlArguments) -> Change:
    reason = _reason(given)
    return lambda team: (team.resume(given.role, reason=reason).value.id, "The run goes on.")


def _abort(given: ControlArguments) -> Change:
    reason = _reason(given)
    return lambda team: (
        team.abort(given.role, reason=reason).value.id,
        "The run has ended, at level 4; its state is kept.",
    )


def _answer(given: ControlArguments) -> Change:
    words, emergency = _reason(given), given.emergency

    def answer(team: Team) -> tuple[str | None, str]:
        sent = team.answer(given.role, text=words, emergency=emergency).value
        ended = "" if emergency is None else f" {emergency} is resolved."
        return sent.id, f"The director has the answer ({sent.id}).{ended}"

    return answer


def _resolve(given: ControlArguments) -> Change:
    emergency, reason = _named(given, "emergency"), _reason(given)
    return lambda team: (
        team.resolve(given.role, emergency=emergency, reason=reason).value.id,
        f"{emergency} is resolved.",
    )


def _decide(given: ControlArguments) -> Change:
    proposal, option, reason = _named(given, "proposal"), _named(given, "option"), _reason(given)
    return lambda team: (
        team.meetings.decide(given.role, proposal=proposal, option=option, reason=reason).value.id,
        f"{proposal} is decided.",
    )


def _rollback(given: ControlArguments) -> Change:
    checkpoint, reason = _named(given, "checkpoint"), _reason(given)
    return lambda team: (
        team.meetings.restore(given.role, checkpoint=checkpoint, reason=reason).value.id,
        f"The board is back at {checkpoint}. Files of the workspace are as they were.",
    )


CHANGES: Mapping[str, Callable[[ControlArguments], Change]] = {
    "pause": _pause,
    "resume": _resume,
    "abort": _abort,
    "answer": _answer,
    "resolve": _resolve,
    "decide": _decide,
    "rollback": _rollback,
}
