"""Tool loops: what the model asks for, and how its turn and the answers go back."""

from dataclasses import replace
from typing import Any

import pytest

from clawswarm.types.result import Reply
from clawswarm.types.task import Message, Task, Tool, ToolCall
from tests.fakes.behaviours import Call, Raw, Say
from tests.fakes.common import encode
from tests.providers.wires import (
    ANTHROPIC,
    GEMINI,
    GROQ,
    LOCAL,
    OLLAMA,
    OPENAI,
    WEATHER,
    Wire,
    both_modes,
    every_wire,
    opened,
)

pytestmark = pytest.mark.anyio

CALL = Call("weather", {"city": "Bern – ü", "deep": {"a": [1, None]}})
TWO = (Call("weather", {"city": "Bern"}, id="one"), Call("weather", {"city": "Rome"}, id="two"))


def turn(wire: Wire, prompt: str, reply: Reply, *answers: str) -> tuple[Message, ...]:
    """The history after a turn with tool calls: the question, the model's turn, the answers."""
    model = Message(
        role="assistant",
        text=reply.text,
        tool_calls=reply.tool_calls,
        native=reply.native,
        native_provider=wire.name,
    )
    told = (
        Message(role="tool", text=text, tool_call_id=call.id, tool_name=call.name)
        for call, text in zip(reply.tool_calls, answers, strict=True)
    )
    return Message(role="user", text=prompt), model, *told


def asking(prompt: str = "weather?", **fields: Any) -> Task:
    return Task(prompt=prompt, tools=(WEATHER,), **fields)


@both_modes
@every_wire
async def test_a_call_arrives_with_its_arguments(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream) as line:
        line.fake.enqueue(Say(tool_calls=(CALL,)))
        reply = await line.ask(asking())
    assert reply.finish_reason == "tool_calls"
    (call,) = reply.tool_calls
    assert (call.name, call.arguments) == ("weather", CALL.arguments)
    assert call.id
    assert reply.text == ""


@both_modes
@every_wire
async def test_the_loop_goes_on_with_the_answer(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream) as line:
        line.fake.enqueue(Say(tool_calls=(CALL,), thinking="I need the weather"), Say(text="sunny"))
        first = await line.ask(asking())
        history = turn(wire, "weather?", first, "22 °C")
        second = await line.ask(asking("", history=history))
        body = line.body
    assert (second.text, second.finish_reason) == ("sunny", "stop")
    match wire.name:
        case "gemini":
            sent = body["contents"]
            assert [content["role"] for content in sent] == ["user", "model", "user"]
            part = sent[1]["parts"][0]
            assert part["thoughtSignature"].startswith("c2ln")
            answer = sent[2]["parts"][0]["functionResponse"]
            assert (answer["name"], answer["response"]) == ("weather", {"result": "22 °C"})
        case "anthropic":
            sent = body["messages"]
            kinds = [block["type"] for block in sent[1]["content"]]
            assert kinds == ["thinking", "tool_use"]
            assert sent[1]["content"][0]["signature"] == "sig-1"
            assert None not in sent[1]["content"][1].values()
            result = sent[2]["content"][0]
            assert result == {"type": "tool_result", "tool_use_id": "call_1", "content": "22 °C"}
        case "ollama":
            sent = body["messages"]
            assert sent[1]["tool_calls"][0]["function"] == {"name": "weather", "arguments": CALL.arguments}
            assert (sent[2]["role"], sent[2]["tool_name"], sent[2]["content"]) == ("tool", "weather", "22 °C")
        case _:
            sent = body["messages"]
            assert sent[1]["tool_calls"][0]["id"] == sent[2]["tool_call_id"] == "call_1"
            assert sent[2]["content"] == "22 °C"


@both_modes
@every_wire
async def test_several_calls_of_one_turn_are_answered_together(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream) as line:
        line.fake.enqueue(Say(text="both:", tool_calls=TWO), Say(text="done"))
        first = await line.ask(asking())
        assert [call.arguments["city"] for call in first.tool_calls] == ["Bern", "Rome"]
        assert len({call.id for call in first.tool_calls}) == 2
        history = turn(wire, "weather?", first, "22", "30")
        second = await line.ask(asking("and which is warmer?", history=history))
    assert (first.text, second.text) == ("both:", "done")


@both_modes
@every_wire
async def test_a_second_round_of_calls_keeps_the_first(wire: Wire, stream: bool) -> None:
    async with opened(wire, stream=stream) as line:
        line.fake.enqueue(Say(tool_calls=(CALL,)), Say(tool_calls=TWO), Say(text="end"))
        first = await line.ask(asking())
        history = turn(wire, "weather?", first, "22")
        second = await line.ask(asking("", history=history))
        history += turn(wire, "", second, "1", "2")[1:]
        third = await line.ask(asking("", history=history))
    assert third.text == "end"


