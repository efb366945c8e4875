"""A state directory that cannot be used: a warning and an answer; with a cap an error and no call."""

import sys

import anyio
import pytest

from tests.cli.conftest import Inside
from tests.cli.shell import Shell
from tests.fakes.openai import FakeOpenAI

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]

NO_ROOM = "export PYTHONDONTWRITEBYTECODE=1; ulimit -f 16;"
"""No file of this child may grow beyond 16 KiB: room for the results, none for a database.

Python would leave cut-off bytecode behind, which breaks every later import of that module.
"""

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
"""


async def test_without_a_usable_state_directory_prompts_are_answered_with_a_warning(shell: Shell) -> None:
    shell.file("plain", "")
    shell.environ["SWARM_MEMORY_DIR"] = str(shell.home / "plain" / "memory")
    async with FakeOpenAI() as fake:
        shell.use(fake)
        ran = await shell.run("parallel", "a", "--json")
        assert len(fake.calls) == 1
    assert (ran.status, ran.json["results"]) == (0, ["echo: a"])
    [warning, _] = ran.err.splitlines()
    assert warning.startswith(f"swarm: warning: the state directory {shell.home}/plain/memory cannot be used")
    assert warning.endswith("working without cache and without a record of spending")


async def test_with_a_daily_cap_an_unusable_state_directory_stops_everything(shell: Shell) -> None:
    shell.file("plain", "")
    shell.environ["SWARM_MEMORY_DIR"] = str(shell.home / "plain" / "memory")
    shell.configure("cost:\n  max_daily_spend: 1")
    async with FakeOpenAI() as fake:
        shell.use(fake)
        ran = await shell.run("parallel", "a", "--json")
        assert fake.seen == []
    assert ran.status == 1
    assert ran.json["error"]["code"] == "store_failed"
    assert "the daily cap cannot be kept, so nothing was sent" in ran.err
    assert "SWARM_MEMORY_DIR" in ran.json["error"]["hint"]


async def test_a_full_disk_costs_the_cache_and_not_the_answer(shell: Shell) -> None:
    async with FakeOpenAI() as fake:
        shell.use(fake)
        ran = await shell.script(f"{NO_ROOM} swarm parallel a --json")
        assert (ran.status, ran.json["results"]) == (0, ["echo: a"])
        assert "swarm: warning: the database" in ran.err
        assert "working without cache" in ran.err
        ran = await shell.script(f"{NO_ROOM} swarm parallel b", SWARM__COST__MAX_DAILY_SPEND="1")
        assert len(fake.calls) == 1
    assert ran.status == 1
    assert "nothing was sent" in ran.err


async def test_a_disk_that_fills_up_during_the_work_is_told_in_words(shell: Shell) -> None:
    ran = await shell.script(f"{NO_ROOM} seq 1 500 | swarm parallel -p demo")
    assert ran.status == 1
    assert "swarm: the system refused: File too large" in ran.err
    ran = await shell.script("swarm parallel -p demo a > /dev/full")
    assert ran.status == 1
    assert "swarm: standard output cannot be written: No space left on device" in ran.err


async def test_a_database_that_another_process_locks_does_not_stop_the_answer(
    shell: Shell, inside: Inside
) -> None:
    assert inside.at(shell.home).run("cache", "clear").status == 0
    database = shell.memory / "swarm.db"
    async with await anyio.open_process([sys.executable, "-c", HOLD, str(database)]) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert (await holder.stdout.receive()).startswith(b"held")
        ran = await shell.run("parallel", "a", "-p", "demo", "--json", "--no-cache")
        await holder.stdin.aclose()
    assert ran.status == 0
    assert ran.json["stats"]["total_duration_ms"] < 4000  # the answer did not wait, only the books did
    assert ran.err.count("was locked by another process for 5 seconds") == 1


def test_a_file_that_is_no_database_is_named_and_left_alone(inside: Inside) -> None:
    database = inside.home / "clawd" / "memory" / "swarm.db"
    database.parent.mkdir(parents=True)
    database.write_text("my notes, " * 200, encoding="utf-8")
    ran = inside.run("parallel", "a", "-p", "demo", "--json")
    assert ran.status == 0
    assert f"swarm: warning: the file {database} is no usable database" in ran.err
    assert database.read_text(encoding="utf-8").startswith("my notes")
    ran = inside.run("savings", "--json")
    assert (ran.status, ran.json["error"]["code"]) == (1, "store_failed")
