"""`swarm setup`: by flags without questions, and by questions at a terminal."""

import signal
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Inside
from tests.cli.shell import KEY, Shell
from tests.cli.terminal import Terminal, at_terminal
from tests.fakes.behaviours import Refuse
from tests.fakes.ollama import FakeOllama
from tests.fakes.ollama_models import MODELS
from tests.fakes.openai import FakeOpenAI

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]

WRONG = "sk-wrong-0123456789abcdefghijkl"


def config(shell: Shell) -> Path:
    return shell.home / ".config" / "clawdbot" / "node-scaling.yaml"


def key_file(shell: Shell, name: str = "openai") -> Path:
    return shell.home / ".config" / "clawdbot" / f"{name}-key.txt"


def nearby(shell: Shell, fake: FakeOpenAI) -> None:
    """OpenAI answers on this machine, and no key is set anywhere."""
    fake.key = KEY
    shell.environ |= {"OPENAI_BASE_URL": fake.base_url, "OLLAMA_HOST": "127.0.0.1:9"}


async def test_flags_alone_store_a_tested_key_and_write_the_configuration(shell: Shell) -> None:
    async with FakeOpenAI() as fake:
        nearby(shell, fake)
        flags = ("--provider", "openai", "--key-stdin", "--workers", "8", "--search", "duckduckgo")
        ran = await shell.run("setup", *flags, "--daily-cap", "2.50", stdin=KEY.encode() + b"\n")
        assert ran.status == 0, ran.err
        assert len(fake.calls) == 1
        assert "provider.name: (unset) → openai" in ran.err
        lines = config(shell).read_text().splitlines()
        assert [line for line in lines if not line.startswith("#")] == [
            "node_scaling:",
            "  provider:",
            "    name: openai",
            "  limits:",
            "    max_nodes: 8",
            "    max_concurrent_api: 8",
            "  research:",
            "    search: duckduckgo",
            "  cost:",
            "    max_daily_spend: 2.50",
        ]
        assert key_file(shell).read_text() == f"{KEY}\n"
        assert [stat.S_IMODE(path.stat().st_mode) for path in (config(shell), key_file(shell))] == [0o600] * 2
        assert KEY not in ran.out + ran.err
        answered = await shell.run("parallel", "hi", "--json")
        assert answered.json["results"] == ["echo: hi"]
        before = config(shell).stat()
        again = await shell.run("setup", *flags, "--daily-cap", "2.5", "--json", stdin=KEY.encode())
        assert (again.status, again.json["changes"]) == (0, [])
        assert again.json["test"]["answered"] is True
        assert again.json["key"] == {"masked": "sk-l…op", "stored": str(key_file(shell))}
        assert (config(shell).stat().st_ino, config(shell).read_text().splitlines()) == (before.st_ino, lines)


async def test_what_the_file_holds_besides_stays(shell: Shell) -> None:
    path = shell.configure(
        "# mine\nprovider:\n  name: gemini   # was cheap\n  model: gemini-3.5-flash-lite\n"
        "  fallback:\n  - name: ollama\nlimits: {max_nodes: 4}\nfuture: 1  # of a later release\n"
    )
    async with FakeOpenAI() as fake:
        nearby(shell, fake)
        shell.environ["OPENAI_API_KEY"] = KEY
        ran = await shell.run("setup", "-p", "openai", "--yes")
    assert ran.status == 0, ran.err
    assert path.read_text() == (
        "node_scaling:\n  # mine\n  provider:\n    name: openai   # was cheap\n"
        "    fallback:\n    - name: ollama\n  limits: {max_nodes: 4}\n  future: 1  # of a later release\n"
    )
    assert "provider.model: gemini-3.5-flash-lite → (removed)" in ran.err
    assert "keys that Swarm does not know, and will not start with: 'future'" in ran.err
    assert not key_file(shell).exists()  # it stays where it is


async def test_a_key_that_is_refused_changes_nothing(shell: Shell) -> None:
    async with FakeOpenAI(echo_key=True) as fake:
        nearby(shell, fake)
        secret = shell.file("key.txt", f"{WRONG}\n")
        ran = await shell.run("setup", "-p", "openai", "--key-file", secret, "--json")
        assert (ran.status, ran.json["error"]["code"]) == (1, "swarm_error")
        assert "the test failed, and nothing was changed: openai answered 401" in ran.err
        assert "--no-test" in ran.err
        assert WRONG not in ran.out + ran.err
        assert not config(shell).exists()
        assert not key_file(shell).exists()
        ran = await shell.run("setup", "-p", "openai", "--key-file", secret, "--no-test")
        assert ran.status == 0
        assert len(fake.calls) == 1
    assert key_file(shell).read_text() == f"{WRONG}\n"