@every_wire
async def test_a_turn_of_another_provider_is_told_in_plain_form(wire: Wire) -> None:
    call = ToolCall(id="toolu_1", name="weather", arguments={"city": "Bern"})
    history = (
        Message(role="user", text="weather?"),
        Message(role="assistant", text="so:", tool_calls=(call,), native=[{"x": 1}], native_provider="other"),
        Message(role="tool", text="22", tool_call_id="toolu_1", tool_name="weather"),
    )
    async with opened(wire) as line:
        if wire is GEMINI:  # it demands its own signature, and says so
            reply = await line.ask(asking("", history=history))
            assert (reply.finish_reason, reply.detail) == ("other", "MISSING_THOUGHT_SIGNATURE")
        else:
            assert (await line.ask(asking("", history=history))).finish_reason == "stop"
        assert '"x"' not in str(line.body)


@pytest.mark.parametrize("choice", ["auto", "none", "required"])
@every_wire
async def test_the_choice_of_tools_is_said_as_far_as_it_can_be(wire: Wire, choice: Any) -> None:
    async with opened(wire) as line:
        await line.ask(asking(tool_choice=choice))
        body = line.body
    match wire.name:
        case "gemini":
            mode = {"auto": "AUTO", "none": "NONE", "required": "ANY"}[choice]
            assert body["toolConfig"]["functionCallingConfig"]["mode"] == mode
        case "anthropic":
            assert body["tool_choice"]["type"] == {"auto": "auto", "none": "none", "required": "any"}[choice]
        case "ollama":
            assert ("tools" in body) is (choice != "none")
            assert "tool_choice" not in body
        case _:
            assert body["tool_choice"] == choice


async def test_sonnet_is_never_forced_to_a_tool() -> None:
    async with opened(ANTHROPIC) as line:
        await line.ask(asking(tool_choice="required"), "claude-sonnet-5-5")
        assert line.body["tool_choice"]["type"] == "auto"


@every_wire
async def test_parameters_may_use_all_of_json_schema(wire: Wire) -> None:
    parameters = {
        "type": "object",
        "properties": {"mode": {"const": "deep"}, "at": {"$ref": "#/$defs/place"}},
        "$defs": {"place": {"type": "object", "properties": {"city": {"type": "string"}}}},
        "additionalProperties": False,
    }
    tool = Tool(name="look", description="Looks.", parameters=parameters)
    async with opened(wire) as line:
        assert (await line.ask(Task(prompt="hi", tools=(tool,)))).text == "echo: hi"
        assert str(parameters["$defs"]) in str(line.body["tools"])


@both_modes
@pytest.mark.parametrize("arguments", ['{"city": ', "[1]", '"x"', "null"])
@pytest.mark.parametrize("wire", [OPENAI, GROQ, LOCAL], ids=lambda w: w.id)
async def test_arguments_that_are_no_object_are_the_models_mistake(
    wire: Wire, stream: bool, arguments: str
) -> None:
    call = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": arguments}}
    whole = {"choices": [{"finish_reason": "tool_calls", "message": {"content": None, "tool_calls": [call]}}]}
    chunk = {"choices": [{"finish_reason": "tool_calls", "delta": {"tool_calls": [call]}}]}
    body, kind = (encode(whole), "application/json")
    if stream:
        body, kind = (b"data: " + encode(chunk) + b"\n\ndata: [DONE]\n\n", "text/event-stream")
    async with opened(wire, stream=stream) as line:
        line.fake.enqueue(Raw(200, body, kind))
        error = await line.refused(asking())
    assert (error.code, error.billed, error.retryable) == ("invalid_output", None, False)


async def test_calls_that_all_bear_index_zero_are_told_apart_by_id() -> None:
    calls = [
        {"index": 0, "id": name, "function": {"name": name, "arguments": "{}"}}
        for name in ("first", "second")
    ]
    chunks: list[dict[str, Any]] = [{"choices": [{"delta": {"tool_calls": [call]}}]} for call in calls]
    chunks.append({"choices": [{"finish_reason": "stop", "delta": {}}]})
    body = b"".join(b"data: " + encode(chunk) + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    async with opened(LOCAL, stream=True) as line:
        line.fake.enqueue(Raw(200, body, "text/event-stream"))
        reply = await line.ask(asking())
    assert [call.name for call in reply.tool_calls] == ["first", "second"]
    assert reply.finish_reason == "tool_calls"  # although the server said "stop"


async def test_calls_without_ids_get_one_that_is_not_sent_back_to_gemini() -> None:
    parts: list[dict[str, Any]] = [
        {"functionCall": {"name": name, "args": {}}, "thoughtSignature": "s"} for name in ("a", "b")
    ]
    body = encode({"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]})
    async with opened(GEMINI) as line:
        line.fake.enqueue(Raw(200, body))
        first = await line.ask(asking())
        assert [call.id for call in first.tool_calls] == ["call_0", "call_1"]
        await line.ask(asking("", history=turn(GEMINI, "weather?", first, "1", "2")))
        answers = [part["functionResponse"] for part in line.body["contents"][2]["parts"]]
        assert [answer["name"] for answer in answers] == ["a", "b"]
        assert not any("id" in answer for answer in answers)


async def test_models_without_tools_are_refused_with_advice() -> None:
    async with opened(OLLAMA) as line:
        error = await line.refused(replace(asking(), prompt="hi"), "gemma:2b")
    assert (error.code, error.status) == ("bad_request", 400)
    assert error.hint is not None
    assert "tools" in error.hint
