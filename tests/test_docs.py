"""The documents, executed: every command of the README runs and prints what it says there."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import pytest
import typer

from clawswarm.access.launch import launch
from clawswarm.access.presence import look
from clawswarm.cli.main import COMMANDS
from clawswarm.cli.team_command import PARTS
from clawswarm.config.describe import schema
from clawswarm.config.fields import dotted
from clawswarm.config.load import load
from clawswarm.config.model import Cache, Cost, Daemon, Limits, Provider, Research, Settings
from clawswarm.config.origins import leaves
from clawswarm.config.paths import Paths
from clawswarm.config.section import Section
from clawswarm.daemon import routes_ops, routes_swarm
from clawswarm.providers.address import PLACES
from clawswarm.providers.models import RECOMMENDED
from clawswarm.types.task import FIELDS
from tests.cli.shell import KEY
from tests.fakes.openai import FakeOpenAI
from tests.fakes.search import FakeSearXNG, Result
from tests.fakes.site import FakeSite, article

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
HTTP_API = (ROOT / "docs" / "http-api.md").read_text(encoding="utf-8")
TEAM = (ROOT / "docs" / "team.md").read_text(encoding="utf-8")
SKILL = (ROOT / "SKILL.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Step:
    command: str
    output: str


def blocks(kind: str, text: str = README) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def steps(block: str) -> list[Step]:
    """The commands of a console block, each with the lines that it prints."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [Step(part.split("\n", 1)[0], part.split("\n", 1)[1].strip()) for part in parts]


def without_numbers(text: str) -> str:
    """What must be the same each time; times and ids differ."""
    text = re.sub(r"job-[0-9a-f]{12}", "job-#", text)
    text = re.sub(r"run-\d{8}-\d{6}-[0-9a-f]{4}", "run-#", text)
    text = re.sub(r'"speedup":(null|[\d.]+)', '"speedup":#', text)
    return re.sub(r"\d+(\.\d+)?", "#", text)


def without_times(text: str) -> str:
    """As `without_numbers`, and without what else depends on when and how fast it is typed."""
    text = re.sub(r"just now|\b\d+[dhms]( \d+[hms])?\b( ago)?", "#", text)
    text = re.sub(r"\d\d [A-Z][a-z]{2} \d\d:\d\d", "#", text)
    return re.sub(r" +", " ", without_numbers(text))


@pytest.fixture(scope="session")
def bin_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the PATH with the `swarm` command of this source tree."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "swarm"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m clawswarm.cli.main "$@"\n')
    script.chmod(0o755)
    return folder


