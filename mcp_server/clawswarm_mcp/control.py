"""`team_control`: the human's word to a run. A client that can ask its user is asked to, before it counts."""

from collections.abc import Callable
from typing import Any

from clawswarm.access.team import Team
from clawswarm.access.team_views import TeamViews
from clawswarm.errors import InputError
from clawswarm.types.team import HUMAN
from clawswarm_mcp.asking import Answered, Ask, asked
from clawswarm_mcp.board import Seen, on_board
from clawswarm_mcp.call import Call, Reply, Unanswered
from clawswarm_mcp.inputs import ControlArguments
from clawswarm_mcp.results import ControlResult

NO_ANSWER = "No human answered, so nothing was changed. Ask the user, then call again."
REFUSED = "The human did not approve: nothing was changed."

ASKS_FIRST = {
    "abort": "Abort the team's run? Everything stops; its state is kept.",
    "rollback": "Put the team's board back to checkpoint {checkpoint}? What was decided since then goes.",
    "resolve": "Is emergency {emergency} over, so that the team may go on?",
    "decide": "Decide proposal {proposal} as {option!r}?",
}
"""What only a human's word does, and the question that is put to them."""

Change = Callable[[Team], tuple[str | None, str]]
"""Does it; the id of what it is about, and what happened, in words."""


async def control(call: Call, given: ControlArguments) -> Reply | Unanswered:
    """Do what was asked for; in the human's name only what they agree to, where they can be asked."""
    if given.role.strip().lower() == HUMAN:
        ask = _question(given)
        if ask is not None:
            answer = await asked(call, ask)
            if isinstance(answer, Unanswered):
                return answer
            if answer is not Answered.CANNOT:
                if not isinstance(answer, dict):
                    return await _left(call, given, REFUSED if answer is Answered.NO else NO_ANSWER)
                given = given.model_copy(update=_taken(answer))
    change = _CHANGES[given.action](given)

    def work(team: Team, _: TeamViews) -> tuple[str | None, str]:
        return change(team)

    seen = await on_board(call, given.role, work)
    id_, text = seen.value
    return _reply(seen, text, done=True, id_=id_)


def _question(given: ControlArguments) -> Ask | None:
    """What is to be asked of the human; None: nothing, it is said already or needs no approval."""
    if given.action == "answer":
        if given.reason.strip():
            return None
        about = f" about emergency {given.emergency}" if given.emergency else ""
        return Ask(f"The team waits for your answer{about}.", answer="Your answer to the team's director")
    if given.action not in ASKS_FIRST:
        return None
    question = ASKS_FIRST[given.action].format(
        checkpoint=given.checkpoint, emergency=given.emergency, proposal=given.proposal, option=given.option
    )
    return Ask(f"{question} The agent's reason: {given.reason[:500] or 'none given'}")


def _taken(answer: dict[str, Any]) -> dict[str, str]:
    words = str(answer.get("answer") or "").strip()
    return {"reason": words} if words else {}


async def _left(call: Call, given: ControlArguments, text: str) -> Reply:
    """Nothing was changed."""
    seen = await on_board(call, given.role, lambda _, __: None)
    return _reply(seen, text, done=False)


def _reply(seen: Seen[Any], text: str, *, done: bool, id_: str | None = None) -> Reply:
    data = ControlResult(directive=seen.directive, reason=seen.reason, done=done, id=id_)
    return Reply(data, f"{text}{seen.text}", ("team://state", "team-state"))


def _reason(given: ControlArguments) -> str:
    if not given.reason.strip():
        raise InputError("'reason' is missing: why?", hint="in the user's words")
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

    def abort(team: Team) -> tuple[str | None, str]:
        ended = team.abort(given.role, reason=reason).value
        return ended.id, "The run has ended, at level 4; its state is kept."

    return abort


def _answer(given: ControlArguments) -> Change:
    words, emergency = _reason(given), given.emergency

    def answer(team: Team) -> tuple[str | None, str]:
        sent = team.answer(given.role, text=words, emergency=emergency).value
        ended = "" if emergency is None else f" {emergency} is resolved."
        return sent.id, f"The director has the answer ({sent.id}).{ended}"

    return answer
            if answer is not Answered.CANNOT:
                if not isinstance(answer, dict):
                    return await _left(call, given, REFUSED if answer is Answered.NO else NO_ANSWER)
                given = given.model_copy(update=_taken(answer))
    change = _CHANGES[given.action](given)

    def work(team: Team, _: TeamViews) -> tuple[str | None, str]:
        return change(team)

    seen = await on_board(call, given.role, work)
    id_, text = seen.value
    return _reply(seen, text, done=True, id_=id_)


def _question(given: ControlArguments) -> Ask | None:
    """What is to be asked of the human; None: nothing, it is said already or needs no approval."""
    if given.action == "answer":
        if given.reason.strip():
            return None
        about = f" about emergency {given.emergency}" if given.emergency else ""
        return Ask(f"The team waits for your answer{about}.", answer="Your answer to the team's director")
    if given.action not in ASKS_FIRST:
        return None
    question = ASKS_FIRST[given.action].format(
        checkpoint=given.checkpoint, emergency=given.emergency, proposal=given.proposal, option=given.option
    )
    return Ask(f"{question} The agent's reason: {given.reason[:500] or 'none given'}")


def _taken(answer: dict[str, Any]) -> dict[str, str]:
    words = str(answer.get("answer") or "").strip()
    return {"reason": words} if words else {}


async def _left(call: Call, given: ControlArguments, text: str) -> Reply:
    """Nothing was changed."""
    seen = await on_board(call, given.role, lambda _, __: None)
    return _reply(seen, text, done=False)


def _reply(seen: Seen[Any], text: str, *, done: bool, id_: str | None = None) -> Reply:
    data = ControlResult(directive=seen.directive, reason=seen.reason, done=done, id=id_)
    return Reply(data, f"{text}{seen.text}", ("team://state", "team-state"))


def _reason(given: ControlArguments) -> str:
    if not given.reason.strip():
        raise InputError("'reason' is missing: why?", hint="in the user's words")
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

    def abort(team: Team) -> tuple[str | None, str]:
        ended = team.abort(given.role, reason=reason).value
        return ended.id, "The run has ended, at level 4; its state is kept."

    return abort


def _answer(given: ControlArguments) -> Change:
    words, emergency = _reason(given), given.emergency

    def answer(team: Team) -> tuple[str | None, str]:
        ended = ""
        if emergency is not None:
            team.resolve(given.role, emergency=emergency, reason=words)
            ended = f" {emergency} is resolved."
        sent = team.work.send(
            given.role, to="director", type="RESPONSE", priority="HIGH", content=words
        ).value
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


_CHANGES: dict[str, Callable[[ControlArguments], Change]] = {
    "pause": _pause,
    "resume": _resume,
    "abort": _abort,
    "answer": _answer,
    "resolve": _resolve,
    "decide": _decide,
    "rollback": _rollback,
}
