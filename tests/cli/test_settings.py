"""No key, a broken configuration, a switched-off swarm; and `swarm config`."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.cli.conftest import Inside
from tests.cli.shell import KEY, Shell
from tests.fakes.ollama import FakeOllama

pytestmark = pytest.mark.timeout(30)


def configure(inside: Inside, text: str) -> Path:
    path = inside.home / ".config" / "clawdbot" / "node-scaling.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def newcomer(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> Inside:
    """Somebody without any key, whose machine runs no Ollama."""
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    return inside


def test_a_newcomer_is_told_what_to_do_in_three_lines(newcomer: Inside) -> None:
    ran = newcomer.run("parallel", "hi")
    assert (ran.status, ran.out) == (3, "")
    missing, key, ollama = ran.err.splitlines()
    assert missing == (
        "swarm: no model to ask: no API key was found, and no Ollama answers at http://127.0.0.1:9"
    )
    assert "export GEMINI_API_KEY=" in key
    assert "ollama serve" in ollama
    assert "swarm demo" in ollama


def test_a_script_is_told_the_same_as_json(newcomer: Inside) -> None:
    ran = newcomer.run("parallel", "hi", "--json")
    assert ran.status == 3
    assert ran.json["error"]["code"] == "not_configured"


def test_a_named_provider_without_its_key_says_where_to_put_it(newcomer: Inside) -> None:
    ran = newcomer.run("parallel", "hi", "-p", "groq")
    assert (ran.status, ran.out) == (3, "")
    assert "GROQ_API_KEY is not set" in ran.err
    assert str(newcomer.home / ".config" / "clawdbot" / "groq-key.txt") in ran.err


def test_a_key_file_that_others_can_read_is_refused(newcomer: Inside) -> None:
    path = newcomer.home / ".config" / "clawdbot" / "openai-key.txt"
    path.parent.mkdir(parents=True)
    path.write_text(KEY, encoding="utf-8")
    path.chmod(0o644)
    ran = newcomer.run("parallel", "hi", "-p", "openai")
    assert ran.status == 3
    assert f"run: chmod 600 {path}" in ran.err
    assert newcomer.nothing_was_sent


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("node_scaling:\n  limits:\n    max_nodes: many\n", ":3: limits.max_nodes: expected"),
        ("node_scaling:\n\n  limts: {}\n", ":3: unknown key 'limts': did you mean 'limits'?"),
        ("node_scaling:\n  provider: {name: [\n", ": this is not valid YAML"),
        ("node_scaling:\n  provider: {name: nobody}\n", ":2: provider.name: expected"),
    ],
)
def test_a_broken_configuration_is_named_with_its_line(inside: Inside, text: str, words: str) -> None:
    path = configure(inside, text)
    for command in (("parallel", "hi"), ("savings",), ("cache", "stats"), ("config", "show")):
        ran = inside.run(*command)
        assert (ran.status, ran.out) == (3, "")
        assert ran.err.startswith(f"swarm: {path}{words}" if words[1].isdigit() else f"swarm: {path}:")
        assert words in ran.err
    assert inside.run("config", "path").out == f"{path}\n"
    assert inside.run("config", "path", "--json").json == {"path": str(path), "exists": True}
    assert inside.nothing_was_sent


def test_a_switched_off_swarm_asks_nobody(inside: Inside) -> None:
    configure(inside, "node_scaling:\n  enabled: false\n")
    for command in (("parallel", "hi"), ("bench", "-n", "1"), ("demo",)):
        ran = inside.run(*command)
        assert (ran.status, ran.out) == (3, "")
        assert ran.err.splitlines() == [
            "swarm: Swarm is switched off in the configuration",
            "  set node_scaling.enabled: true to use it",
        ]
    assert inside.run("config", "show").status == 0
    assert inside.nothing_was_sent


def test_config_show_names_the_origin_of_every_value_and_masks_the_key(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = configure(inside, "node_scaling:\n  limits:\n    max_nodes: 5\n")
    monkeypatch.setenv("SWARM__COST__MAX_DAILY_SPEND", "2.5")
    ran = inside.run("config", "show")
    rows = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines()}
    assert rows["limits.max_nodes"] == ["5", f"{path}:3"]
    assert rows["cost.max_daily_spend"] == ["2.5", "SWARM__COST__MAX_DAILY_SPEND"]
    assert rows["cache.enabled"] == ["true", "default"]
    assert rows["key"] == ["openai", "sk-l…op", "OPENAI_API_KEY"]
    document = inside.run("config", "show", "--json")
    assert document.json["path"] == str(path)
    assert document.json["node_scaling"]["limits"]["max_nodes"] == 5
    assert document.json["origins"]["limits.max_nodes"] == f"{path}:3"
    assert document.json["keys"] == {"openai": {"key": "sk-l…op", "origin": "OPENAI_API_KEY"}}
    assert document.json["warnings"] == []
    assert KEY not in ran.out + document.out


def test_config_schema_is_a_json_schema_that_knows_good_from_bad(inside: Inside) -> None:
    schema = inside.run("config", "schema").json
    Draft202012Validator.check_schema(schema)
    check: Any = Draft202012Validator(schema)
    assert check.is_valid({"node_scaling": {"limits": {"max_nodes": 5}, "provider": {"name": "ollama"}}})
    assert not check.is_valid({"node_scaling": {"limits": {"max_nodes": "many"}}})
    assert not check.is_valid({"node_scaling": {"limts": {}}})


@pytest.mark.anyio
async def test_a_local_ollama_is_found_without_any_configuration(shell: Shell) -> None:
    async with FakeOllama() as fake:
        shell.environ["OLLAMA_HOST"] = fake.url
        del fake.models["qwen3:32b"]
        ran = await shell.run("parallel", "hi", "--json")
    assert (ran.status, ran.json["results"]) == (0, ["echo: hi"])
    assert ran.json["tasks"][0]["model"] == "llama3.2:3b"
    assert "swarm: warning: Ollama has no 'qwen3:32b': using 'llama3.2:3b'" in ran.err