@dataclass
class Reader:
    """Somebody who types what a document says, in a home and on a port of their own."""

    home: Path
    environ: dict[str, str]

    def type(self, found: list[Step], plain: Callable[[str], str] = without_numbers) -> None:
        """Run the steps in one shell; each prints what the document says.

        Args:
            plain: leaves what must be the same each time.
        """
        lines = ["exec 2>&1"]
        for step in found:
            lines += [step.command.replace("9999", self.environ["SWARM__DAEMON__PORT"]), r"printf '\n@@\n'"]
        done = subprocess.run(
            ["/bin/bash", "-c", "\n".join(lines)],
            cwd=self.home,
            env=self.environ,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        printed = done.stdout.split("\n@@\n")
        assert len(printed) == len(found) + 1, done.stdout
        for step, output in zip(found, printed, strict=False):
            assert plain(output.strip()) == plain(step.output), step.command


@pytest.fixture
def reader(tmp_path: Path, bin_folder: Path) -> Iterator[Reader]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environ = {
        "HOME": str(tmp_path),
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "SWARM__DAEMON__PORT": str(port),
    }
    yield Reader(tmp_path, environ)
    if (presence := look(Paths.of(environ))) is not None:
        os.kill(presence.pid, signal.SIGKILL)


@pytest.mark.timeout(30)
@pytest.mark.slow(reason="starts the command line as its user does, several times")
@pytest.mark.parametrize("block", blocks("console"), ids=lambda block: block.split("\n")[0][2:50])
def test_a_console_example_prints_what_the_readme_says(block: str, reader: Reader) -> None:
    found = steps(block)
    assert found
    if "swarm start" in block or "--detach" in block:
        reader.environ["SWARM__PROVIDER__NAME"] = "demo"
    reader.type(found)


@pytest.mark.timeout(30)
@pytest.mark.slow(reason="starts a daemon, and a shell that talks to it")
@pytest.mark.skipif(shutil.which("curl") is None, reason="the page speaks curl, and there is none here")
def test_the_page_of_the_http_api_is_true(reader: Reader) -> None:
    reader.environ["SWARM__PROVIDER__NAME"] = "demo"
    launch(reader.environ)
    reader.type([step for block in blocks("console", HTTP_API) for step in steps(block)])


@pytest.mark.timeout(120)
@pytest.mark.slow(reason="plays a whole run of a team, each command as its user types it")
def test_the_page_of_the_team_is_true(reader: Reader) -> None:
    reader.environ["SWARM__TEAM__ALERTS__DESKTOP"] = "false"
    reader.type([step for block in blocks("console", TEAM) for step in steps(block)], without_times)


def test_the_page_of_the_team_names_every_command() -> None:
    assert set(PARTS) <= set(re.findall(r"swarm team ([a-z]+)", TEAM))


@pytest.mark.anyio
@pytest.mark.timeout(40)
@pytest.mark.slow(reason="starts a daemon, a shell, and the command line")
@pytest.mark.skipif(shutil.which("curl") is None, reason="the page speaks curl, and there is none here")
async def test_the_researches_of_the_documents_run(reader: Reader) -> None:
    """The README's command and the page's request, against a site, a search and a model on this machine."""
    (command,) = [line.strip() for line in README.splitlines() if line.startswith("    swarm research")]
    (request,) = [line.strip() for line in HTTP_API.splitlines() if line.startswith("    curl -sN")]
    async with FakeOpenAI() as fake, FakeSite() as site, FakeSearXNG() as search:
        fake.key = KEY
        address = site.page("/about", article("About", "The company was founded by researchers in a garage."))
        search.answers[""] = [Result("About", address)]
        environ = reader.environ | {"SWARM__RESEARCH__SEARCH": "searxng"}
        environ |= {
            "SWARM__RESEARCH__SEARXNG_URL": search.url,
            "SWARM__RESEARCH__ALLOW_LOOPBACK": "true",
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": fake.base_url,
        }
        script = f"swarm start >/dev/null; TOKEN=$(cat ~/.config/clawdbot/swarm-token)\n{request}\n{command}"
        script = script.replace("9999", environ["SWARM__DAEMON__PORT"])
        done = await anyio.run_process(
            ["/bin/bash", "-c", script], env=environ, cwd=reader.home, check=False, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, done.stderr
        last = json.loads(done.stdout.splitlines()[-1])
        assert last["event"] == "complete"
        assert [subject["ok"] for subject in last["subjects"]] == [True, True]
        assert "## Sources" in (reader.home / "report.md").read_text(encoding="utf-8")


def test_the_page_of_the_http_api_names_every_path() -> None:
    routes: list[Any] = [*routes_swarm.router.routes, *routes_ops.router.routes]
    for route in routes:
        name = route.path.replace("{job_id}", "{id}")
        for method in route.methods:
            assert re.search(rf"`{method} {re.escape(name)}[`?]", HTTP_API), f"{method} {name}"


def test_the_readme_names_every_command() -> None:
    table = README[README.index("## Commands") :].split("\n\n")[1]
    assert set(COMMANDS) <= set(re.findall(r"`(?:swarm )?([a-z]+)[^`]*`", table))


def test_a_task_that_fails_finds_its_code_in_the_table_of_troubles() -> None:
    table = README[README.index("## Troubleshooting") :].split("\n## ")[0]
    assert {"auth_failed", "rate_limited", "parked", "invalid_output"} <= set(
        re.findall(r"`([a-z_]+)`", table)
    )


@pytest.mark.timeout(30)
@pytest.mark.slow(reason="a Python of its own")
def test_the_python_example_runs(tmp_path: Path) -> None:
    (example,) = blocks("python")
    done = subprocess.run(
        [sys.executable, "-c", example],
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "[demo] No model was asked." in done.stdout
    assert done.stdout.split()[-3:] == ["start", "progress", "complete"]


def test_the_configuration_example_is_valid(tmp_path: Path) -> None:
    (example,) = blocks("yaml")
    path = tmp_path / "node-scaling.yaml"
    path.write_text(example, encoding="utf-8")
    settings = load({"HOME": str(tmp_path), "SWARM_CONFIG": str(path)}).settings
    assert settings.provider.name == "gemini"
    assert settings.cost.max_daily_spend == 10


def test_the_configuration_table_names_every_key() -> None:
    named = set(re.findall(r"^\| `([a-z_.]+)` \|", README, re.MULTILINE))
    document = schema()
    settings = document["properties"]["node_scaling"]
    assert named & {"enabled"} == {"enabled"}
    assert settings
    sections: dict[str, type[Section]] = {
        "limits": Limits,
        "provider": Provider,
        "cost": Cost,
        "cache": Cache,
        "research": Research,
        "daemon": Daemon,
    }
    keys = {f"{name}.{key}" for name, section in sections.items() for key in section.model_fields}
    keys |= {dotted(("team", *path)) for path, _ in leaves(Settings().team)}
    assert {key for key in named if "." in key} == keys


def test_the_provider_table_is_true() -> None:
    for name, place in PLACES.items():
        row = next(line for line in README.splitlines() if line.startswith(f"| `{name}` |"))
        if name in RECOMMENDED and name != "demo":
            assert f"`{RECOMMENDED[name]}`" in row
        for variable in (place.key_variable, place.url_variable):
            if variable is not None and variable != "OLLAMA_API_KEY":
                assert f"`{variable}`" in row


def test_the_fields_of_a_line_are_named() -> None:
    sentence = README[README.index("A line of a JSON Lines file") :].split("\n\n")[0]
    assert set(FIELDS) <= set(re.findall(r"`([a-z_]+)`", sentence))


def test_every_command_in_the_skill_is_accepted() -> None:
    commands = [shlex.split(line) for line in SKILL.splitlines() if line.startswith("    swarm ")]
    assert len(commands) >= 6
    for _, *words in commands:
        command: Any = typer.main.get_command(import_module(f"clawswarm.cli.{words[0]}_command").app)
        look: Any = getattr(command, "get_command", None)  # a group may load its commands one by one
        found: Any = (
            look and look(command.make_context("swarm", ["-"], resilient_parsing=True), words[1])
        ) or command
        known = {option for parameter in found.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known


def test_the_notes_for_those_who_carry_on_are_short() -> None:
    assert len((ROOT / "AGENTS.md").read_text(encoding="utf-8").splitlines()) <= 40
