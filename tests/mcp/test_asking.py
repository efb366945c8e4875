"""The human's word: asked for through clients that can ask, in both eras; else taken from `team_control`."""

from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp_types import ElicitRequestFormParams, ElicitResult, ErrorData

from tests.clock import FakeClock
from tests.mcp.support import ERAS, Desk, Era, as_daemon

pytestmark = pytest.mark.anyio

in_both_eras = pytest.mark.parametrize("era", ERAS)


class Human:
    """Somebody at the client. Says what the test has told them."""

    def __init__(self, *answers: ElicitResult | ErrorData | None) -> None:
        self.answers = list(answers)
        self.asked: list[ElicitRequestFormParams] = []

    async def __call__(self, _: Any, params: Any) -> ElicitResult | ErrorData:
        self.asked.append(params)
        answer = self.answers.pop(0)
        if answer is None:
            await anyio.sleep_forever()
        assert answer is not None
        return answer


YES = ElicitResult(action="accept", content={"approve": True})


async def stopped(desk: Desk) -> str:
    """A run that waits for a human; the emergency's id."""
    await desk.good("team_start", goal="Build it")
    return (await desk.good("raise_emergency", role="scout", level=3, text="The disk is full")).data["id"]


@in_both_eras
async def test_what_only_a_human_may_do_waits_for_their_yes(tmp_path: Path, era: Era) -> None:
    human = Human(
        ElicitResult(action="decline"), ElicitResult(action="accept", content={"approve": False}), YES
    )
    async with as_daemon(tmp_path, era=era, elicitation_callback=human) as desk:
        id_ = await stopped(desk)
        for _ in range(2):
            refused = await desk.good("team_control", action="resolve", emergency=id_, reason="looks fine")
            assert (refused.data["done"], refused.data["directive"]) == (False, "pause")
            assert "The human did not approve: nothing was changed." in refused.text
        done = await desk.good("team_control", action="resolve", emergency=id_, reason="looks fine")
        assert (done.data["done"], done.data["directive"]) == (True, "continue")
    question = human.asked[0]
    assert question.message == (
        f"Is emergency {id_} over, so that the team may go on? The agent's reason: looks fine"
    )
    assert question.requested_schema["properties"]["approve"]["type"] == "boolean"


@in_both_eras
async def test_an_answer_is_asked_of_the_human_and_reaches_the_director(tmp_path: Path, era: Era) -> None:
    human = Human(ElicitResult(action="accept", content={"answer": "Use the other disk"}))
    async with as_daemon(tmp_path, era=era, elicitation_callback=human) as desk:
        id_ = await stopped(desk)
        done = await desk.good("team_control", action="answer", emergency=id_)
        assert (done.data["done"], done.data["directive"]) == (True, "continue")
        inbox = (await desk.good("team_message", role="director", action="inbox")).data["messages"]
        assert "Use the other disk" in [message["content"] for message in inbox]
    assert human.asked[0].message == f"The team waits for your answer about emergency {id_}."


@in_both_eras
async def test_the_directors_word_is_the_directors(tmp_path: Path, era: Era) -> None:
    human = Human()
    async with as_daemon(tmp_path, era=era, elicitation_callback=human) as desk:
        await desk.good("team_start", goal="Build it")
        opened = await desk.good("cast_vote", role="scout", topic="Ship?", options=["yes", "no"])
        decide = {"action": "decide", "proposal": opened.data["proposal"], "option": "yes", "reason": "time"}
        await desk.good("team_control", decide, role="director")
    assert human.asked == []


@in_both_eras
async def test_a_client_that_cannot_ask_has_the_agent_ask(tmp_path: Path, era: Era) -> None:
    async with as_daemon(tmp_path, era=era) as desk:
        id_ = await stopped(desk)
        words = await desk.refused("team_control", action="answer", emergency=id_)
        assert "'reason' is missing: why?\nsay it in the user's words" in words
        await desk.good("team_control", action="resolve", emergency=id_, reason="The user made room")


async def test_a_client_that_only_says_that_it_can_ask_changes_nothing(tmp_path: Path) -> None:
    human = Human(ErrorData(code=-1, message="no window"))
    async with as_daemon(tmp_path, era="legacy", elicitation_callback=human) as desk:
        id_ = await stopped(desk)
        left = await desk.good("team_control", action="resolve", emergency=id_, reason="x")
        assert not left.data["done"]
        assert "No human answered" in left.text


async def test_nobody_is_waited_for_longer_than_a_call_may_take(tmp_path: Path, clock: FakeClock) -> None:
    async with as_daemon(tmp_path, era="legacy", clock=clock, elicitation_callback=Human(None)) as desk:
        id_ = await stopped(desk)
        began = clock.elapsed
        async with clock.auto():
            left = await desk.good("team_control", action="resolve", emergency=id_, reason="x")
        assert not left.data["done"]
        assert clock.elapsed - began <= 40
