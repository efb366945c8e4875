"""What every provider does with an ordinary question, in one piece and streamed."""

import pytest

from clawswarm.types.task import Message, Task
from tests.fakes.behaviours import Drip, Say
from tests.providers.wires import (
    ANTHROPIC,
    CHAT,
    GEMINI,
    GROQ,
    LOCAL,
    OLLAMA,
    OPENAI,
    OPENROUTER,
    WIRES,
    Wire,
    both_modes,
    every_wire,
    one,
    opened,
    swarm_on,
)

pytestmark = pytest.mark.anyio

ODD = 'déjà vu — 你好 🦞 \u2028 \x85 \x0b {"a": 1} data: x\n\nevent: y\r\n: z'


@both_modes
@every_wire
async def test_the_text_arrives_as_it_was_sent(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream) as line:
        line.fake.enqueue(Say(text=ODD))
        reply = await line.ask("say something odd")
    assert reply.text == ODD
    assert reply.finish_reason == "stop"
    assert reply.model == wire.model
    assert not reply.tool_calls
    assert not reply.native


@both_modes
@every_wire
async def test_the_text_survives_being_sent_byte_by_byte(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream) as line:
        line.fake.enqueue(Drip(of=Say(text="é🦞\u2028 ok")))
        assert (await line.ask("hi")).text == "é🦞\u2028 ok"


@both_modes
@every_wire
async def test_the_prompt_system_and_history_reach_the_model(wire: Wire, stream: bool) -> None:
    history = (Message(role="user", text="first"), Message(role="assistant", text="second"))
    async with opened(wire, stream=stream) as line:
        reply = await line.ask(Task(prompt="third ü", system="be brief", history=history))
        body = line.body
    assert reply.text == "echo: third ü"
    match wire.name:
        case "gemini":
            assert body["systemInstruction"] == {"parts": [{"text": "be brief"}]}
            turns = [(turn["role"], turn["parts"][0]["text"]) for turn in body["contents"]]
            assert turns == [("user", "first"), ("model", "second"), ("user", "third ü")]
        case "anthropic":
            assert body["system"] == "be brief"
            turns = [(turn["role"], turn["content"][0]["text"]) for turn in body["messages"]]
            assert turns == [("user", "first"), ("assistant", "second"), ("user", "third ü")]
        case _:
            turns = [(turn["role"], turn["content"]) for turn in body["messages"]]
            assert turns == [
                ("system", "be brief"),
                ("user", "first"),
                ("assistant", "second"),
                ("user", "third ü"),
            ]


@both_modes
@every_wire
async def test_the_bound_on_tokens_is_sent_in_the_field_that_counts(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream, max_tokens=77) as line:
        await line.ask("hi")
        configured = line.body
        await line.ask(Task(prompt="hi", max_tokens=55))
        body = line.body
    match wire.name:
        case "openai":
            assert (configured["max_completion_tokens"], body["max_completion_tokens"]) == (77, 55)
            assert "max_tokens" not in body
        case "gemini":
            assert configured["generationConfig"]["maxOutputTokens"] == 77
            assert body["generationConfig"]["maxOutputTokens"] == 55
        case "ollama":
            assert (configured["options"]["num_predict"], body["options"]["num_predict"]) == (77, 55)
        case _:
            assert (configured["max_tokens"], body["max_tokens"]) == (77, 55)
            assert "max_completion_tokens" not in body


@every_wire
async def test_every_call_has_a_bound_where_tokens_cost_money(wire: Wire) -> None:
    async with opened(wire) as line:
        assert line.backend.max_tokens == (None if wire is OLLAMA else 8192)


async def test_older_openai_models_get_the_older_field() -> None:
    async with opened(OPENAI, max_tokens=9) as line:
        await line.ask("hi", "gpt-4o-mini")
        assert line.body["max_tokens"] == 9
        assert "max_completion_tokens" not in line.body


@pytest.mark.parametrize(
    ("wire", "model", "thinking", "sent"),
    [
        (OPENAI, "gpt-6-luna", None, False),
        (OPENAI, "gpt-6-luna", "high", False),
        (OPENAI, "gpt-6-luna", "off", True),
        (OPENAI, "gpt-5-mini", "off", False),
        (OPENAI, "gpt-4o-mini", None, True),
        (GROQ, "openai/gpt-oss-120b", None, True),
        (OPENROUTER, "openai/gpt-oss-120b", None, True),
        (LOCAL, "local-model", None, True),
        (GEMINI, "gemini-3.5-flash-lite", None, False),
        (GEMINI, "gemini-3.8-flash", None, False),
        (GEMINI, "gemini-flash-latest", None, False),
        (GEMINI, "gemini-2.5-flash", None, True),
        (GEMINI, "gemini-3.1-flash-lite", None, True),
        (ANTHROPIC, "claude-haiku-5-5", None, False),
        (ANTHROPIC, "claude-haiku-4-5", None, False),
        (OLLAMA, "qwen3:32b", None, True),
    ],
    ids=lambda value: value.id if isinstance(value, Wire) else str(value),
)
async def test_temperature_is_sent_only_where_the_model_takes_it(
    wire: Wire, model: str, thinking: str | None, sent: bool
) -> None:
    async with opened(wire, temperature=0.25, thinking=thinking) as line:
        await line.ask("hi", model)
        body = line.body
    assert ("0.25" in str(body)) is sent
    assert ("temperature" in str(body)) is sent