async def test_a_retired_model_is_told(shell: Shell) -> None:
    shell.configure("provider:\n  name: openai\n  model: gpt-4o-mini\n")
    async with FakeOpenAI() as fake:
        nearby(shell, fake)
        shell.environ["OPENAI_API_KEY"] = KEY
        ran = await shell.run("setup", "--yes")
        assert (ran.status, "use 'gpt-6-luna' instead" in ran.err) == (0, True)
        async with at_terminal(shell, "setup") as terminal:
            await terminal.answer("Provider [openai]: ", "")
            await terminal.asks("Model [gpt-6-luna]: ")


async def test_a_limit_says_nothing_against_a_key(shell: Shell) -> None:
    async with FakeOpenAI() as fake:
        nearby(shell, fake)
        ran = await shell.run("setup", "-p", "openai", "--key-stdin", "--daily-cap", "0", stdin=KEY.encode())
        assert ran.status == 0
        assert "the test says nothing about the key" in ran.err
        assert fake.calls == []
    assert "max_daily_spend: 0\n" in config(shell).read_text()


async def test_a_variable_keeps_its_key_and_hides_a_stored_one(shell: Shell) -> None:
    async with FakeOpenAI() as fake:
        nearby(shell, fake)
        shell.environ["MY_KEY"] = KEY
        ran = await shell.run("setup", "-p", "openai", "--key-env", "MY_KEY")
        assert ran.status == 0, ran.err
        assert "    api_key_env: MY_KEY\n" in config(shell).read_text()
        assert not key_file(shell).exists()
        shell.environ["MY_KEY"] = WRONG
        ran = await shell.run("setup", "-p", "openai", "--key-stdin", stdin=KEY.encode())
        assert ran.status == 0
        assert "MY_KEY is set to another key, which wins over the file" in ran.err


async def test_ollama_gets_the_slots_that_the_memory_carries(shell: Shell) -> None:
    models = {"llama3.2:3b": MODELS["llama3.2:3b"]}
    async with FakeOllama(models=models) as fake:
        shell.environ["OLLAMA_HOST"] = fake.url
        ran = await shell.run("setup", "--provider", "ollama", "--json")
        assert ran.status == 0, ran.err
        text = config(shell).read_text()
        slots = ran.json["ollama"]["OLLAMA_NUM_PARALLEL"]
        assert f"    num_parallel: {slots}\n" in text
        assert "    model: llama3.2:3b\n" in text  # the recommended one is not there
        assert "max_nodes" not in text
        assert ran.json["ollama"]["OLLAMA_KEEP_ALIVE"] == "60m"
        again = await shell.run("setup", "--provider", "ollama", "--workers", "3", "--yes")
        assert "provider.num_parallel" in again.err or slots == "3"
        assert "    num_parallel: 3\n" in config(shell).read_text()
        assert "OLLAMA_MAX_QUEUE" in again.out


async def test_an_openai_compatible_server_needs_address_and_model(shell: Shell) -> None:
    async with FakeOpenAI("local") as fake:
        ran = await shell.run("setup", "-p", "openai-compatible", "--base-url", fake.base_url)
        assert (ran.status, "--base-url and --model" in ran.err) == (2, True)
        ran = await shell.run("setup", "-p", "openai-compatible", "--base-url", fake.base_url, "-m", "some")
        assert ran.status == 0, ran.err
        assert fake.calls[0].json["model"] == "some"


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 2, "add --provider (gemini,"),
        (("-p", "groq"), 2, "add --key-stdin"),
        (("-p", "nobody"), 2, "unknown provider 'nobody'"),
        (("-p", "groq", "--key-stdin"), 2, "the key from standard input is empty"),
        (("-p", "groq", "--key-stdin", "--key-env", "X"), 2, "exclude each other"),
        (("-p", "groq", "--key-env", KEY), 2, "not shown: it may be the key itself"),
        (("-p", "groq", "--key-file", "gone.txt"), 2, "gone.txt cannot be read"),
        (("-p", "demo", "--key-stdin"), 2, "demo takes no key"),
        (("-p", "demo", "--search", "bing"), 2, "unknown web search 'bing'"),
        (("-p", "demo", "--search", "searxng"), 2, "add --searxng-url"),
        (("-p", "demo", "--daily-cap", "much"), 2, "'much' is no amount of US$"),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    inside: Inside, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], status: int, words: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    ran = inside.run("setup", *arguments)
    assert (ran.status, ran.out) == (status, "")
    assert words in ran.err
    assert KEY not in ran.err
    assert not (inside.home / ".config" / "clawdbot" / "node-scaling.yaml").exists()
    assert inside.nothing_was_sent


