"""The skill, the bundle and the page about OpenClaw: hosts and registries take them, and they are true."""

import json
import re
import shlex
import unicodedata
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
import yaml

from clawswarm.cli.main import COMMANDS
from clawswarm.version import __version__
from clawswarm_mcp.arguments import read
from clawswarm_mcp.catalog import BY_NAME
from tests.mcp.support import as_daemon

ROOT = Path(__file__).parent.parent
BUNDLED = ROOT / "skills" / "swarm"
SKILL = (BUNDLED / "SKILL.md").read_text(encoding="utf-8")
REFERENCES = {
    path.name: path.read_text(encoding="utf-8") for path in sorted(BUNDLED.rglob("references/*.md"))
}
PAGE = (ROOT / "docs" / "openclaw.md").read_text(encoding="utf-8")
TEXTS = {"SKILL.md": SKILL, **REFERENCES}

FIELDS = {"name", "description", "license", "compatibility", "metadata"}
"""What the Agent Skills format knows, of which we use these."""

OPENCLAW = {"emoji", "homepage", "requires", "install"}
NEEDS = {"bins", "anyBins", "env", "config"}
KINDS = {"brew", "node", "go", "uv", "download"}
"""What OpenClaw knows; it drops others without a word."""


def frontmatter() -> dict[str, Any]:
    _, head, _ = SKILL.split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(head)
    return found


def document(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / name).read_text(encoding="utf-8"))
    return found


# What hosts read


def test_the_frontmatter_is_an_agent_skills() -> None:
    head = frontmatter()
    assert set(head) == FIELDS
    assert head["name"] == BUNDLED.name == "swarm"
    assert len(head["compatibility"]) <= 500
    assert "\n" not in head["description"]
    assert len(head["description"]) < 160  # OpenClaw's own limit; the format allows more
    lines = SKILL.split("---\n", 2)[1].splitlines()
    assert not [
        line for line in lines if re.search(r": *[\[{>|&*!]", line)
    ]  # strict readers take no flow style


def test_the_frontmatter_is_openclaws() -> None:
    ours = frontmatter()["metadata"]["openclaw"]
    assert set(ours) == OPENCLAW
    assert ours["emoji"] == "🐝"
    assert ours["homepage"].startswith("https://")
    assert set(ours["requires"]) <= NEEDS
    assert "swarm" in ours["requires"]["anyBins"]
    [install] = ours["install"]
    assert install["kind"] in KINDS
    assert (install["kind"], install["package"], install["bins"]) == ("uv", "clawswarm", ["swarm"])


def test_a_clone_is_the_same_skill_as_the_bundle() -> None:
    """OpenClaw takes no links inside a bundle: the text is there twice, and differs in where it links to."""
    at_root = (ROOT / "SKILL.md").read_text(encoding="utf-8")
    assert at_root == SKILL.replace("](references/", "](skills/swarm/references/")


def test_the_skill_is_short_and_what_it_links_to_is_there() -> None:
    assert len(SKILL.encode()) <= 6_000
    linked = set(re.findall(r"\]\(references/([a-z]+\.md)\)", SKILL))
    assert linked == set(REFERENCES)
    assert all(len(text.encode()) <= 6_000 for text in REFERENCES.values())
    assert not [path for path in BUNDLED.rglob("*") if path.is_symlink()]


@pytest.mark.parametrize("name", TEXTS)
def test_registries_find_nothing_to_refuse(name: str) -> None:
    text = TEXTS[name]
    hidden = [character for character in text if unicodedata.category(character) in ("Cf", "Cc", "Co")]
    assert set(hidden) <= {"\n"}
    assert not re.search(r"(curl|wget)\b.*\|", text)
    assert not re.search(r"\b(ba|z)?sh\b +-c|base64|\beval\b", text)
    assert not re.search(r"[A-Za-z0-9+/=]{60,}", text)
    assert not re.findall(
        r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", text.replace("JOB_ID", "")
    )  # variables, undeclared
    assert not re.search(r"~/\.(ssh|aws|openclaw)|\.env\b", text)


# What the texts say


