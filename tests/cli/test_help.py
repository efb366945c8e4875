"""Help with examples for every command, and a start that loads no more than it needs."""

import sys

import pytest

from clawswarm.cli.main import COMMANDS
from clawswarm.version import __version__
from tests.cli.conftest import Inside
from tests.cli.shell import Shell
from tests.fakes.openai import FakeOpenAI

pytestmark = pytest.mark.timeout(30)

GROUPS = {
    "cache": ("stats", "clear"),
    "config": ("show", "schema", "path"),
    "service": ("install", "uninstall", "status"),
    "openclaw": ("config",),
}
EVERY = [(name,) for name in COMMANDS] + [(name, sub) for name, subs in GROUPS.items() for sub in subs]

HEAVY = "anthropic dbos mcp fastapi trafilatura"
LOADED = """
import sys
sys.argv = ["swarm", *sys.argv[1:]]
from clawswarm.cli.main import main
try:
    main()
finally:
    print(*sorted(name for name in sys.modules if "." not in name), file=sys.stderr)
"""


@pytest.mark.parametrize("names", EVERY, ids=" ".join)
def test_every_command_has_help_with_an_example(inside: Inside, names: tuple[str, ...]) -> None:
    ran = inside.run(*names, "--help")
    assert (ran.status, ran.err) == (0, "")
    text = " ".join(ran.out.split())
    assert f"Usage: swarm {' '.join(names)}" in text
    example = text.partition("Example")[2]
    assert f"swarm {' '.join(names)}" in example
    assert "completion" not in text  # it would complete a command of another name


def test_the_list_of_commands_is_what_there_is(inside: Inside) -> None:
    ran = inside.run("--help")
    assert all(line in " ".join(ran.out.split()) for line in COMMANDS.values())
    assert inside.run("-h").out == ran.out


@pytest.mark.parametrize("arguments", [("nonsense",), ("parallel", "--nonsense"), ("cache", "nonsense")])
def test_a_command_that_does_not_exist_is_wrong_usage(inside: Inside, arguments: tuple[str, ...]) -> None:
    ran = inside.run(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert "nonsense" in ran.err


async def _loaded(shell: Shell, *arguments: str) -> tuple[str, set[str]]:
    ran = await shell.execute([sys.executable, "-c", LOADED, *arguments])
    assert ran.status == 0, ran.err
    return ran.out, set(ran.err.splitlines()[-1].split())


@pytest.mark.anyio
async def test_the_version_is_told_without_loading_anything(shell: Shell) -> None:
    out, modules = await _loaded(shell, "--version")
    assert out == f"swarm {__version__}\n"
    assert modules.isdisjoint({"typer", "rich", "pydantic", "pydantic_core", "anyio", "asyncio"})
    ran = await shell.run("version")
    assert ran.out == out


@pytest.mark.anyio
async def test_parallel_loads_no_library_that_it_does_not_use(shell: Shell) -> None:
    heavy = set(HEAVY.split())
    _, modules = await _loaded(shell, "parallel", "-p", "demo", "a", "-q")
    assert modules.isdisjoint(heavy | {"genai_prices", "jsonschema"})
    async with FakeOpenAI() as fake:
        shell.use(fake)
        _, modules = await _loaded(shell, "parallel", "a", "-q")
    assert modules.isdisjoint(heavy)
    _, modules = await _loaded(shell, "config", "path")
    assert modules.isdisjoint(heavy | {"sqlalchemy", "aiohttp", "httpx2"})
