"""The refusals of Gemini, Claude and Ollama, row by row (provider-facts 1.4, 2.3 and 4.4)."""

from typing import Any

import pytest

from tests.clock import FakeClock
from tests.fakes.anthropic import anthropic_429
from tests.fakes.behaviours import Refuse
from tests.fakes.gemini import gemini_429, gemini_overloaded
from tests.fakes.ollama import ollama_busy
from tests.providers.wires import ANTHROPIC, GEMINI, OLLAMA, Wire, both_modes, opened

pytestmark = pytest.mark.anyio

ROWS: list[tuple[Wire, Refuse, str, bool, str]] = [
    (GEMINI, Refuse(400, "bad field"), "bad_request", False, "message"),
    (
        GEMINI,
        Refuse(400, "API key not valid. Please pass a valid API key.", code="API_KEY_INVALID"),
        "auth_failed",
        False,
        "Google AI Studio",
    ),
    (GEMINI, Refuse(400, "location", type="FAILED_PRECONDITION"), "bad_request", False, "billing"),
    (
        GEMINI,
        Refuse(
            400, "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576)."
        ),
        "context_overflow",
        False,
        "shorten",
    ),
    (
        GEMINI,
        Refuse(401, "Expected OAuth 2 access token", code="ACCESS_TOKEN_TYPE_UNSUPPORTED"),
        "auth_failed",
        False,
        "new key",
    ),
    (GEMINI, Refuse(402, "prepaid credits used up"), "payment_required", False, "credit"),
    (GEMINI, Refuse(403, "Your API key was reported as leaked."), "permission_denied", False, "key"),
    (GEMINI, Refuse(403, "blocked", code="API_KEY_SERVICE_BLOCKED"), "permission_denied", False, "key"),
    (GEMINI, Refuse(404, "models/X is not found"), "model_not_found", False, "gemini-3.5-flash-lite"),
    (GEMINI, gemini_429(46.6), "rate_limited", True, "requests_per_minute"),
    (GEMINI, gemini_429(3, "day"), "rate_limited", True, "midnight Pacific"),
    (GEMINI, Refuse(500, "internal"), "provider_failed", True, "again"),
    (GEMINI, gemini_overloaded(), "overloaded", True, "passes"),
    (GEMINI, Refuse(504, "deadline"), "timeout", True, "gave up"),
    (ANTHROPIC, Refuse(400, "bad"), "bad_request", False, "message"),
    (ANTHROPIC, Refuse(400, "prompt is too long: 1000001 tokens"), "context_overflow", False, "shorten"),
    (ANTHROPIC, Refuse(401, "invalid x-api-key"), "auth_failed", False, "Anthropic console"),
    (ANTHROPIC, Refuse(402, "billing"), "payment_required", False, "credit"),
    (ANTHROPIC, Refuse(403, "permission"), "permission_denied", False, "access"),
    (ANTHROPIC, Refuse(404, "model: x"), "model_not_found", False, "claude-haiku-5-5"),
    (ANTHROPIC, Refuse(408, "timeout"), "timeout", True, "network"),
    (ANTHROPIC, Refuse(409, "conflict"), "overloaded", True, "passes"),
    (ANTHROPIC, Refuse(413, "too large"), "bad_request", False, "shorten"),
    (ANTHROPIC, Refuse(422, "unprocessable"), "bad_request", False, "message"),
    (ANTHROPIC, anthropic_429(), "rate_limited", True, "requests_per_minute"),
    (ANTHROPIC, Refuse(500, "internal"), "provider_failed", True, "again"),
    (ANTHROPIC, Refuse(503, "unavailable"), "overloaded", True, "passes"),
    (ANTHROPIC, Refuse(504, "timeout", type="timeout_error"), "timeout", True, "gave up"),
    (ANTHROPIC, Refuse(529, "Overloaded"), "overloaded", True, "passes"),
    (OLLAMA, Refuse(400, "top_logprobs must be between 0 and 20"), "bad_request", False, "message"),
    (OLLAMA, Refuse(400, '"x" does not support thinking'), "bad_request", False, "provider.thinking"),
    (OLLAMA, Refuse(400, "x does not support tools"), "bad_request", False, "tools"),
    (
        OLLAMA,
        Refuse(400, "the input length exceeds the context length"),
        "context_overflow",
        False,
        "num_ctx",
    ),
    (OLLAMA, Refuse(401, "unauthorized"), "auth_failed", False, "ollama signin"),
    (OLLAMA, Refuse(403, "cloud is disabled"), "permission_denied", False, "access"),
    (OLLAMA, Refuse(404, "model 'qwen3:32b' not found"), "model_not_found", False, "ollama pull qwen3:32b"),
    (
        OLLAMA,
        Refuse(404, 'model "qwen3:32b" not found, try pulling it first'),
        "model_not_found",
        False,
        "ollama pull qwen3:32b",
    ),
    (OLLAMA, Refuse(429, "cloud limit"), "rate_limited", True, "limits"),
    (OLLAMA, Refuse(499, "request canceled"), "provider_failed", True, "again"),
    (OLLAMA, Refuse(500, "llama runner process has terminated"), "provider_failed", True, "again"),
    (
        OLLAMA,
        Refuse(500, "model requires more system memory (20 GiB) than is available"),
        "provider_failed",
        True,
        "num_ctx",
    ),
    (OLLAMA, Refuse(502, "cloud unreachable"), "provider_failed", True, "again"),
    (OLLAMA, ollama_busy(), "overloaded", True, "other programs"),
]