@dataclass(frozen=True)
class Called:
    """A tool that an example calls, and what it says comes back."""

    tool: str
    arguments: str
    answer: str = ""


CALL = re.compile(r"^swarm__([a-z_]+) (\{.*\})$(?:\n→ (.*)$)?", re.MULTILINE)


def calls(text: str) -> list[Called]:
    return [Called(*match.groups(default="")) for match in CALL.finditer(text)]


def commands(text: str) -> list[list[str]]:
    """The words of each `swarm …`, on a line of its own or inside a sentence."""
    found = re.findall(r"^ {4}(swarm .*)$|`(swarm [^`…]*)`", text, re.MULTILINE)
    return [shlex.split(line or inside)[1:] for line, inside in found]


@pytest.mark.parametrize("called", calls(SKILL + PAGE), ids=lambda called: called.tool)
def test_a_call_in_an_example_is_one_that_the_tool_takes(called: Called) -> None:
    entry = BY_NAME[called.tool]
    read(entry.takes, json.loads(called.arguments), example=entry.example)


def test_the_three_examples_show_what_is_for_whom() -> None:
    shown = {called.tool for called in calls(SKILL)}
    assert {"swarm_parallel", "swarm_research", "swarm_job", "team_start", "cast_vote"} <= shown
    assert {called.tool for called in calls(PAGE)} >= {"team_control", "raise_emergency", "team_status"}


@pytest.mark.parametrize("text", [*TEXTS.values(), PAGE], ids=[*TEXTS, "openclaw.md"])
def test_every_tool_that_is_named_is_there(text: str) -> None:
    named = set(re.findall(r"swarm__([a-z_]*[a-z])\b", text))
    named |= set(re.findall(r"`((?:team|swarm)_[a-z]+|cast_vote|raise_emergency)`", text))
    assert named <= set(BY_NAME)


@pytest.mark.parametrize("text", [*TEXTS.values(), PAGE], ids=[*TEXTS, "openclaw.md"])
def test_every_command_is_accepted(text: str) -> None:
    found = commands(text)
    assert found
    for name, *words in found:
        assert name in COMMANDS
        command: Any = typer.main.get_command(import_module(f"clawswarm.cli.{name}_command").app)
        for word in words:
            command = _inner(command, word) or command
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known


def _inner(command: Any, name: str) -> Any:
    """The command of that name in a group; None where there is none, or it is no group."""
    look = getattr(command, "get_command", None)
    return None if look is None else look(typer.Context(command), name)


def test_the_codes_of_failures_are_those_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("## Troubleshooting") :].split("\n## ")[0]
    rows = [line for line in REFERENCES["asking.md"].splitlines() if line.startswith("| `")]
    codes = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row.split("|")[1])}
    assert codes
    assert codes <= set(re.findall(r"`([a-z_]+)`", table))


def test_the_installer_says_what_the_page_shows() -> None:
    installer = (ROOT / "install.sh").read_text(encoding="utf-8")
    assert '"$title: registered the MCP server ($1 mcp add swarm)"' in installer
    assert "    OpenClaw: registered the MCP server (openclaw mcp add swarm)\n" in PAGE
    assert 'say "Skill: $how, $skill"' in installer
    assert "    Skill: copied, /home/you/.openclaw/skills/swarm\n" in PAGE


IDS = re.compile(r"\b(?:run-\d{8}-\d{6}-[0-9a-f]{4}|[cemp]\d+)\b")


@pytest.mark.anyio
@pytest.mark.timeout(30)
async def test_a_conversation_goes_as_the_page_says(tmp_path: Path) -> None:
    """Every call under "the agent calls", one after the other, but for the research, which needs the web."""
    blocks = re.findall(r"```tool\n(.*?)```", PAGE, re.DOTALL)
    real: dict[str, str] = {}

    def as_here(text: str) -> str:
        return IDS.sub(lambda match: real.get(match[0], match[0]), text)

    async with as_daemon(tmp_path) as desk:
        for called in calls("".join(blocks)):
            told = await desk.good(called.tool, json.loads(as_here(called.arguments)))
            real.update(zip(IDS.findall(called.answer), IDS.findall(told.text), strict=True))
            assert told.text == as_here(called.answer)


