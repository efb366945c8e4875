"""Every form in which people write an address leads to the right place, or to an error that says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.config.model import ProviderName, Service
from clawswarm.errors import ConfigError
from clawswarm.providers.address import all_at, base_urls, has_login, host_of, is_local, without_login
from tests.providers.wires import OLLAMA, opened

OLLAMA_HOSTS = [
    ("", "http://127.0.0.1:11434"),
    ("   ", "http://127.0.0.1:11434"),
    ("127.0.0.1", "http://127.0.0.1:11434"),
    ("127.0.0.1:11434", "http://127.0.0.1:11434"),
    ("localhost", "http://localhost:11434"),
    ("localhost:8080", "http://localhost:8080"),
    ("nas", "http://nas:11434"),
    ("nas/", "http://nas:11434"),
    ("gpu.lan:1234", "http://gpu.lan:1234"),
    (":8080", "http://127.0.0.1:8080"),
    ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104
    ("0.0.0.0:9000", "http://127.0.0.1:9000"),
    ("http://0.0.0.0:9000", "http://127.0.0.1:9000"),
    ("[::]:9000", "http://127.0.0.1:9000"),
    ("::", "http://127.0.0.1:11434"),
    ("::1", "http://[::1]:11434"),
    ("[::1]", "http://[::1]:11434"),
    ("[::1]:9000", "http://[::1]:9000"),
    ("http://[::1]:9000", "http://[::1]:9000"),
    ("http://nas:11434", "http://nas:11434"),
    ("http://nas:11434/", "http://nas:11434"),
    ("http://nas", "http://nas"),
    ("http://nas:80", "http://nas"),
    ("https://nas", "https://nas"),
    ("https://nas:443", "https://nas"),
    ("https://nas:11434", "https://nas:11434"),
    ("https://example.org/ollama/", "https://example.org/ollama"),
    ("http://nas:11434/v1", "http://nas:11434"),
    ("http://nas:11434/v1/", "http://nas:11434"),
    ("http://nas:11434/api", "http://nas:11434"),
    ("ollama.com", "https://ollama.com"),
    ("https://ollama.com", "https://ollama.com"),
    ('"127.0.0.1:11434"', "http://127.0.0.1:11434"),
    ("'nas'", "http://nas:11434"),
    ("HTTP://NAS:11434", "http://nas:11434"),
    ("http://me:pw@nas:11434", "http://me:pw@nas:11434"),
]


@pytest.mark.parametrize(("written", "expected"), OLLAMA_HOSTS)
def test_every_form_of_ollama_host_is_read_as_ollama_reads_it(written: str, expected: str) -> None:
    assert base_urls("ollama", Service(), {"OLLAMA_HOST": written}) == (expected,)
    if written.strip():
        service = Service().model_copy(update={"base_url": written})
        assert base_urls("ollama", service, {"OLLAMA_HOST": "other:1"}) == (expected,)


OTHERS: list[tuple[ProviderName, str, str]] = [
    ("openai-compatible", "http://localhost:1234", "http://localhost:1234/v1"),
    ("openai-compatible", "http://localhost:1234/", "http://localhost:1234/v1"),
    ("openai-compatible", "http://localhost:1234/v1", "http://localhost:1234/v1"),
    ("openai-compatible", "http://localhost:1234/v1/", "http://localhost:1234/v1"),
    ("openai-compatible", "http://localhost:1234/v1/chat/completions", "http://localhost:1234/v1"),
    ("openai-compatible", "localhost:1234", "http://localhost:1234/v1"),
    ("openai-compatible", "192.168.1.5:8000/v1", "http://192.168.1.5:8000/v1"),
    ("openai-compatible", "gpu:8000", "http://gpu:8000/v1"),
    ("openai-compatible", "openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
    ("openai-compatible", "https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
    ("openai-compatible", "http://[::1]:8000", "http://[::1]:8000/v1"),
    ("openai", "https://api.openai.com", "https://api.openai.com/v1"),
    ("openai", "api.openai.com", "https://api.openai.com/v1"),
    ("openai", "https://proxy.example/openai?x=1#y", "https://proxy.example/openai"),
    ("groq", "https://api.groq.com", "https://api.groq.com/openai/v1"),
    (
        "gemini",
        "https://generativelanguage.googleapis.com",
        "https://generativelanguage.googleapis.com/v1beta",
    ),
    (
        "gemini",
        "https://generativelanguage.googleapis.com/v1",
        "https://generativelanguage.googleapis.com/v1",
    ),
    ("anthropic", "https://api.anthropic.com/v1", "https://api.anthropic.com"),
    ("anthropic", "https://api.anthropic.com/v1/", "https://api.anthropic.com"),
    ("anthropic", "https://proxy.example/claude", "https://proxy.example/claude"),
]


@pytest.mark.parametrize(("name", "written", "expected"), OTHERS)
def test_every_form_of_a_base_url_leads_to_the_api(name: ProviderName, written: str, expected: str) -> None:
    service = Service().model_copy(update={"base_url": written})
    assert base_urls(name, service, {}) == (expected,)


@pytest.mark.parametrize(
    ("name", "variable", "public"),
    [
        ("gemini", "GEMINI_BASE_URL", "https://generativelanguage.googleapis.com/v1beta"),
        ("groq", "GROQ_BASE_URL", "https://api.groq.com/openai/v1"),
        ("openai", "OPENAI_BASE_URL", "https://api.openai.com/v1"),
        ("anthropic", "ANTHROPIC_BASE_URL", "https://api.anthropic.com"),
        ("ollama", "OLLAMA_HOST", "http://127.0.0.1:11434"),
    ],
)
def test_the_usual_variable_moves_a_provider_and_the_configuration_wins(
    name: ProviderName, variable: str, public: str
) -> None:
    assert base_urls(name, Service(), {}) == (public,)
    moved = base_urls(name, Service(), {variable: "http://10.0.0.9:7/x"})
    assert moved == ("http://10.0.0.9:7/x",)
    configured = Service(base_url="http://10.0.0.8:7/y")
    assert base_urls(name, configured, {variable: "http://10.0.0.9:7/x"}) == ("http://10.0.0.8:7/y",)


@pytest.mark.parametrize(
    "written", ["nas:abc", "nas:99999", "http://[bad", "http://nas:11434:5", "nas:-1", "unix:///run/x"]
)
def test_an_address_that_cannot_be_read_is_an_error_that_does_not_repeat_it(written: str) -> None:
    for name in ("ollama", "openai-compatible"):
        service = Service().model_copy(update={"base_url": f"{written}"})
        with pytest.raises(ConfigError, match="base_url cannot be read") as caught:
            base_urls(name, service, {})
        assert caught.value.hint
        assert written not in caught.value.message
    with pytest.raises(ConfigError, match="OLLAMA_HOST cannot be read"):
        base_urls("ollama", Service(), {"OLLAMA_HOST": written})


def test_an_address_without_a_host_is_an_error() -> None:
    for written in ("http://", "/v1", "https:///x"):
        with pytest.raises(ConfigError):
            base_urls("openai", Service().model_copy(update={"base_url": written}), {})


def test_several_hosts_are_several_endpoints_and_one_named_twice_is_one() -> None:
    service = Service(name="ollama", base_url=["a", "b:1", "http://a:11434/"])
    assert base_urls("ollama", service, {}) == ("http://a:11434", "http://b:1")


@given(st.text(st.characters(codec="ascii"), max_size=30))
def test_whatever_stands_in_ollama_host_is_read_or_refused(written: str) -> None:
    try:
        (url,) = base_urls("ollama", Service(), {"OLLAMA_HOST": written})
    except ConfigError:
        return
    assert "://" in url
    assert host_of(url)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:1", True),
        ("http://localhost", True),
        ("http://LOCALHOST", True),
        ("http://[::1]:1", True),
        ("http://10.1.2.3", True),
        ("http://192.168.0.9:8000/v1", True),
        ("http://172.16.0.1", True),
        ("http://100.101.102.103:11434", True),
        ("http://[fd00::1]", True),
        ("http://mac-mini.local", True),
        ("http://gpu.lan", True),
        ("http://box.tail1234.ts.net", True),
        ("http://host.docker.internal:1234", True),
        ("http://nas:11434", True),
        ("https://openrouter.ai/api/v1", False),
        ("https://ollama.com", False),
        ("http://8.8.8.8", False),
        ("http://172.32.0.1", False),
        ("https://localhost.example.org", False),
        ("https://evil-localhost.com", False),
        ("", False),
    ],
)
def test_what_lies_on_this_machine_or_its_network_is_known(url: str, local: bool) -> None:
    assert is_local(url) is local


def test_logins_are_found_and_left_out() -> None:
    assert has_login("http://me:pw@nas:1/x")
    assert not has_login("http://nas:1/x?a=@")
    assert without_login("http://me:p@w@nas:1/x") == "http://nas:1/x"
    assert without_login("") == ""
    assert all_at(("https://openrouter.ai/a", "https://openrouter.ai/b"), "openrouter.ai")
    assert not all_at(("https://openrouter.ai/a", "https://openrouter.ai.evil.com"), "openrouter.ai")


@pytest.mark.anyio
async def test_a_login_in_the_address_of_ollama_is_sent_and_not_shown() -> None:
    async with OLLAMA.make() as fake:
        url = fake.url.replace("http://", "http://me:s3cret@")
        async with opened(OLLAMA, base_url=url) as line:
            assert "s3cret" not in line.backend.connections[0].address
            reply = await line.ask("hi")
        assert reply.text == "echo: hi"
        assert fake.calls[0].headers["Authorization"] == "Basic bWU6czNjcmV0"
