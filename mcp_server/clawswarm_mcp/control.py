"""`team_control`: the human's word to a run. A client that can ask its user is asked to, before it counts."""

from typing import Any

from clawswarm.access.team import Team
from clawswarm.access.team_views import TeamViews
from clawswarm.types.team import HUMAN
from clawswarm_mcp.asking import Answered, Ask, asked
from clawswarm_mcp.board import Seen, on_board
from clawswarm_mcp.call import Call, Reply, Unanswered
from clawswarm_mcp.control_changes import CHANGES
from clawswarm_mcp.inputs import ControlArguments
from clawswarm_mcp.results import ControlResult

NO_ANSWER = "No human answered, so nothing was changed. Ask the user, then call again."
REFUSED = "The human did not approve: nothing was changed."

ASKED_FIRST = {
    "abort": "Abort the team's run? Everything stops; its state is kept.",
    "rollback": "Put the team's board back to checkpoint {checkpoint}? What was decided since then goes.",
    "resolve": "Is emergency {emergency} over, so that the team may go on?",
    "decide": "Decide proposal {proposal} as {option!r}?",
}
"""What only counts as a human's word once they agreed, and the question that is put to them."""

LONGEST_REASON = 500
"""Characters of an agent's reason in a question."""


async def control(call: Call, given: ControlArguments) -> Reply | Unanswered:
    """Do what was asked for; in the human's name only what they agree to, where they can be asked."""
    question = _question(given) if given.role.strip().lower() == HUMAN else None
    if question is not None:
        answer = await asked(call, question)
        match answer:
            case Unanswered():
                return answer
            case Answered.NO | Answered.LATE:
                return await _left(call, given, REFUSED if answer is Answered.NO else NO_ANSWER)
            case Answered.CANNOT:
                pass
            case _:
                given = _with_answer(given, answer)
    change = CHANGES[given.action](given)

    def work(team: Team, _: TeamViews) -> tuple[str | None, str]:
        return change(team)

    seen = await on_board(call, given.role, work)
    id_, text = seen.value
    return _reply(seen, text, done=True, id_=id_)


def _question(given: ControlArguments) -> Ask | None:
    """What the human is asked; None: nothing, it is said already or needs no approval."""
    if given.action == "answer" and not given.reason.strip():
        about = f" about emergency {given.emergency}" if given.emergency else ""
        return Ask(f"The team waits for your answer{about}.", answer="Your answer to the team's director")
    if given.action not in ASKED_FIRST:
        return None
    question = ASKED_FIRST[given.action].format(
        checkpoint=given.checkpoint, emergency=given.emergency, proposal=given.proposal, option=given.option
    )
    return Ask(f"{question} The agent's reason: {given.reason[:LONGEST_REASON] or 'none given'}")


def _with_answer(given: ControlArguments, answer: dict[str, Any]) -> ControlArguments:
    words = str(answer.get("answer") or "").strip()
    return given.model_copy(update={"reason": words}) if words else given


async def _left(call: Call, given: ControlArguments, text: str) -> Reply:
    """Nothing was changed."""
    return _reply(await on_board(call, given.role, _nothing), text, done=False)


def _nothing(_: Team, __: TeamViews) -> None:
    """The board stays as it is."""


def _reply(seen: Seen[Any], text: str, *, done: bool, id_: str | None = None) -> Reply:
    data = ControlResult(directive=seen.directive, reason=seen.reason, done=done, id=id_)
    return Reply(data, f"{text}{seen.text}", ("team://state", "team-state"))
