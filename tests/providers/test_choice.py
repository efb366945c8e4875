"""Which provider is used, with which key, and what is said when there is none."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from clawswarm.config.model import Provider, Service, Settings
from clawswarm.errors import ConfigError, NotConfigured
from clawswarm.providers.http import open_http
from clawswarm.providers.registry import Chosen, choose
from tests.clock import FakeClock
from tests.fakes.ollama import FakeOllama
from tests.fakes.ollama_models import MODELS, ModelInfo
from tests.providers.wires import surroundings

pytestmark = pytest.mark.anyio

NOBODY = "127.0.0.1:9"  # the discard port: nothing listens there
NOW = FakeClock()


async def chosen(
    environ: Mapping[str, str] | None = None, fallback: tuple[Service, ...] = (), **provider: Any
) -> Chosen:
    settings = Settings(provider=Provider(**provider, fallback=list(fallback)))
    environ = {"OLLAMA_HOST": NOBODY, **(environ or {})}
    async with open_http({}) as http:
        return await choose(settings, surroundings(http, environ, NOW))


def key_file(name: str, mode: int = 0o600, text: str = "file-key\n") -> Path:
    folder = Path(os.environ["HOME"]) / ".config" / "clawdbot"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-key.txt"
    path.write_text(text)
    path.chmod(mode)
    return path


ORDER = ("gemini", "groq", "openai", "anthropic")


@pytest.mark.parametrize("place", range(4))
async def test_the_first_key_in_the_environment_decides(place: int) -> None:
    environ = {f"{name.upper()}_API_KEY": f"{name}-key" for name in ORDER[place:]}
    (backend,) = (await chosen(environ)).backends
    assert backend.name == ORDER[place]
    assert backend.key is not None
    assert backend.key.value == f"{ORDER[place]}-key"


@pytest.mark.parametrize("place", range(4))
async def test_a_key_file_decides_where_the_environment_has_none(place: int) -> None:
    for name in ORDER[place:]:
        key_file(name)
    (backend,) = (await chosen({"GEMINI_API_KEY": "  "})).backends
    assert backend.name == ORDER[place]
    assert backend.key is not None
    assert backend.key.value == "file-key"


async def test_any_key_in_the_environment_comes_before_any_file() -> None:
    key_file("gemini")
    (backend,) = (await chosen({"ANTHROPIC_API_KEY": "k"})).backends
    assert backend.name == "anthropic"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o610])
async def test_a_key_file_that_others_can_read_is_refused(mode: int) -> None:
    path = key_file("groq", mode)
    with pytest.raises(ConfigError, match="other users") as caught:
        await chosen(name="groq")
    assert caught.value.hint == f"run: chmod 600 {path}"
    assert "file-key" not in str(caught.value)


async def test_nobody_to_ask_is_told_in_three_lines() -> None:
    with pytest.raises(NotConfigured) as caught:
        await chosen()
    error = caught.value
    lines = f"{error.message}\n{error.hint}".splitlines()
    assert len(lines) == 3
    assert NOBODY in lines[0]
    for name in ORDER:
        assert f"{name.upper()}_API_KEY" in lines[1]
    assert "ollama serve" in lines[2]
    assert "swarm demo" in lines[2]


async def test_a_login_in_ollama_host_is_not_told() -> None:
    with pytest.raises(NotConfigured) as caught:
        await chosen({"OLLAMA_HOST": f"http://me:s3cret@{NOBODY}"})
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize("name", ORDER)
async def test_a_missing_key_is_told_in_three_lines(name: Any) -> None:
    with pytest.raises(NotConfigured) as caught:
        await chosen(name=name)
    error = caught.value
    assert len(f"{error.message}\n{error.hint}".splitlines()) == 3
    assert f"export {name.upper()}_API_KEY=" in (error.hint or "")
    assert f"{name}-key.txt" in (error.hint or "")


async def test_a_named_variable_is_the_one_that_is_missed() -> None:
    with pytest.raises(NotConfigured, match="MY_KEY is not set"):
        await chosen({"GROQ_API_KEY": "other"}, name="groq", api_key_env="MY_KEY")


# ---- Ollama unasked


async def test_an_ollama_that_answers_is_used_without_any_key() -> None:
    async with FakeOllama() as fake:
        result = await chosen({"OLLAMA_HOST": fake.url})
    (backend,) = result.backends
    assert (backend.name, backend.model, result.warnings) == ("ollama", "qwen3:32b", ())


async def test_a_model_that_is_there_stands_in_for_the_recommended_one() -> None:
    embedding = ModelInfo(capabilities=("embedding",))
    models = {
        "nomic-embed-text:latest": embedding,
        "gpt-oss:120b-cloud": MODELS["gpt-oss:120b-cloud"],
        "gemma:2b": MODELS["gemma:2b"],
        "llama3.2:3b": MODELS["llama3.2:3b"],
    }
    async with FakeOllama(models=models) as fake:
        result = await chosen({"OLLAMA_HOST": fake.url})
        named = await chosen({"OLLAMA_HOST": fake.url}, model="llama3.2:3b")
    assert result.backends[0].model == "gemma:2b"  # no embedding model, and none that costs money
    (warning,) = result.warnings
    assert "qwen3:32b" in warning
    assert "gemma:2b" in warning
    assert (named.backends[0].model, named.warnings) == ("llama3.2:3b", ())


async def test_an_ollama_without_models_asks_for_the_recommended_one() -> None:
    async with FakeOllama(models={}) as fake:
        result = await chosen({"OLLAMA_HOST": fake.url})
    assert result.backends[0].model == "qwen3:32b"


async def test_something_else_on_ollamas_port_is_not_an_ollama() -> None:
    from tests.fakes.openai import FakeOpenAI

    async with FakeOpenAI("local") as fake:
        with pytest.raises(NotConfigured):
            await chosen({"OLLAMA_HOST": fake.url})


async def test_a_key_in_the_environment_comes_before_an_ollama() -> None:
    async with FakeOllama() as fake:
        result = await chosen({"OLLAMA_HOST": fake.url, "OPENAI_API_KEY": "k"})
        assert not fake.seen
    assert result.backends[0].name == "openai"


# ---- keys and hosts


async def key_of(environ: Mapping[str, str], **provider: Any) -> str | None:
    key = (await chosen(environ, **provider)).backends[0].key
    return None if key is None else key.value


ALL = {
    "OPENAI_API_KEY": "openai",
    "OPENROUTER_API_KEY": "openrouter",
    "OPENAI_COMPATIBLE_API_KEY": "compatible",
    "OLLAMA_API_KEY": "ollama",
    "MINE": "mine",
}
ROUTER, OTHER, LOCAL = "https://openrouter.ai/api/v1", "https://llm.example.org/v1", "http://127.0.0.1:1234"


@pytest.mark.parametrize(
    ("base_url", "variable", "expected"),
    [
        (ROUTER, None, "openrouter"),
        (OTHER, None, "compatible"),
        (LOCAL, None, "compatible"),
        ("https://openrouter.ai.evil.example/v1", None, "compatible"),
        ("https://notopenrouter.ai/v1", None, "compatible"),
        ([ROUTER, OTHER], None, "compatible"),
        (OTHER, "MINE", "mine"),
        (ROUTER, "MINE", "mine"),
    ],
)
async def test_a_compatible_server_gets_the_key_that_is_meant_for_it(
    base_url: Any, variable: str | None, expected: str
) -> None:
    key = await key_of(ALL, name="openai-compatible", model="m", base_url=base_url, api_key_env=variable)
    assert key == expected


async def test_a_compatible_server_never_gets_the_key_of_openai() -> None:
    for base_url in (ROUTER, OTHER, LOCAL):
        environ = {"OPENAI_API_KEY": "openai"}
        assert await key_of(environ, name="openai-compatible", model="m", base_url=base_url) is None


@pytest.mark.parametrize(
    ("base_url", "variable", "expected"),
    [
        (None, None, None),
        ("http://nas:11434", None, None),
        ("https://ollama.com.evil.example", None, None),
        ("https://ollama.com", None, "ollama"),
        (["https://ollama.com", "http://nas:11434"], None, None),
        ("http://nas:11434", "MINE", "mine"),
        ("http://nas:11434", "OLLAMA_API_KEY", "ollama"),
    ],
)
async def test_an_ollama_gets_a_key_only_where_it_is_meant_to(
    base_url: Any, variable: str | None, expected: str | None
) -> None:
    assert await key_of(ALL, name="ollama", base_url=base_url, api_key_env=variable) == expected


@pytest.mark.parametrize("field", [{"base_url": "https://llm.example.org"}, {"api_key_env": "MINE"}])
async def test_an_address_or_a_key_without_a_provider_is_refused(field: dict[str, Any]) -> None:
    """Else the first key that is found would go to a host that it is not meant for."""
    with pytest.raises(ConfigError, match=r"need provider\.name"):
        await chosen({"GEMINI_API_KEY": "k", "MINE": "m"}, **field)


async def test_a_key_beside_a_login_in_the_address_is_refused() -> None:
    with pytest.raises(ConfigError, match="only one") as caught:
        await chosen({"OPENAI_API_KEY": "k"}, name="openai", base_url="https://me:s3cret@proxy.example")
    assert "s3cret" not in str(caught.value)


async def test_every_key_of_the_chain_is_known_to_the_redactor() -> None:
    fallback = (Service(name="groq"), Service(name="demo"))
    environ = {"GEMINI_API_KEY": "gemini-key", "GROQ_API_KEY": "groq-key"}
    result = await chosen(environ, name="gemini", fallback=fallback)
    assert result.secrets == ("gemini-key", "groq-key")
    assert [backend.name for backend in result.backends] == ["gemini", "groq", "demo"]
    assert "groq-key" not in repr(result)
