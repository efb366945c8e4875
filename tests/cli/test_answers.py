"""What `swarm parallel` prints and writes when all goes its way."""

import json
import stat
from typing import Any

import pytest

from tests.cli.conftest import Inside
from tests.cli.shell import KEY, Shell
from tests.fakes.behaviours import Behaviour, Refuse, Say
from tests.fakes.openai import FakeOpenAI
from tests.fakes.wire import Seen

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]

NUMBER: Any = (int, float)
TASK: dict[str, Any] = {
    "index": int,
    "id": (str, int, type(None)),
    "ok": bool,
    "text": (str, type(None)),
    "data": object,
    "error": (dict, type(None)),
    "provider": str,
    "model": str,
    "usage": dict,
    "cost_usd": NUMBER,
    "duration_ms": int,
    "queued_ms": int,
    "attempts": int,
    "cached": bool,
    "finish_reason": (str, type(None)),
}
STATS: dict[str, Any] = {
    "total": int,
    "successful": int,
    "failed": int,
    "total_duration_ms": int,
    "speedup": NUMBER,
    "input_tokens": int,
    "output_tokens": int,
    "cost_usd": NUMBER,
}
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
LINES = [
    {"prompt": "Capital of France?", "id": "fr", "schema": SCHEMA},
    {"prompt": "bad", "id": 7},
    {"prompt": "Why?", "system": "Be brief.", "model": "gpt-6-sol", "max_tokens": 99, "thinking": "low"},
]
ECHOES = ['{"city": "x"}', None, "echo: Why?"]


def fits(document: dict[str, Any], shape: dict[str, Any]) -> bool:
    return list(document) == list(shape) and all(
        isinstance(document[name], kind) for name, kind in shape.items()
    )


def answer(seen: Seen) -> Behaviour:
    """A bad request for the prompt `bad`, an echo for any other."""
    return Refuse(400, "no") if seen.json["messages"][-1]["content"] == "bad" else Say()


@pytest.fixture
def lines(shell: Shell) -> str:
    return str(shell.file("tasks.jsonl", "\n".join(map(json.dumps, LINES))))


async def test_json_is_one_document_of_a_fixed_shape_and_nothing_else(shell: Shell, lines: str) -> None:
    async with FakeOpenAI() as fake:
        shell.use(fake)
        fake.respond = answer
        ran = await shell.run("parallel", "-f", lines, "--json")
    document = ran.json
    assert list(document) == ["results", "tasks", "stats"]
    assert document["results"] == ECHOES
    assert all(fits(task, TASK) for task in document["tasks"])
    assert fits(document["stats"], STATS)
    first, bad, last = document["tasks"]
    assert [first["id"], bad["id"], last["id"]] == ["fr", 7, None]
    assert first["data"] == {"city": "x"}
    assert first["usage"] == {"input_tokens": 10, "output_tokens": 20, "cached_tokens": 0}
    assert (bad["ok"], bad["text"], bad["data"], bad["finish_reason"]) == (False, None, None, None)
    assert list(bad["error"]) == ["code", "message", "hint", "retryable", "status"]
    assert (bad["error"]["code"], bad["error"]["status"]) == ("bad_request", 400)
    assert (last["model"], last["data"], last["error"]) == ("gpt-6-sol", None, None)
    assert [document["stats"][name] for name in ("total", "successful", "failed")] == [3, 2, 1]
    assert ran.status == 1
    assert "2/3" in ran.err
    assert "1 × bad_request: openai answered 400: no" in ran.err  # nobody reads the document by eye