@pytest.mark.parametrize("wire", [w for w in WIRES if w is not ANTHROPIC], ids=lambda w: w.id)
async def test_seed_and_stop_are_sent_where_the_api_has_them(wire: Wire) -> None:
    async with opened(wire) as line:
        await line.ask(Task(prompt="hi", seed=7, stop=("END", "---")))
        body = line.body
    place = body
    if wire is GEMINI:
        place = body["generationConfig"]
        assert place["stopSequences"] == ["END", "---"]
    elif wire is OLLAMA:
        place = body["options"]
        assert place["stop"] == ["END", "---"]
    elif wire is OPENAI:
        assert "stop" not in body  # luna refuses it
    else:
        assert body["stop"] == ["END", "---"]
    assert place["seed"] == 7


async def test_claude_gets_stop_sequences_and_no_seed() -> None:
    async with opened(ANTHROPIC) as line:
        await line.ask(Task(prompt="hi", seed=7, stop=("END",), temperature=1.0))
        assert line.body["stop_sequences"] == ["END"]
        assert not {"seed", "temperature", "top_p", "top_k"} & set(line.body)


@both_modes
@every_wire
async def test_a_stop_at_a_stop_sequence_is_an_answer(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream) as line:
        line.fake.enqueue(Say(text="so far", finish="stop_sequence" if wire is ANTHROPIC else "stop"))
        assert (await line.ask("hi")).finish_reason == "stop"


@both_modes
@pytest.mark.parametrize("wire", [w for w in CHAT if w is not OPENAI], ids=lambda w: w.id)
async def test_reasoning_in_its_own_field_stays_out_of_the_answer(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream) as line:
        line.fake.enqueue(Say(text="42", thinking="let me see, 6 x 7"))
        reply = await line.ask("hi")
    assert (reply.text, reply.thinking) == ("42", "let me see, 6 x 7")


@both_modes
@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
async def test_both_names_of_the_reasoning_field_are_read(field: str, stream: bool) -> None:
    async with opened(LOCAL, stream=stream, fake={"reasoning_field": field}) as line:
        line.fake.enqueue(Say(text="42", thinking="hm"))
        reply = await line.ask("hi")
    assert (reply.text, reply.thinking) == ("42", "hm")


@both_modes
@pytest.mark.parametrize("wire", [LOCAL, OLLAMA, GROQ], ids=lambda w: w.id)
async def test_reasoning_left_in_the_text_is_taken_out_of_it(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream, thinking="off" if wire is OLLAMA else None) as line:
        line.fake.enqueue(Say(text="<think>\n6 x 7\n</think>\n\n42"), Say(text="<think> is a tag"))
        reply = await line.ask("hi")
        tag = await line.ask("hi")
    assert (reply.text, reply.thinking) == ("42", "6 x 7")
    assert tag.text == "<think> is a tag"


@both_modes
@pytest.mark.parametrize("wire", [ANTHROPIC, OLLAMA], ids=lambda w: w.id)
async def test_thinking_blocks_stay_out_of_the_answer(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream) as line:
        line.fake.enqueue(Say(text="42", thinking="6 x 7"))
        reply = await line.ask("hi")
    assert (reply.text, reply.thinking) == ("42", "6 x 7")


@both_modes
@every_wire
async def test_a_whole_swarm_answers_in_prompt_order(wire: Wire, stream: bool) -> None:
    async with wire.make() as fake, swarm_on(wire, fake, stream=stream) as swarm:
        result = await swarm.parallel([f"question {n}" for n in range(12)])
    assert result.results == [f"echo: question {n}" for n in range(12)]
    assert fake.peak <= (1 if wire is OLLAMA else 12)


@both_modes
@every_wire
async def test_connections_are_used_again(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream) as line:
        for _ in range(3):
            await line.ask("hi")
        assert line.fake.connections == 1


async def test_very_long_claude_replies_are_streamed_unasked() -> None:
    async with opened(ANTHROPIC, max_tokens=40_000) as line:
        assert (await line.ask("hi")).text == "echo: hi"
        assert line.body["stream"] is True


async def test_ollama_streams_unless_told_not_to() -> None:
    async with opened(OLLAMA) as line:
        await line.ask("hi")
        assert line.body["stream"] is True
    async with opened(OLLAMA, stream=False) as line:
        await line.ask("hi")
        assert line.body["stream"] is False


async def test_the_result_names_the_provider_and_the_model() -> None:
    async with GEMINI.make() as fake, swarm_on(GEMINI, fake, model="gemini-flash-latest") as swarm:
        result = await one(swarm)
    assert (result.provider, result.model, result.attempts) == ("gemini", "gemini-3.8-flash", 1)
