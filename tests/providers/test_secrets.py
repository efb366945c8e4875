"""The key goes where it is meant to, in one header, and comes back in no error."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.engine.redact import Redactor
from clawswarm.providers.refusals import refusal, short
from tests.fakes.behaviours import Raw, Refuse, StreamError
from tests.providers.wires import (
    ANTHROPIC,
    GEMINI,
    KEYED,
    LOCAL,
    OLLAMA,
    WIRES,
    Wire,
    both_modes,
    one,
    opened,
    swarm_on,
)

pytestmark = pytest.mark.anyio

WRONG = "wrong-k3y_0123456789.abcdef"
ENVIRON = {
    f"{name}_API_KEY": WRONG for name in ("GEMINI", "GROQ", "OPENAI", "ANTHROPIC", "OPENAI_COMPATIBLE")
}


@both_modes
@pytest.mark.parametrize("wire", KEYED, ids=lambda w: w.id)
async def test_a_key_that_the_provider_repeats_is_not_shown(wire: Wire, stream: bool) -> None:
    async with (
        wire.make(echo_key=True) as fake,
        swarm_on(wire, fake, stream=stream, environ=ENVIRON) as swarm,
    ):
        result = await one(swarm)
    assert result.error is not None
    assert (result.error.code, result.error.retryable, result.attempts) == ("auth_failed", False, 1)
    assert WRONG not in str(result)
    assert "[redacted]" in result.error.message
    assert result.error.hint
    assert "key" in result.error.hint


@both_modes
@pytest.mark.parametrize("wire", KEYED, ids=lambda w: w.id)
async def test_half_a_key_is_not_shown_either(wire: Wire, stream: bool) -> None:
    """A long message is shortened; the cut must not leave what the redactor cannot find."""
    pages = [b"<p>" + b"x" * n + b" " + WRONG.encode() + b" tail " * 99 for n in range(80, 130)]
    async with wire.make(key=WRONG) as fake, swarm_on(wire, fake, stream=stream, environ=ENVIRON) as swarm:
        for n in range(240, 310, 3):
            fake.enqueue(Refuse(400, "x" * n + " (" + WRONG + ") and so on " * 9))
            fake.enqueue(StreamError(0, message="x" * n + ":" + WRONG + " and so on " * 9))
        fake.enqueue(*(Raw(200, page, "text/html") for page in pages))
        batch = await swarm.parallel(["hi"] * fake.scripted)
    for result in batch.tasks:
        assert not result.ok
        assert "wrong-" not in str(result.error)


@pytest.mark.parametrize("wire", WIRES, ids=lambda w: w.id)
async def test_a_key_stands_in_one_header_and_nowhere_else(wire: Wire) -> None:
    async with opened(wire) as line:
        await line.ask("hi")
        seen = line.fake.calls[-1]
    holding = {name.lower() for name, value in seen.headers.items() if "test-key" in value}
    expected = {"x-goog-api-key"} if wire is GEMINI else {"authorization"}
    assert holding == (set() if wire is OLLAMA else expected)
    assert "test-key" not in f"{seen.path} {seen.query} {seen.body}"


@pytest.mark.parametrize("wire", [w for w in WIRES if w is not ANTHROPIC], ids=lambda w: w.id)
async def test_calls_say_little_of_the_machine_they_come_from(wire: Wire) -> None:
    async with opened(wire) as line:
        await line.ask("hi")
        headers = {name.lower(): value for name, value in line.fake.calls[-1].headers.items()}
    assert headers["user-agent"] == "clawswarm"
    assert set(headers) <= {
        "host", "content-type", "content-length", "user-agent", "accept", "accept-encoding",
        "authorization", "x-goog-api-key",
    }  # fmt: skip


async def test_a_key_is_not_sent_after_a_redirect() -> None:
    async with LOCAL.make() as other, LOCAL.make() as fake:
        async with swarm_on(LOCAL, fake) as swarm:
            fake.enqueue(Refuse(307, "moved", headers={"Location": f"{other.url}/v1/chat/completions"}))
            result = await one(swarm)
        assert not result.ok
        assert not other.seen


def test_keys_are_not_printed_by_accident(tmp_path: Path) -> None:
    from clawswarm.config.keys import find_key

    key = find_key("gemini", "K", {"K": WRONG}, tmp_path)
    assert WRONG not in f"{key} {key!r}"


words = st.text("abc def.-_/=:()\n\t\"'é", max_size=60)


@given(words, words, st.integers(1, 80))
def test_shortening_never_leaves_a_part_of_a_key(before: str, after: str, limit: int) -> None:
    told = Redactor([WRONG])(short(f"{before} {WRONG} {after}", limit))
    pieces: list[Any] = re.findall(r"wr?o?n?g?-?k?3?", told)
    assert not [piece for piece in pieces if len(piece) > 2]
    assert len(short(before + after, limit)) <= limit


@given(st.text(max_size=900), st.integers(200, 599))
def test_every_refusal_is_one_short_line_with_a_hint(message: str, status: int) -> None:
    error = refusal("groq", status, message)
    assert "\n" not in error.message
    assert len(error.message) < 400
    assert error.hint
    assert error.status == status
    assert error.retryable is (status in {408, 409, 425, 429, 498, 499} or status >= 500)
