"""The same twenty questions, asked of each provider through the command line."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from clawswarm.config.model import ProviderName
from clawswarm.providers.models import RECOMMENDED
from tests.cli.shell import QUESTIONS, Shell
from tests.fakes.anthropic import FakeAnthropic
from tests.fakes.gemini import FakeGemini
from tests.fakes.ollama import FakeOllama
from tests.fakes.openai import FakeOpenAI
from tests.fakes.server import FakeServer

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]


@dataclass(frozen=True)
class Case:
    """A provider, and what a user sets to use it."""

    make: Callable[[], FakeServer]
    name: ProviderName
    variables: dict[str, str] = field(default_factory=dict[str, str])
    config: str = ""
    free: bool = False


CASES = [
    Case(FakeOpenAI, "openai", {"OPENAI_BASE_URL": "{url}", "OPENAI_API_KEY": "test-key"}),
    Case(
        lambda: FakeOpenAI("groq"),
        "groq",
        {"GROQ_BASE_URL": "{url}", "GROQ_API_KEY": "test-key"},
    ),
    Case(
        lambda: FakeOpenAI("local"),
        "openai-compatible",
        config="provider:\n  name: openai-compatible\n  base_url: {url}\n  model: my-model",
        free=True,
    ),
    Case(
        FakeGemini,
        "gemini",
        {"GEMINI_BASE_URL": "{url}", "GEMINI_API_KEY": "test-key"},
    ),
    Case(
        FakeAnthropic,
        "anthropic",
        {"ANTHROPIC_BASE_URL": "{url}", "ANTHROPIC_API_KEY": "test-key"},
    ),
    Case(
        lambda: FakeOllama(num_parallel=2),
        "ollama",
        {"OLLAMA_HOST": "{url}", "OLLAMA_NUM_PARALLEL": "2"},
        free=True,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_every_provider_answers_the_question_file_in_order(shell: Shell, case: Case) -> None:
    questions = QUESTIONS.read_text(encoding="utf-8").splitlines()
    async with case.make() as fake:
        url = getattr(fake, "base_url", fake.url)
        shell.environ |= {name: value.format(url=url) for name, value in case.variables.items()}
        if case.config:
            shell.configure(case.config.format(url=url))
        ran = await shell.run("parallel", "--file", QUESTIONS, "--json")
        assert ran.status == 0, ran.err
        assert len(questions) == 20
        assert len(fake.calls) == 20
        assert case.name != "ollama" or fake.serving_peak == fake.peak == 2
    document = ran.json
    assert document["results"] == [f"echo: {question}" for question in questions]
    assert {task["provider"] for task in document["tasks"]} == {case.name}
    assert {task["model"] for task in document["tasks"]} == {RECOMMENDED.get(case.name, "my-model")}
    assert document["stats"]["successful"] == 20
    assert (document["stats"]["cost_usd"] == 0) == case.free
    assert "✅ 20/20" in ran.err


async def test_the_demo_answers_the_question_file_and_says_what_it_is(shell: Shell) -> None:
    ran = await shell.run("parallel", "--file", QUESTIONS, "--json", "--provider", "demo")
    assert ran.status == 0
    assert len(ran.json["results"]) == 20
    assert all(text.startswith("[demo] No model was asked.") for text in ran.json["results"])