def test_a_broken_file_is_not_touched(inside: Inside) -> None:
    path = inside.home / ".config" / "clawdbot" / "node-scaling.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("node_scaling: [\n")
    ran = inside.run("setup", "-p", "demo")
    assert ran.status == 3
    assert "this is not valid YAML" in ran.err
    assert path.read_text() == "node_scaling: [\n"


def test_other_settings_can_be_changed_alone(inside: Inside) -> None:
    inside.run("setup", "-p", "demo", "--no-test")
    ran = inside.run("setup", "--daily-cap", "3", "--no-test", "--json")
    assert [change["key"] for change in ran.json["changes"]] == ["cost.max_daily_spend"]
    ran = inside.run("setup", "--daily-cap", "none", "--search", "brave", "--no-test", "--json")
    assert [change["new"] for change in ran.json["changes"]] == ["brave", None]
    assert any("BRAVE_API_KEY" in warning for warning in ran.json["warnings"])


# ---- at a terminal


async def _questions(terminal: Terminal, *, search: str, cap: str, write: str) -> None:
    await terminal.answer("Prompts at once [", "5")
    await terminal.answer("Search [auto]: ", search)
    await terminal.answer("Most US$ a day, or none [none]: ", cap)
    await terminal.asks("cost.max_daily_spend: (unset) → 1.50")
    await terminal.answer("Write this? (y/n) [y]: ", write)


@pytest.mark.slow(reason="a person answers a real process, question by question")
async def test_the_wizard_asks_tests_shows_and_writes(shell: Shell) -> None:
    async with FakeOpenAI(echo_key=True) as fake:
        nearby(shell, fake)
        async with at_terminal(shell, "setup", "--json") as terminal:
            await terminal.answer("Provider [gemini]: ", "nobody")
            await terminal.asks("please answer with one of: gemini, groq")
            await terminal.answer("Provider [gemini]: ", "3")
            await terminal.answer("Model [gpt-6-luna]: ", "")
            await terminal.asks("https://platform.openai.com/api-keys")
            await terminal.answer("Key for openai, not shown: ", WRONG)
            await terminal.asks("it failed: openai answered 401")
            await terminal.answer("What now? [again]: ", "")
            await terminal.answer("Key for openai, not shown: ", KEY)
            await terminal.asks("it works")
            await _questions(terminal, search="6", cap="1.50", write="")
            ran = await terminal.end()
    assert ran.status == 0, ran.err
    assert {change["key"] for change in ran.json["changes"]} == {
        "provider.name",
        "limits.max_nodes",
        "limits.max_concurrent_api",
        "research.search",
        "cost.max_daily_spend",
    }
    assert key_file(shell).read_text() == f"{KEY}\n"
    assert "search: duckduckgo" in config(shell).read_text()
    assert KEY not in terminal.screen + ran.out
    assert WRONG not in terminal.screen


@pytest.mark.slow(reason="a person answers a real process, question by question")
async def test_the_wizard_proposes_what_is_there_and_no_changes_nothing(shell: Shell) -> None:
    shell.configure("provider:\n  name: openai\n  model: gpt-6-sol\nlimits:\n  max_nodes: 7\n")
    before = config(shell).read_text()
    async with FakeOpenAI() as fake:
        nearby(shell, fake)
        shell.environ["OPENAI_API_KEY"] = KEY
        async with at_terminal(shell, "setup") as terminal:
            await terminal.answer("Provider [openai]: ", "")
            await terminal.answer("Model [gpt-6-sol]: ", "")
            await terminal.answer("Use the key sk-l…op from OPENAI_API_KEY? (y/n) [y]: ", "")
            await terminal.asks("Prompts at once [7]: ")
            terminal.press(b"5\n")
            await terminal.answer("Search [auto]: ", "")
            await terminal.answer("Most US$ a day, or none [none]: ", "")
            await terminal.answer("Write this? (y/n) [y]: ", "n")
            ran = await terminal.end()
        assert (ran.status, ran.out) == (1, "")
        assert "nothing was changed" in ran.err
    assert config(shell).read_text() == before


@pytest.mark.parametrize("how", ["end of input", "interrupt"])
async def test_leaving_the_wizard_changes_nothing(shell: Shell, how: str) -> None:
    shell.environ["OLLAMA_HOST"] = "127.0.0.1:9"
    async with at_terminal(shell, "setup") as terminal:
        await terminal.asks("Provider [gemini]: ")
        if how == "interrupt":
            terminal.process.send_signal(signal.SIGINT)
        else:
            terminal.press(b"\x04")
        ran = await terminal.end()
    assert ran.status == (130 if how == "interrupt" else 2)
    assert "nothing was changed" in ran.err
    assert "Traceback" not in ran.err
    assert not config(shell).exists()


async def test_a_provider_that_is_down_can_be_set_up_anyway(shell: Shell) -> None:
    async with FakeOpenAI() as fake:
        nearby(shell, fake)
        fake.respond = lambda _: Refuse(503, "overloaded")
        shell.environ["OPENAI_API_KEY"] = KEY
        async with at_terminal(
            shell, "setup", "-p", "openai", "-m", "gpt-6-luna", "--workers", "4", "--search", "auto",
            "--daily-cap", "none",
        ) as terminal:  # fmt: skip
            await terminal.answer("Use the key", "y")
            await terminal.answer("What now? [again]: ", "anyway")
            await terminal.answer("Write this?", "y")
            ran = await terminal.end()
    assert ran.status == 0, ran.err
    assert "name: openai" in config(shell).read_text()