# What is published


TEXT = {"type": "string", "minLength": 1}
ADDRESS = {"type": "string", "pattern": "^https://[^ ]+$"}


def closed(required: str, **properties: Any) -> dict[str, Any]:
    """An object with no other keys; `required` are those that have to be there."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


PLUGIN = closed(
    "$schema name",
    **{
        "$schema": {"const": "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json"},
        "name": {
            "type": "string",
            "maxLength": 64,
            "pattern": r"^(?!.*(?:--|\.\.))[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
        },
        "version": TEXT,
        "description": TEXT,
        "author": closed("name", name=TEXT, email=TEXT, url=ADDRESS),
        "homepage": ADDRESS,
        "repository": ADDRESS,
        "license": TEXT,
        "keywords": {"type": "array", "items": TEXT},
        "extensions": {"type": "object"},
    },
)
"""Agent Plugins 1.0.0, in our words."""

STDIO = closed(
    "type command",
    type={"const": "stdio"},
    command={"type": "string", "pattern": r"^(\./.+|[^\s/\\]+)$"},
    args={"type": "array", "items": {"type": "string"}},
    env={"type": "object", "additionalProperties": {"type": "string"}},
    cwd={"type": "string"},
)
MCP = closed(
    "$schema mcpServers",
    **{
        "$schema": {"const": "https://agent-plugins.org/schemas/1.0.0/mcp.schema.json"},
        "mcpServers": {"type": "object", "minProperties": 1, "additionalProperties": STDIO},
    },
)
"""The same for its servers, and what OpenClaw asks of a command."""

EXACT = {"type": "string", "pattern": r"^\d+\.\d+\.\d+([-+.a-z0-9]*)$"}
PACKAGE = closed(
    "registryType identifier version transport",
    registryType={"enum": ["pypi"]},
    registryBaseUrl={"const": "https://pypi.org"},
    identifier=TEXT,
    version=EXACT,
    runtimeHint={"enum": ["uvx"]},
    transport=closed("type", type={"const": "stdio"}),
    packageArguments={
        "type": "array",
        "items": closed("type value", type={"const": "positional"}, value=TEXT),
    },
)
SERVER = closed(
    "$schema name description version packages",
    **{
        "$schema": {"const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"},
        "name": {"type": "string", "maxLength": 200, "pattern": r"^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$"},
        "title": TEXT | {"maxLength": 100},
        "description": TEXT | {"maxLength": 100},
        "version": EXACT,
        "repository": closed("url source", url=ADDRESS, source={"enum": ["github"]}),
        "packages": {"type": "array", "minItems": 1, "items": PACKAGE},
    },
)
"""The MCP registry's schema of 2025-12-11, in our words and as far as we use it."""


@pytest.mark.parametrize(
    ("name", "schema"), [("plugin.json", PLUGIN), ("mcp.json", MCP), ("server.json", SERVER)]
)
def test_what_is_published_has_the_right_form(name: str, schema: dict[str, Any]) -> None:
    jsonschema.validate(document(name), schema)


def test_what_is_published_says_the_same_everywhere() -> None:
    plugin, server, project = document("plugin.json"), document("server.json"), ROOT / "pyproject.toml"
    [package] = server["packages"]
    assert {plugin["version"], server["version"], package["version"]} == {__version__}
    assert f'\nname = "{package["identifier"]}"\n' in project.read_text(encoding="utf-8")
    homepage = frontmatter()["metadata"]["openclaw"]["homepage"]
    assert {plugin["homepage"], plugin["repository"], server["repository"]["url"]} == {homepage}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"<!-- mcp-name: {server['name']} -->" in readme  # how PyPI shows the registry whose package it is


def test_every_way_in_starts_the_same_server() -> None:
    [entry] = document("mcp.json")["mcpServers"].values()
    assert (entry["command"], entry["args"]) == ("swarm", ["mcp"])
    [package] = document("server.json")["packages"]
    assert [argument["value"] for argument in package["packageArguments"]] == ["mcp"]
    assert "mcp" in COMMANDS
