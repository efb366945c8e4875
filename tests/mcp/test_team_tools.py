"""The tools of the team: one board, whoever drives it, and a directive with every answer."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.daemon.homes import Home
from tests.mcp.support import Desk, as_daemon, bare, in_memory

pytestmark = pytest.mark.anyio

ROLES = ("director", "architect", "scout", "builder", "refactorer", "inspector", "scribe")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncGenerator[Desk]:
    """A client of a daemon, with no run open yet."""
    async with as_daemon(tmp_path) as desk:
        yield desk


@pytest.fixture
async def team(desk: Desk) -> Desk:
    """The same, with a run open."""
    await desk.good("team_start", goal="Add a login page")
    return desk


async def test_before_the_first_run_everything_says_how_to_open_one(desk: Desk) -> None:
    found = await desk.good("team_status", role="builder")
    assert found.data == {"directive": "stop", "reason": "no team run is open; team_start opens one"}
    for name, arguments in (
        ("team_message", {"role": "builder", "to": "director", "content": "hi"}),
        ("team_checkpoint", {"trigger": "t", "summary": "s"}),
        ("raise_emergency", {"role": "scout", "level": 2, "text": "bad"}),
        ("cast_vote", {"role": "scout", "topic": "?", "options": ["a", "b"]}),
        ("team_control", {"action": "pause", "reason": "wait"}),
    ):
        words = await desk.refused(name, arguments)
        assert words.startswith("no team run is open\nopen one: team_start with goal"), words


async def test_a_run_is_opened_and_nobody_pretends_to_work(desk: Desk) -> None:
    found = await desk.good("team_start", goal="Add a login page", max_spend="5", max_hours=8)
    assert found.data["directive"] == "continue"
    assert found.data["run"].startswith("run-")
    assert "nobody works yet: this release has no runner of its own" in found.data["note"]
    assert "No agent was started" in found.text
    status = await desk.good("team_status")
    assert status.data["run"]["id"] == found.data["run"]
    assert status.data["run"]["goal"] == "Add a login page"
    assert status.data["run"]["phase"] == "planning"
    assert [agent["role"] for agent in status.data["agents"]] == list(ROLES)
    assert status.data["agents"][1] == {"role": "architect", "status": "idle", "trust": 7}
    words = await desk.refused("team_start", goal="Another")
    assert f"the run '{found.data['run']}' is open" in words
    assert "team_control with action abort" in words
    assert words.endswith("Directive: continue, because nothing keeps the team from working")


async def test_messages_are_sent_read_and_acknowledged(team: Desk) -> None:
    asked = await team.good(
        "team_message", role="Builder", to="director", type="request", priority="high", content="REST?",
        context="two clients", expected="yes or no",
    )  # fmt: skip
    inbox = await team.good("team_message", role="director", action="inbox")
    assert inbox.data["unread"] == 1
    [message] = inbox.data["messages"]
    assert message.pop("at").endswith("Z")
    assert message == {
        "id": asked.data["id"],
        "from": "builder",
        "to": "director",
        "type": "REQUEST",
        "priority": "HIGH",
        "content": "REST?",
        "context": "two clients",
        "expected": "yes or no",
    }
    await team.good(
        "team_message", role="director", to="builder", type="RESPONSE", content="yes", reply_to=message["id"]
    )
    done = await team.good("team_message", role="director", action="acknowledge", messages=[message["id"]])
    assert done.data["unread"] == 0
    sent = await team.good("team_message", role="builder", to="ALL", content="on it")
    assert sent.data["unread"] == 1
    assert "1 messages wait in your inbox" in sent.text


async def test_a_message_against_the_topology_is_refused_with_whom_one_may_write_to(team: Desk) -> None:
    words = await team.refused("team_message", role="scribe", to="builder", content="hi")
    assert "the Scribe listens" in words
    assert "may write to: director, ALL" in words
    assert "the roles: director, architect" in await team.refused(
        "team_message", role="boss", to="ALL", content="x"
    )
    assert "'to' is missing" in await team.refused("team_message", role="builder", content="x")
    assert "'messages' is missing" in await team.refused("team_message", role="builder", action="acknowledge")


async def test_what_agents_wrote_is_data_and_fits(team: Desk) -> None:
    for number in range(12):
        await team.good("team_message", role="builder", to="director", content=f"{number} " + "語" * 6_000)
    inbox = await team.good("team_message", role="director", action="inbox")
    assert inbox.data["unread"] == 12
    assert "the first 1 are here" in inbox.text
    assert "語" not in inbox.text


async def test_a_checkpoint_moves_the_phase_and_is_rolled_back_to(team: Desk) -> None:
    first = await team.good(
        "team_checkpoint", trigger="plan agreed", summary="REST it is", role="director",
        reports={"architect": "drew it"}, blockers=["no key"], next_trigger="auth done", phase="execution",
    )  # fmt: skip
    assert first.data["phase"] == "execution"
    page = await team.resource(first.links[0])
    assert "REST it is" in page
    assert "| Architect | drew it |" in page
    assert "- no key" in page
    back = await team.good("team_control", action="rollback", checkpoint=first.data["id"], reason="wrong way")
    assert f"The board is back at {first.data['id']}. Files of the workspace are as they were." in back.text
    status = await team.good("team_status")
    assert status.data["run"]["phase"] == "planning"


async def test_a_phase_that_does_not_follow_is_refused_after_the_checkpoint(team: Desk) -> None:
    words = await team.refused("team_checkpoint", trigger="t", summary="s", role="director", phase="review")
    assert "was taken, but the phase stays planning" in words
    assert "it may move to: execution" in words


async def test_an_emergency_pauses_all_but_the_director_until_it_is_resolved(team: Desk) -> None:
    raised = await team.good("raise_emergency", role="scout", level="2", text="They contradict each other")
    assert (raised.data["level"], raised.data["directive"]) == (2, "pause")
    assert "Directive: pause" in raised.text
    builder = await team.good("team_status", role="builder")
    assert builder.data["directive"] == "pause"
    assert raised.data["id"] in builder.data["reason"]
    assert (await team.good("team_status", role="director")).data["directive"] == "continue"
    words = await team.refused("team_message", role="builder", to="nobody", content="x")
    assert words.splitlines()[-1].startswith("Directive: pause, because")
    done = await team.good(
        "team_control", action="resolve", role="director", emergency=raised.data["id"], reason="mediated"
    )
    assert (done.data["done"], done.data["directive"]) == (True, "continue")


async def test_from_level_three_on_only_a_human_ends_it(team: Desk) -> None:
    raised = await team.good("raise_emergency", role="inspector", level=3, text="The disk is full")
    assert "Tell the user at once" in raised.text
    assert raised.data["human"]
    assert raised.links == ["team://emergency"]
    assert "The disk is full" in await team.resource("team://emergency")
    id_ = raised.data["id"]
    words = await team.refused(
        "team_control", action="resolve", role="director", emergency=id_, reason="I think so"
    )
    assert "a human has to resolve it, not director" in words
    answered = await team.good("team_control", action="answer", emergency=id_, reason="I made room")
    assert answered.data["directive"] == "continue"
    inbox = (await team.good("team_message", role="director", action="inbox")).data["messages"]
    [message] = [each for each in inbox if each["from"] == "human"]
    assert (message["type"], message["content"]) == ("RESPONSE", "I made room")


async def test_a_vote_says_who_is_missing_and_when_it_has_converged(team: Desk) -> None:
    opened = await team.good(
        "cast_vote", role="architect", topic="REST or GraphQL?", options='["REST", "GraphQL"]'
    )
    id_ = opened.data["proposal"]
    assert opened.data["missing"] == list(ROLES)
    assert not opened.data["converged"]
    for role in ROLES[:5]:
        await team.good("cast_vote", role=role, vote="REST", reason="every client speaks it")
    found = await team.good("cast_vote", role="inspector", proposal=id_, vote="GraphQL", reason="fewer calls")
    assert found.data["missing"] == ["scribe"]
    assert "still missing: scribe" in found.text
    last = await team.good("cast_vote", role="scribe", proposal=id_, vote="Abstain")
    assert last.data["converged"]
    assert last.data["decision"] == "REST"
    assert last.data["dissent"] == [{"role": "inspector", "vote": "GraphQL", "reason": "fewer calls"}]
    assert "it has converged (supermajority)" in last.text
    assert "REST" not in last.text
    looked = await team.good("cast_vote", role="human", proposal=id_)
    assert looked.data["decision"] == "REST"
    assert "REST or GraphQL?" in await team.resource("team://decisions")


async def test_a_vote_can_be_opened_and_cast_at_once(team: Desk) -> None:
    found = await team.good(
        "cast_vote",
        role="scout",
        topic="Ship?",
        options=["yes", "no"],
        voters=["scout", "builder"],
        vote="yes",
    )
    assert found.data["missing"] == ["builder"]
    await team.good("cast_vote", role="scout", topic="When?", options=["now", "later"])
    assert "which proposal is meant?\nopen ones: p" in await team.refused(
        "cast_vote", role="builder", vote="yes"
    )
    assert "has no option 'maybe'" in await team.refused(
        "cast_vote", role="builder", proposal=found.data["proposal"], vote="maybe"
    )
    assert "options without a topic" in await team.refused("cast_vote", role="builder", options=["a"])
    assert "both a proposal and a topic" in await team.refused(
        "cast_vote", role="builder", proposal="p1", topic="?"
    )
    decided = await team.good(
        "team_control", action="decide", role="director", proposal=found.data["proposal"], option="no",
        reason="not tested",
    )  # fmt: skip
    assert decided.data["id"] == found.data["proposal"]


async def test_the_human_pauses_resumes_and_aborts(team: Desk) -> None:
    paused = await team.good("team_control", action="pause", reason="I look first")
    assert paused.data["directive"] == "pause"
    assert paused.data["reason"] == "paused by Human: I look first"
    assert (await team.good("team_control", action="resume", reason="fine")).data["directive"] == "continue"
    assert "'checkpoint' is needed" in await team.refused("team_control", action="rollback", reason="x")
    assert "'reason' is missing" in await team.refused("team_control", action="pause")
    assert "may not" in await team.refused("team_control", action="abort", role="scout", reason="bored")
    assert (await team.good("team_status")).data["run"]["level"] == 0
    ended = await team.good("team_control", action="abort", reason="enough")
    assert ended.data["directive"] == "stop"
    status = await team.good("team_status", role="builder")
    assert (status.data["directive"], status.data["run"]["status"]) == ("stop", "ended")


async def test_the_views_are_resources(team: Desk) -> None:
    assert "## Current Phase: 1 - Planning" in await team.resource("team://state")
    for uri in ("team://pipeline", "team://emergency", "team://decisions"):
        assert (await team.resource(uri)).startswith("# ")


@pytest.mark.slow("it starts a real daemon")
async def test_a_run_that_is_opened_outside_a_daemon_gets_one_that_cares_for_it(home: Home) -> None:
    async with in_memory(bare(home.home)) as desk:
        found = await desk.good("team_start", goal="Build it")
        assert "no daemon runs" not in found.data["note"]
    assert home.presence.port
    async with in_memory(bare(home.home)) as other:
        assert (await other.good("team_status")).data["run"]["id"] == found.data["run"]


async def test_where_no_daemon_can_be_started_the_run_is_open_and_that_is_said(tmp_path: Path) -> None:
    environ = bare(tmp_path) | {"SWARM__PROVIDER__NAME": "groq", "SWARM__DAEMON__PORT": "0"}
    async with in_memory(environ) as desk:
        found = await desk.good("team_start", goal="Build it")
        assert "no daemon runs: nobody watches deadlines" in found.data["note"]
        assert "GROQ_API_KEY" in found.data["note"]