@both_modes
@pytest.mark.parametrize(
    ("wire", "refusal", "code", "retryable", "hint"),
    ROWS,
    ids=[f"{wire.id}-{refusal.status}-{refusal.message[:14]}" for wire, refusal, *_ in ROWS],
)
async def test_each_refusal_has_its_meaning(
    wire: Wire, refusal: Refuse, code: str, retryable: bool, hint: str, stream: bool
) -> None:
    async with opened(wire, stream=stream) as line:
        line.fake.enqueue(refusal)
        error = await line.refused()
    assert (error.code, error.status, error.retryable) == (code, refusal.status, retryable)
    assert error.hint is not None
    assert hint in error.hint
    assert " ".join(refusal.message.split()) in error.message
    assert str(refusal.status) in error.message
    assert error.billed is (None if refusal.status == 504 else False)


@pytest.mark.parametrize("wire", [GEMINI, ANTHROPIC, OLLAMA], ids=lambda w: w.id)
async def test_an_unknown_model_is_named(wire: Wire) -> None:
    async with opened(wire) as line:
        error = await line.refused("hi", "no-such-model")
    assert (error.code, error.status) == ("model_not_found", 404)
    assert "no-such-model" in error.message
    if wire is OLLAMA:
        assert error.hint == "run: ollama pull no-such-model"


@pytest.mark.parametrize(
    ("wire", "model", "successor"),
    [
        (GEMINI, "gemini-2.0-flash", "gemini-3.5-flash-lite"),
        (ANTHROPIC, "claude-3-haiku-20240307", "claude-haiku-5-5"),
    ],
)
async def test_a_retired_model_is_refused_with_its_successor(wire: Wire, model: str, successor: str) -> None:
    async with opened(wire, model=model) as line:
        error = await line.refused()
        assert successor in (error.hint or "")
        assert successor in line.chosen.warnings[0]


# ---- waits


@both_modes
@pytest.mark.parametrize("seconds", [46, 46.6, 0.25])
async def test_geminis_wait_stands_in_the_body(seconds: float, stream: bool) -> None:
    async with opened(GEMINI, stream=stream) as line:
        line.fake.enqueue(gemini_429(seconds))
        assert (await line.refused()).retry_after == seconds


@both_modes
async def test_geminis_daily_quota_lasts_until_midnight_pacific(stream: bool) -> None:
    async with opened(GEMINI, stream=stream, clock=FakeClock()) as line:  # 04:00 in California
        line.fake.enqueue(gemini_429(3, "day"))
        error = await line.refused()
    assert error.retry_after == 20 * 3600


async def test_geminis_retry_after_header_counts_where_the_body_says_nothing() -> None:
    async with opened(GEMINI) as line:
        line.fake.enqueue(Refuse(429, "slow down", headers={"Retry-After": "9"}), Refuse(429, "slow down"))
        assert (await line.refused()).retry_after == 9
        assert (await line.refused()).retry_after is None


def limits(kind: str, left: int, reset: str) -> dict[str, str]:
    return {
        f"anthropic-ratelimit-{kind}-remaining": str(left),
        f"anthropic-ratelimit-{kind}-reset": reset,
    }


NEAR, FAR = "2026-01-14T12:00:05Z", "2026-01-14T12:01:00+00:00"


@both_modes
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "30"}, 30),
        ({"retry-after": "30"} | limits("requests", 0, FAR), 30),
        ({"retry-after": "Wed, 14 Jan 2026 12:00:20 GMT"}, 20),
        (limits("requests", 0, FAR), 60),
        (limits("tokens", 0, NEAR), 5),
        (limits("input-tokens", 0, FAR) | limits("tokens", 0, NEAR), 60),
        (limits("output-tokens", 0, NEAR) | limits("tokens", 9, FAR), 5),
        (limits("requests", 0, FAR) | limits("tokens", 0, NEAR), 60),
        ({}, None),
    ],
)
async def test_claudes_wait_is_the_longest_that_is_needed(
    headers: dict[str, str], seconds: float | None, stream: bool
) -> None:
    async with opened(ANTHROPIC, stream=stream, clock=FakeClock()) as line:
        line.fake.enqueue(Refuse(429, "rate limit", headers=headers))
        assert (await line.refused()).retry_after == seconds


@both_modes
async def test_an_answer_of_claude_tells_what_is_left(stream: bool) -> None:
    async with opened(ANTHROPIC, stream=stream, clock=FakeClock()) as line:
        line.fake.rate_headers = limits("requests", 49, FAR) | limits("input-tokens", 0, NEAR)
        pace: Any = (await line.answer("hi")).pace
    assert (pace.requests_left, pace.requests_reset) == (49, 60)
    assert (pace.tokens_left, pace.tokens_reset) == (0, 5)


async def test_ollamas_busy_queue_waits_as_long_as_it_says() -> None:
    async with opened(OLLAMA) as line:
        line.fake.enqueue(Refuse(503, "server busy", retry_after=7))
        assert (await line.refused()).retry_after == 7
