"""Which service is asked: the configured one, else the first that is set up."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from clawswarm.config.model import Research, SearchName
from clawswarm.errors import ConfigError, NotConfigured
from clawswarm.providers.http import open_http
from clawswarm.web.choose_search import open_search, search_name, secrets
from clawswarm.web.web import Web
from tests.clock import FakeClock
from tests.web.support import on_the_web

pytestmark = pytest.mark.anyio

BRAVE = {"BRAVE_API_KEY": "brave-key-0123456789"}
OLLAMA = {"OLLAMA_API_KEY": "ollama-key-0123456789"}
XNG = Research(searxng_url="http://127.0.0.1:8888")


def key_file(folder: Path, service: str, mode: int = 0o600) -> Path:
    path = folder / f"{service}-key.txt"
    path.write_text(f"{service}-file-key-0123456789\n", encoding="utf-8")
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("settings", "provider", "environ", "name"),
    [
        (Research(), "groq", {}, "duckduckgo"),
        (XNG, "groq", {}, "searxng"),
        (XNG, "groq", BRAVE, "brave"),
        (XNG, "groq", BRAVE | OLLAMA, "ollama"),
        (XNG, "gemini", BRAVE | OLLAMA, "gemini"),
        (Research(), "ollama", {}, "duckduckgo"),
        (Research(), "groq", {"BRAVE_API_KEY": "  "}, "duckduckgo"),
        (Research(search="duckduckgo"), "gemini", BRAVE | OLLAMA, "duckduckgo"),
        (Research(search="brave"), "gemini", OLLAMA, "brave"),
        (Research(search="searxng"), "groq", BRAVE, "searxng"),
        (Research(search="gemini"), "gemini", {}, "gemini"),
    ],
)
def test_the_first_that_is_set_up_is_asked(
    tmp_path: Path, settings: Research, provider: str, environ: Mapping[str, str], name: SearchName
) -> None:
    assert search_name(settings, provider, environ, tmp_path) == name


@pytest.mark.parametrize("service", ["brave", "ollama"])
def test_a_key_may_stand_in_a_file(tmp_path: Path, service: SearchName) -> None:
    key_file(tmp_path, service)
    assert search_name(XNG, "groq", {}, tmp_path) == service
    assert secrets({}, tmp_path) == (f"{service}-file-key-0123456789",)


def test_a_variable_goes_before_a_file(tmp_path: Path) -> None:
    key_file(tmp_path, "brave")
    assert secrets(BRAVE | OLLAMA, tmp_path) == (BRAVE["BRAVE_API_KEY"], OLLAMA["OLLAMA_API_KEY"])


def test_only_gemini_searches_like_gemini(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="only Gemini") as caught:
        search_name(Research(search="gemini"), "groq", {}, tmp_path)
    assert caught.value.hint
    assert "provider.name: gemini" in caught.value.hint


@pytest.mark.parametrize("service", ["brave", "ollama"])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, service: str) -> None:
    path = key_file(tmp_path, service, 0o644)
    with pytest.raises(ConfigError, match="other users") as caught:
        search_name(Research(), "groq", {}, tmp_path)
    assert caught.value.hint == f"run: chmod 600 {path}"
    assert f"{service}-file-key" not in caught.value.message


@pytest.mark.parametrize("service", ["brave", "ollama"])
async def test_a_missing_key_says_where_it_may_stand(
    tmp_path: Path, clock: FakeClock, service: SearchName
) -> None:
    async with open_http({}) as http:
        with pytest.raises(NotConfigured) as caught:
            open_search(service, Research(), {}, tmp_path, http=http, clock=clock)
    assert caught.value.hint
    assert f"export {service.upper()}_API_KEY=" in caught.value.hint
    assert str(tmp_path / f"{service}-key.txt") in caught.value.hint
    assert "chmod 600" in caught.value.hint


async def test_gemini_is_no_service_to_be_opened(tmp_path: Path, clock: FakeClock) -> None:
    async with open_http({}) as http:
        with pytest.raises(ValueError, match="inside the call"):
            open_search("gemini", Research(), {}, tmp_path, http=http, clock=clock)


@pytest.mark.parametrize("name", ["brave", "ollama", "searxng", "duckduckgo"])
async def test_every_service_says_its_name(name: SearchName) -> None:
    async with on_the_web(environ=BRAVE | OLLAMA, searxng_url="127.0.0.1:8888") as web:
        assert web.search(name).name == name


async def test_the_web_chooses_by_its_own_settings_and_variables() -> None:
    async with on_the_web(environ=BRAVE) as web:
        assert _chosen(web) == ("brave", "gemini")
    async with on_the_web(environ=BRAVE, search="duckduckgo") as web:
        assert _chosen(web) == ("duckduckgo", "duckduckgo")


def _chosen(web: Web) -> tuple[SearchName, SearchName]:
    return web.search_name("groq"), web.search_name("gemini")