async def test_options_of_a_line_reach_the_wire(shell: Shell, lines: str) -> None:
    async with FakeOpenAI() as fake:
        shell.use(fake)
        fake.respond = answer
        await shell.run("parallel", "-f", lines, "--system", "Default.", "--max-tokens", "500")
        sent = {seen.json["messages"][-1]["content"]: seen.json for seen in fake.calls}
    france, why = sent["Capital of France?"], sent["Why?"]
    assert france["messages"][0] == {"role": "system", "content": "Default."}
    assert france["max_completion_tokens"] == 500
    assert france["response_format"]["json_schema"]["schema"]["required"] == ["city"]
    assert why["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (why["model"], why["max_completion_tokens"], why["reasoning_effort"]) == ("gpt-6-sol", 99, "low")
    assert {seen.headers["Authorization"] for seen in fake.calls} == {f"Bearer {KEY}"}


async def test_ndjson_is_a_start_then_one_progress_a_task_then_complete(shell: Shell, lines: str) -> None:
    async with FakeOpenAI() as fake:
        shell.use(fake)
        fake.respond = answer
        ran = await shell.run("parallel", "-f", lines, "--ndjson")
    start, *progress, complete = ran.events
    assert start == {
        "event": "start",
        "total": 3,
        "provider": "openai",
        "model": "gpt-6-luna",
        "workers": 16,
    }
    assert list(start) == ["event", "total", "provider", "model", "workers"]
    for event in progress:
        assert list(event) == ["event", "index", "ok", "duration_ms", "task"]
        assert event["event"] == "progress"
        assert fits(event["task"], TASK)
        assert all(event[name] == event["task"][name] for name in ("index", "ok", "duration_ms"))
    assert sorted(event["index"] for event in progress) == [0, 1, 2]
    assert list(complete) == ["event", "results", "stats", "cost"]
    assert complete["event"] == "complete"
    assert complete["results"] == ECHOES
    assert fits(complete["stats"], STATS)
    assert complete["cost"] == complete["stats"]["cost_usd"] > 0
    assert ran.status == 1


async def test_text_shows_each_prompt_above_its_answer_and_its_error(shell: Shell) -> None:
    async with FakeOpenAI() as fake:
        shell.use(fake)
        fake.respond = answer
        ran = await shell.run("parallel", "Line one\nline two", "bad", "x" * 100, "--quiet")
    words = "openai answered 400: no"
    assert ran.out.startswith(
        "── 1. Line one line two\necho: Line one\nline two\n\n── 2. bad\n✗ bad_request: "
    )
    assert words in ran.out
    assert f"── 3. {'x' * 71}…\necho: {'x' * 100}\n" in ran.out
    assert ran.err == ""
    assert ran.status == 1


@pytest.mark.parametrize("name", ["out.json", "out.jsonl", "out.ndjson", "out.txt"])
def test_the_ending_of_the_output_file_decides_its_form(inside: Inside, name: str) -> None:
    kept = inside.file(name, "yesterday")
    kept.chmod(0o640)
    ran = inside.run("parallel", "-p", "demo", "a", "b", "-o", name, "--json" if name == "out.txt" else "-q")
    text = kept.read_text(encoding="utf-8")
    if name in ("out.json", "out.txt"):  # --json decides against the ending
        assert fits(json.loads(text)["stats"], STATS | {"speedup": (int, float, type(None))})
    else:
        first, second = map(json.loads, text.splitlines())
        assert (first["index"], second["index"]) == (0, 1)
        assert fits(first, TASK)
    assert (ran.status, ran.out) == (0, "")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    assert [path.name for path in inside.home.iterdir() if path.name != "clawd"] == [name]


def test_an_existing_output_survives_a_run_that_cannot_start(inside: Inside) -> None:
    kept = inside.file("out.txt", "yesterday")
    ran = inside.run("parallel", "-p", "groq", "a", "-o", "out.txt")
    assert ran.status == 3
    assert kept.read_text(encoding="utf-8") == "yesterday"
    assert list(inside.home.iterdir()) == [kept]


async def test_a_new_output_has_the_users_mode_and_a_link_stays_a_link(shell: Shell) -> None:
    link = shell.home / "link.txt"
    link.symlink_to("real.txt")
    ran = await shell.script(
        "umask 027; swarm parallel -p demo a -o link.txt; swarm parallel -p demo b -o /dev/null"
    )
    assert ran.status == 0
    assert link.is_symlink()
    real = link.resolve()
    assert real.name == "real.txt"
    assert real.read_text(encoding="utf-8").startswith("── 1. a\n[demo]")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


async def test_windows_line_ends_and_a_byte_order_mark_are_not_part_of_prompts(shell: Shell) -> None:
    async with FakeOpenAI() as fake:
        shell.use(fake)
        ran = await shell.run("parallel", "--json", stdin=b"\xef\xbb\xbfone\r\n\r\n  two \r\nthree")
    assert ran.json["results"] == ["echo: one", "echo:   two ", "echo: three"]


async def test_a_prompt_of_five_megabytes_arrives_whole(shell: Shell) -> None:
    large = "word " * 1_000_000
    async with FakeOpenAI() as fake:
        shell.use(fake)
        fake.respond = lambda _: Say(text="ok")
        ran = await shell.run("parallel", "-q", "-f", shell.file("large.txt", large))
        assert ran.status == 0
        assert fake.calls[0].json["messages"][-1]["content"] == large


@pytest.mark.slow(reason="ten thousand prompts")
async def test_ten_thousand_prompts_from_standard_input_come_back_in_order(shell: Shell) -> None:
    many = 10_000
    prompts = "".join(f"q{number}\n" for number in range(many)).encode()
    ran = await shell.run("parallel", "--json", "-p", "demo", "-c", "64", "--no-cache", stdin=prompts)
    assert ran.status == 0
    assert [text.split("'")[1] for text in ran.json["results"]] == [f"q{number}" for number in range(many)]
    assert ran.json["stats"]["successful"] == many
