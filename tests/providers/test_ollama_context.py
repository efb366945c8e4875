"""A prompt beyond Ollama's context window is an error, whether the server refuses or cuts it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.providers.ollama_context import least_tokens, was_cut
from clawswarm.types.task import Message, Task
from tests.fakes.behaviours import Raw, Say
from tests.fakes.common import encode
from tests.fakes.ollama import FakeOllama
from tests.fakes.wire import Seen
from tests.providers.wires import OLLAMA, both_modes, one, opened, swarm_on

pytestmark = pytest.mark.anyio


def briefly(seen: Seen) -> Say:
    return Say(text="ok")


def words(count: int) -> str:
    return "word " * count


@both_modes
@pytest.mark.parametrize("cuts", [False, True], ids=["refuses", "cuts"])
@pytest.mark.parametrize(
    ("num_ctx", "beyond"), [(512, 513), (512, 530), (512, 9000), (4096, 4097), (8192, 20_000)]
)
async def test_a_prompt_beyond_the_configured_window_overflows(
    num_ctx: int, beyond: int, cuts: bool, stream: bool
) -> None:
    async with FakeOllama(cuts=cuts) as fake, swarm_on(OLLAMA, fake, stream=stream, num_ctx=num_ctx) as swarm:
        fake.respond = briefly
        result = await one(swarm, words(beyond))
    assert result.error is not None
    assert (result.error.code, result.error.retryable) == ("context_overflow", False)
    assert result.error.hint is not None
    assert "num_ctx" in result.error.hint
    assert result.attempts == 1
    assert fake.calls[0].json["truncate"] is False


@both_modes
@pytest.mark.parametrize("cuts", [False, True], ids=["refuses", "cuts"])
@pytest.mark.parametrize("beyond", [4097, 4500, 50_000])
async def test_a_prompt_beyond_the_servers_own_window_overflows(
    beyond: int, cuts: bool, stream: bool
) -> None:
    async with (
        FakeOllama(num_ctx_default=4096, cuts=cuts) as fake,
        swarm_on(OLLAMA, fake, stream=stream) as swarm,
    ):
        fake.respond = briefly
        result = await one(swarm, words(beyond))
    assert result.error is not None
    assert result.error.code == "context_overflow"
    if cuts:
        assert "4096" in result.error.message


@both_modes
@pytest.mark.parametrize("cuts", [False, True], ids=["refuses", "cuts"])
@pytest.mark.parametrize(
    ("num_ctx", "server", "count"),
    [(512, 4096, 500), (8192, 4096, 8000), (None, 32_768, 30_000), (None, 4096, 4000), (None, 4096, 1900)],
)
async def test_a_long_prompt_that_fits_is_answered(
    num_ctx: int | None, server: int, count: int, cuts: bool, stream: bool
) -> None:
    async with (
        FakeOllama(num_ctx_default=server, cuts=cuts) as fake,
        swarm_on(OLLAMA, fake, stream=stream, num_ctx=num_ctx) as swarm,
    ):
        fake.respond = briefly
        result = await one(swarm, words(count))
    assert result.ok
    assert result.usage is not None
    assert result.usage.input_tokens == count


async def test_system_and_history_count_towards_the_window() -> None:
    history = (Message(role="user", text=words(300)), Message(role="assistant", text=words(300)))
    async with opened(OLLAMA, fake={"cuts": True}, num_ctx=512) as line:
        reply = await line.ask(Task(prompt="and?", system="be brief", history=history))
    assert reply.finish_reason == "context_overflow"


async def test_the_window_is_asked_only_when_it_matters() -> None:
    async with opened(OLLAMA) as line:
        await line.ask(words(100))
        assert not [seen for seen in line.fake.seen if seen.path == "/api/ps"]
        await line.ask(words(3000))
        assert len([seen for seen in line.fake.seen if seen.path == "/api/ps"]) == 1
    async with opened(OLLAMA, num_ctx=8192) as line:
        await line.ask(words(3000))
        assert not [seen for seen in line.fake.seen if seen.path == "/api/ps"]


async def test_a_model_named_without_its_tag_is_found_among_the_loaded() -> None:
    from tests.fakes.ollama_models import MODELS

    models = {"tiny:latest": MODELS["llama3.2:3b"]}
    async with opened(OLLAMA, fake={"cuts": True, "models": models}, model="tiny") as line:
        assert (await line.ask(words(5000))).finish_reason == "context_overflow"


async def test_a_cut_is_noticed_although_the_server_tells_no_window() -> None:
    """Another program unloaded the model meanwhile, or `/api/ps` is closed: the count alone is proof."""
    answer = {
        "message": {"content": "about the end"},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 2048,
        "eval_count": 3,
    }
    async with opened(OLLAMA, stream=False) as line:
        line.fake.enqueue(Raw(200, encode(answer)), Raw(200, encode(answer | {"prompt_eval_count": 0})))
        assert (await line.ask(words(3000))).finish_reason == "context_overflow"
        assert (await line.ask(words(3000))).finish_reason == "stop"  # a server that does not count


PROSE = "The quick brown fox jumps over the lazy dog, and nobody minds. "


@pytest.mark.parametrize(
    ("text", "tokens"),
    [  # counts of a common tokenizer, rounded down
        (PROSE * 100, 1400),
        ("数据中心需要大量的电力和冷却水。" * 100, 1000),
        ("def f(x):\n    return x ** 2 + 1\n" * 100, 1200),
        ("http://example.org/a/very/long/path?with=query&and=more " * 100, 1300),
        ("=" * 6400, 400),
    ],
)
def test_the_lower_bound_lies_below_what_tokenizers_count(text: str, tokens: int) -> None:
    assert least_tokens(text) <= tokens
    assert not was_cut(Task(prompt=text), tokens, None)


@given(st.text(max_size=400), st.integers(1, 5000))
def test_a_count_of_at_least_the_words_is_never_taken_for_a_cut(text: str, window: int) -> None:
    counted = max(1, int(least_tokens(text)))
    assert was_cut(Task(prompt=text), counted, window) is (counted >= window - 1)
    assert not was_cut(Task(prompt=text), counted, None)
