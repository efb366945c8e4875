"""`swarm team`: a run by hand, what each command prints, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest

from clawswarm.cli.team_command import GROUPS, PARTS
from tests.cli.conftest import Inside
from tests.cli.shell import Ran

pytestmark = pytest.mark.timeout(60)

SAYS = ("--as", "scout", "--to", "ALL", "--type", "STATUS")
TASKS = ("add", "begin", "done", "fail", "park", "reassign", "list")
EVERY = [(name,) for name in PARTS] + [("task", name) for name in TASKS]


@pytest.fixture
def team(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> Inside:
    """A home with a run open."""
    monkeypatch.setenv("SWARM__TEAM__ALERTS__DESKTOP", "false")
    assert inside.run("team", "open", "Build it").status == 0
    return inside


def did(team: Inside, *arguments: str | Path, stdin: bytes = b"") -> dict[str, Any]:
    """A change that went well, as its JSON document."""
    ran = team.run("team", *arguments, "--json", stdin=stdin)
    assert ran.status == 0, ran.err
    return ran.json


def refused(team: Inside, *arguments: str | Path, stdin: bytes = b"", status: int = 2) -> str:
    """Message and hint of a refusal, told to the person and as JSON; the board is as it was."""
    before = team.run("team", "log", "--json").out
    ran = team.run("team", *arguments, "--json", stdin=stdin)
    assert ran.status == status, ran
    assert list(ran.json) == ["error"]
    error = ran.json["error"]
    assert ran.err.startswith(f"swarm: {error['message']}\n")
    assert error["hint"]
    assert team.run("team", "log", "--json").out == before
    return f"{error['message']}\n{error['hint']}"


@pytest.mark.parametrize("names", EVERY, ids=" ".join)
def test_every_command_has_help_with_an_example(inside: Inside, names: tuple[str, ...]) -> None:
    ran = inside.run("team", *names, "--help")
    assert (ran.status, ran.err) == (0, "")
    text = " ".join(ran.out.split())
    assert f"Usage: swarm team {' '.join(names)}" in text
    assert f"swarm team {' '.join(names)}" in text.partition("Example")[2]


def test_the_table_of_commands_is_what_there_is(inside: Inside) -> None:
    text = " ".join(inside.run("team", "--help").out.split())
    assert all(line in text for _, line in PARTS.values())
    assert set(PARTS) > GROUPS
    ran = inside.run("team", "nonsense")
    assert (ran.status, ran.out) == (2, "")


def test_without_a_run_it_says_how_to_open_one(inside: Inside) -> None:
    for arguments in (("status",), ("inbox", "scout"), ("log",), ("task", "list"), ("pause", "why")):
        ran = inside.run("team", *arguments)
        assert (ran.status, ran.out) == (1, "")
        assert "no team run is open" in ran.err
        assert "swarm team open" in ran.err
    assert inside.run("team", "log", "--runs").out.startswith("No runs yet.")


def test_a_run_opens_with_the_rules_given_and_says_what_to_do_next(inside: Inside) -> None:
    ran = inside.run(
        "team", "open", "Build it", "--max-spend", "5", "--max-hours", "8", "--expect", "planning=30m",
        "--expect", "execution=4h",
    )  # fmt: skip
    assert ran.status == 0
    assert "swarm team task add" in ran.out
    assert "no daemon runs" in ran.err
    run = inside.run("team", "status", "--json").json
    assert run["budget"] == {"max_run_spend": 5.0, "max_hours": 8.0}
    assert "planning for" in (shown := inside.run("team", "status").out)
    assert " of 30m " in shown
    assert "cap $5.00" in shown
    assert "the run" in refused(inside, "open", "Another")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--max-spend", "much"), "--max-spend 'much' is no number"),
        (("--max-spend", "-1"), "--max-spend: Input should be greater than or equal to 0"),
        (("--max-hours", "0"), "--max-hours: Input should be greater than 0"),
        (("--expect", "planing=30m"), "--expect: there is no phase 'planing'"),
        (("--expect", "planning"), "--expect 'planning' has no name"),
        (("--expect", "planning=soon"), "--expect planning=soon is no time"),
        (("--expect", "planning=0"), "--expect: Input should be greater than 0"),
        (("--expect", "planning=1", "--expect", "planning=2"), "--expect names 'planning' twice"),
    ],
)
def test_rules_that_cannot_be_used_open_nothing(inside: Inside, options: tuple[str, ...], words: str) -> None:
    ran = inside.run("team", "open", "Build it", *options, "--json")
    assert ran.status == 2
    assert words in ran.json["error"]["message"]
    assert ran.json["error"]["hint"]
    assert inside.run("team", "status").status == 1


def test_a_night_by_hand(team: Inside) -> None:
    """Every command once, as the agents and their human would type it."""
    run = team.run
    assert did(team, "task", "add", "design", "Agree on the API", "--role", "architect")["id"] == "design"
    did(team, "task", "add", "login", "Build the page", "--role", "builder", "--needs", "design")
    did(team, "task", "begin", "design", "--as", "architect")
    did(team, "task", "done", "design", "--as", "architect", "-e", "file:api.md", "-e", "command:true=0")
    did(team, "phase", "execution", "--as", "director", "--reason", "the plan is agreed")
    begun = did(team, "task", "begin", "login", "--as", "builder")
    assert (begun["kind"], begun["document"]["status"]) == ("task", "running")
    assert begun["directive"] == {"do": "continue", "why": "nothing keeps the team from working"}
    did(team, "agent", "builder", "--status", "working", "--task", "the page", "--say", "it is half done")
    did(team, "call", "builder", "pytest", "--with", "-q tests", "--changed")
    did(team, "spend", "builder", "0.02", "--input-tokens", "5000", "--output-tokens", "800")
    message = did(team, "message", "-", "--as", "builder", "--to", "ALL", "--type", "STATUS", stdin=b"Hi\n")
    assert message["document"]["content"] == "Hi"
    asked = did(team, "propose", "REST?", "--option", "yes", "--option", "no", "--voter", "scout",
                "--voter", "builder", "--as", "architect")["id"]  # fmt: skip
    did(team, "vote", asked, "yes", "--as", "scout", "--reason", "simple", "-e", "url:https://example.org/")
    assert "not yet voted: Builder" in run("team", "vote", asked).out
    decided = did(team, "vote", asked, "yes", "--as", "builder")
    assert decided["document"]["decision"]["how"] == "unanimous"
    did(team, "finding", "no check of the password", "--severity", "critical", "--as", "inspector")
    did(team, "trust", "builder", "-2", "--reason", "MD5", "--evidence", "file:auth.py")
    did(team, "trust", "scout", "+1", "--reason", "good research")
    taken = did(
        team, "checkpoint", "--trigger", "half way", "--summary", "all well", "--say", "builder=it is there",
        "--blocker", "no keys", "--next", "the review", "--as", "scribe",
    )  # fmt: skip
    did(team, "task", "park", "login", "waits for keys", "--as", "director")
    did(team, "restore", taken["id"], "--reason", "the keys are there")
    did(team, "pause", "let me look")
    assert run("team", "agent", "scout", "--json").json["directive"]["do"] == "pause"
    did(team, "resume", "go on")
    alarm = did(team, "emergency", "they contradict each other", "--as", "inspector")
    assert alarm["directive"]["do"] == "pause"
    did(team, "attempt", alarm["id"], "a meeting", "--as", "director")
    did(team, "attempt", alarm["id"], "--failed", "no agreement", "--as", "director")
    did(team, "resolve", alarm["id"], "REST it is", "--as", "director")
    did(team, "agent", "builder", "--restart", "confused")
    status = run("team", "status", "--json", "--as", "builder").json
    assert (status["run"]["phase"], status["level"], status["directive"]["do"]) == (
        "execution",
        0,
        "continue",
    )
    did(team, "end", "enough")
    assert (
        run("team", "log", "--runs").out.split()[3:5] == ["ended", "execution"]
        or "ended" in run("team", "log", "--runs").out
    )
    assert "the run has ended: enough" in run("team", "status").out
    assert "swarm team open" in refused(team, "pause", "once more", status=1)


def test_what_a_change_says_has_the_id_of_what_it_made(team: Inside) -> None:
    ran = team.run("team", "message", "Done", "--as", "builder", "--to", "all", "--type", "status")
    assert ran.out == "m2  Builder → ALL, STATUS: Done\n"
    assert team.run("team", "agent", "builder", "--say", "Done").out == "Builder is idle: Done\n"


def test_the_same_key_changes_nothing_twice(team: Inside) -> None:
    words = ("message", "Done", "--as", "builder", "--to", "ALL", "--type", "STATUS", "--key", "k1")
    first, second = did(team, *words), did(team, *words)
    assert (first["again"], second["again"]) == (False, True)
    assert first["id"] == second["id"]
    again = team.run("team", *words)
    assert again.status == 0
    assert "under the same key" in again.err
    other = refused(
        team, "message", "Other", "--as", "builder", "--to", "ALL", "--type", "STATUS", "--key", "k1"
    )
    assert "the key 'k1' was used for another change" in other


def test_a_file_that_cannot_be_written_is_a_warning_and_the_change_is_made(team: Inside) -> None:
    state = team.home / "clawd" / "memory" / "team-state.md"
    state.unlink()
    state.mkdir()
    ran = team.run("team", "agent", "builder", "--say", "hi", "--json")
    assert (ran.status, ran.json["document"]["sentence"]) == (0, "hi")
    assert ran.err.startswith("swarm: warning: ")
    assert "team-state.md" in ran.err


def test_a_memory_directory_that_cannot_be_used_is_told(
    team: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARM_MEMORY_DIR", str(team.file("no-folder", "")))
    ran = team.run("team", "agent", "builder", "--say", "hi", "--json")
    assert (ran.status, ran.json["error"]["code"]) == (1, "store_failed")
    assert ran.json["error"]["hint"]


def test_an_agents_word_is_a_failed_task(team: Inside) -> None:
    did(team, "task", "add", "login", "Build it", "--role", "builder")
    for evidence in ((), ("-e", "text:believe me"), ("-e", "command:pytest=1")):
        did(team, "task", "begin", "login", "--as", "builder")
        ran = team.run("team", "task", "done", "login", "--as", "builder", *evidence)
        assert (ran.status, "task login is failed" in ran.out) == (1, True)
    assert team.run("team", "task", "list").out == "✗ login  builder     failed (attempt 3)  Build it\n"


def test_a_plan_comes_from_a_file_as_a_whole(team: Inside) -> None:
    plan = team.file(
        "plan.jsonl",
        '{"id": "b", "title": "Second", "role": "Builder", "needs": ["a"], "check": "pytest"}\n\n'
        '{"id": "a", "title": "First", "role": "scout"}\n',
    )
    did(team, "task", "add", "--file", plan, "--as", "director")
    assert team.run("team", "task", "list").out.splitlines() == [
        "○ a  scout       ready    First",
        "○ b  builder     needs a  Second",
    ]
    assert team.run("team", "task", "list", "--ready").out == "○ a  scout       ready  First\n"
    listed = team.run("team", "task", "list", "--role", "builder", "--json").json["tasks"]
    assert [(task["id"], task["ready"]) for task in listed] == [("b", False)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no tasks"),
        ('{"id": "a"}', "line 1: title: Field required"),
        ('{"id": "a", "title": "A", "role": "scout", "due": 1}', "line 1: due: Extra inputs"),
        ('{"id": "a", "title": "A", "role": "boss"}', "line 1: there is no role 'boss'"),
        ("\n[", "line 2: Invalid JSON"),
        (b"\xff", "line 1: Invalid JSON"),
        (
            '{"id": "a", "title": "A", "role": "scout", "needs": ["b"]}\n'
            '{"id": "b", "title": "B", "role": "scout", "needs": ["a"]}',
            "in a circle: ",
        ),
    ],
)
def test_a_plan_that_cannot_be_used_adds_nothing(team: Inside, text: str | bytes, words: str) -> None:
    assert words in refused(team, "task", "add", "--file", team.file("plan.jsonl", text))


def test_a_plan_that_is_not_there_is_named(team: Inside) -> None:
    assert "the plan none.jsonl cannot be read" in refused(team, "task", "add", "--file", "none.jsonl")
    assert "both" in refused(team, "task", "add", "a", "--file", "none.jsonl")
    assert "a task needs an id, a title and a --role" in refused(team, "task", "add", "a")
    plan = b'{"id": "a", "title": "A", "role": "scout"}'
    assert did(team, "task", "add", "--file", "-", stdin=plan)["id"] == "a"


def test_an_inbox_is_read_and_acknowledged(team: Inside) -> None:
    for text, priority in (("first", "NORMAL"), ("second", "low"), ("third", "EMERGENCY")):
        did(
            team,
            "message",
            text,
            "--as",
            "scout",
            "--to",
            "director",
            "--type",
            "STATUS",
            "--priority",
            priority,
        )
    shown = team.run("team", "inbox", "director").out
    assert shown.index("third") < shown.index("first") < shown.index("second")
    assert shown.startswith("── m4 ")
    assert "FROM: Scout\nTO: Director\nTYPE: STATUS\nPRIORITY: EMERGENCY\nTIMESTAMP: 20" in shown
    some = team.run("team", "inbox", "director", "--limit", "1", "--ack-all")
    assert (some.out.count("FROM:"), "2 more wait" in some.err) == (1, True)
    document = team.run("team", "inbox", "director", "--json").json
    assert ([each["id"] for each in document["messages"]], document["waiting"]) == (["m2", "m3"], 2)
    did(team, "inbox", "director", "--ack", "m2", "m3")
    assert team.run("team", "inbox", "Director").out == "Nothing waits for the director.\n"
    assert team.run("team", "inbox", "scribe", "--json").json["waiting"] == 3
    assert "--ack names no message" in refused(team, "inbox", "scribe", "--ack")
    assert "--ack m2" in refused(team, "inbox", "scribe", "m2")
    assert "there is no message 'm99'" in refused(team, "inbox", "scribe", "--ack", "m99", status=1)


def test_what_agents_wrote_does_not_steer_a_terminal(team: Inside) -> None:
    evil = b"one\x1b[2J\x1b]0;title\x07 \xc2\x9b2J\xe2\x80\xae\n# Forged\n| a | b |"
    did(team, "message", "-", "--as", "builder", "--to", "director", "--type", "ALERT", stdin=evil)
    did(team, "agent", "builder", "--task", "\x1b[31mred", "--say", "\x9b2J")
    for arguments in (("inbox", "director"), ("status",), ("log",), ("agent", "builder")):
        out = team.run("team", *arguments).out
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(out)
    assert "\n# Forged" not in team.run("team", "inbox", "director").out


BIG = b"a" * 1_000_000


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (("message", "x", "--as", "bilder", "--to", "ALL", "--type", "STATUS"), b"", "the roles: director"),
        (("message", "x", "--as", "system", "--to", "ALL", "--type", "STATUS"), b"", "act as a role, or as"),
        (("message", "x", "--as", "scout", "--to", "boss", "--type", "STATUS"), b"", "the roles: director"),
        (("message", "x", "--as", "scout", "--to", "ALL", "--type", "NOTE"), b"", "one of: STATUS, REQUEST"),
        (("message", "x", *SAYS, "--priority", "asap"), b"",
         "one of: LOW, NORMAL"),
        (("message", "x", "--as", "builder", "--to", "inspector", "--type", "REQUEST"), b"",
         "builder may write to: director, scout, scribe"),
        (("message", "-", *SAYS), BIG,
         "the content has 1,000,000 bytes; at most 65,536 are allowed"),
        (("message", "-", *SAYS), BIG * 5, "is larger than 4 MB"),
        (("message", "-", *SAYS), b"caf\xe9", "not UTF-8 (byte 4)"),
        (("message", "-", *SAYS), b"\x1b\x00", "the content is empty"),
        (("emergency", "x", "--level", "9"), b"", "an emergency has level 1 to 4, not 9"),
        (("trust", "builder", "two"), b"", "'two' is no number of points"),
        (("trust", "builder", "-2"), b"", "the reason is empty"),
        (("trust", "builder", "+2", "--as", "builder", "--reason", "x"), b"", "nobody changes the trust"),
        (("vote", "p1", "yes"), b"", "add --as ROLE"),
        (("vote", "p1", "yes", "--abstain", "--as", "scout"), b"", "one of the two"),
        (("agent", "builder", "--status", "asleep"), b"", "one of: idle, working"),
        (("agent", "builder", "--status", "idle", "--restart", "x"), b"", "use --restart alone"),
        (("agent", "builder", "--status", "idle", "--as", "scout"), b"", "who may: Builder"),
        (("attempt", "e1"), b"", "--failed REASON"),
        (("checkpoint", "--trigger", "t", "--summary", "s", "--decision", "party"), b"", "one of: continue"),
        (("checkpoint", "--trigger", "t", "--summary", "s", "--say", "bilder=x"), b"", "the roles: director"),
        (("finding", "x", "--severity", "odd", "--as", "scout"), b"", "one of: minor"),
        (("spend", "builder", "lots"), b"", "is no amount of US$"),
        (("spend", "builder", "1e99"), b"", "is no amount of US$"),
        (("phase", "review"), b"", "it may move to: execution, done"),
        (("task", "done", "x", "-e", "trust me"), b"", "such as file:src/auth.py"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_what_can(
    team: Inside, arguments: tuple[str, ...], stdin: bytes, words: str
) -> None:
    assert words in refused(team, *arguments, stdin=stdin)


def test_a_vote_on_a_closed_proposal_says_how_it_was_decided(team: Inside) -> None:
    asked = did(team, "propose", "REST?", "--option", "yes", "--option", "no")["id"]
    did(team, "decide", asked, "yes", "--as", "director", "--reason", "time is short")
    assert "'yes' (forced, by " in refused(team, "vote", asked, "no", "--as", "scout")
    shown = team.run("team", "vote", asked, "--json").json
    assert shown["standing"].startswith("decided: 'yes'")
    assert "there is no proposal 'p99'" in refused(team, "vote", "p99", status=1)


def test_a_history_of_trust_says_why(team: Inside) -> None:
    did(team, "trust", "builder", "-2", "--reason", "MD5", "--evidence", "file:auth.py")
    lines = team.run("team", "trust", "builder").out.splitlines()
    assert lines[0] == "builder: 5/10"
    assert lines[1].endswith("7 → 5   human: MD5 (file:auth.py)")
    document = team.run("team", "trust", "builder", "--json").json
    assert (document["trust"], [each["after"] for each in document["changes"]]) == (5, [5])
    assert team.run("team", "trust", "director").out == "director: carries no trust\n"


def test_checkpoints_are_listed(team: Inside) -> None:
    assert team.run("team", "checkpoints").out.startswith("No checkpoints yet.")
    did(team, "checkpoint", "--trigger", "half way", "--summary", "all well")
    first, second = team.run("team", "checkpoints").out.splitlines()
    assert (first[:4], first[-8:], second.strip()) == ("c2  ", "half way", "all well")
    assert [each["id"] for each in team.run("team", "checkpoints", "--json").json["checkpoints"]] == ["c2"]
    assert "there are: c2" in refused(team, "restore", "c1", "--reason", "x", status=1)


def test_three_calls_with_the_same_error_pause_the_agent(team: Inside) -> None:
    call = ("call", "builder", "pytest", "--with", "-q", "--error", "3 failed")
    dids = [did(team, *call)["directive"]["do"] for _ in range(3)]
    assert dids == ["continue", "continue", "pause"]
    ran: Ran = team.run("team", "agent", "builder", "--say", "still at it")
    assert "swarm: builder is to pause: " in ran.err
    assert team.run("team", "agent", "scout", "--json").json["directive"]["do"] == "continue"
