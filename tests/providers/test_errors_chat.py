"""The refusals of OpenAI, Groq, OpenRouter and local servers, row by row (provider-facts 3.2 to 3.6)."""

from typing import Any

import pytest

from clawswarm.errors import TaskError
from tests.clock import FakeClock
from tests.fakes.behaviours import Refuse
from tests.providers.wires import CHAT, GROQ, LOCAL, OPENAI, OPENROUTER, Line, Wire, both_modes, opened

pytestmark = pytest.mark.anyio

ROWS: list[tuple[Wire, Refuse, str, bool, str]] = [
    (
        OPENAI,
        Refuse(400, "Unsupported parameter", code="unsupported_parameter"),
        "bad_request",
        False,
        "message",
    ),
    (
        OPENAI,
        Refuse(400, "maximum context length is 8192", code="context_length_exceeded"),
        "context_overflow",
        False,
        "shorten",
    ),
    (OPENAI, Refuse(401, "Incorrect API key", code="invalid_api_key"), "auth_failed", False, "key"),
    (OPENAI, Refuse(403, "no access to model"), "permission_denied", False, "access"),
    (OPENAI, Refuse(404, "does not exist", code="model_not_found"), "model_not_found", False, "gpt-6-luna"),
    (
        OPENAI,
        Refuse(429, "Rate limit", code="rate_limit_exceeded"),
        "rate_limited",
        True,
        "requests_per_minute",
    ),
    (
        OPENAI,
        Refuse(429, "Request too large for gpt-6-luna on tokens per min (TPM)", code="rate_limit_exceeded"),
        "rate_limited",
        False,
        "shorten",
    ),
    (OPENAI, Refuse(429, "quota", code="insufficient_quota"), "payment_required", False, "credit"),
    (OPENAI, Refuse(429, "quota", type="insufficient_quota"), "payment_required", False, "credit"),
    (OPENAI, Refuse(500, "server had an error", code=None), "provider_failed", True, "again"),
    (OPENAI, Refuse(503, "overloaded", code=None), "overloaded", True, "passes"),
    (OPENAI, Refuse(408, "timeout"), "timeout", True, "network"),
    (OPENAI, Refuse(409, "conflict"), "overloaded", True, "passes"),
    (GROQ, Refuse(498, "flex is full", code="capacity_exceeded"), "overloaded", True, "capacity"),
    (GROQ, Refuse(400, "tool", code="tool_use_failed"), "invalid_output", False, "ask again"),
    (GROQ, Refuse(400, "json", code="json_validate_failed"), "invalid_output", False, "ask again"),
    (GROQ, Refuse(413, "Request too large"), "bad_request", False, "shorten"),
    (GROQ, Refuse(422, "semantic"), "bad_request", False, "message"),
    (GROQ, Refuse(404, "does not exist", code="model_not_found"), "model_not_found", False, "gpt-oss-120b"),
    (OPENROUTER, Refuse(400, "bad", code=400), "bad_request", False, "message"),
    (OPENROUTER, Refuse(401, "User not found.", code=401), "auth_failed", False, "key"),
    (OPENROUTER, Refuse(402, "Insufficient credits", code=402), "payment_required", False, "credit"),
    (
        OPENROUTER,
        Refuse(403, "flagged", code=403, details={"reasons": ["violence"]}),
        "content_blocked",
        False,
        "reword",
    ),
    (OPENROUTER, Refuse(403, "key has no access", code=403), "permission_denied", False, "access"),
    (OPENROUTER, Refuse(404, "No endpoints found", code=404), "model_not_found", False, "base URL"),
    (OPENROUTER, Refuse(408, "timed out", code=408), "timeout", True, "network"),
    (
        OPENROUTER,
        Refuse(429, "Provider returned error", code=429),
        "rate_limited",
        True,
        "requests_per_minute",
    ),
    (OPENROUTER, Refuse(502, "model is down", code=502), "provider_failed", True, "again"),
    (OPENROUTER, Refuse(503, "no provider", code=503), "overloaded", True, "passes"),
    (LOCAL, Refuse(503, "Loading model"), "overloaded", True, "passes"),
    (LOCAL, Refuse(500, "CUDA out of memory"), "provider_failed", True, "again"),
    (LOCAL, Refuse(418, "teapot"), "provider_failed", False, "message"),
    (LOCAL, Refuse(504, "gateway"), "timeout", True, "gave up"),
    (LOCAL, Refuse(301, "moved"), "provider_failed", False, "base URL"),
]


@both_modes
@pytest.mark.parametrize(
    ("wire", "refusal", "code", "retryable", "hint"),
    ROWS,
    ids=[f"{wire.id}-{refusal.status}-{refusal.code or refusal.message[:12]}" for wire, refusal, *_ in ROWS],
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
    assert refusal.message in error.message
    assert str(refusal.status) in error.message
    made = refusal.code in ("tool_use_failed", "json_validate_failed") or refusal.status == 504
    assert error.billed is (None if made else False)


@pytest.mark.parametrize("wire", CHAT, ids=lambda w: w.id)
async def test_an_unknown_model_is_named(wire: Wire) -> None:
    async with opened(wire, fake={"models": ["something-else"]}) as line:
        error = await line.refused()
    assert (error.code, error.status) == ("model_not_found", 404)
    assert wire.model in error.message


async def test_a_retired_model_is_refused_with_its_successor() -> None:
    async with opened(GROQ, model="llama-3.1-8b-instant") as line:
        error = await line.refused()
        assert error.hint is not None
        assert "openai/gpt-oss-20b" in error.hint
        assert "openai/gpt-oss-20b" in line.chosen.warnings[0]


async def waited(line: Line, **options: Any) -> float | None:
    line.fake.enqueue(Refuse(429, "slow down", code="rate_limit_exceeded", **options))
    error: TaskError = await line.refused()
    assert error.code == "rate_limited"
    return error.retry_after


@both_modes
async def test_the_wait_is_what_the_headers_say(stream: bool) -> None:
    clock = FakeClock()  # stands at 2026-01-14 12:00:00 UTC
    async with opened(OPENAI, stream=stream, clock=clock) as line:
        assert await waited(line) is None
        assert await waited(line, retry_after=30) == 30
        assert await waited(line, headers={"Retry-After": "1.5"}) == 1.5
        assert await waited(line, headers={"Retry-After": "Wed, 14 Jan 2026 12:00:20 GMT"}) == 20
        assert await waited(line, headers={"Retry-After": "Wed, 14 Jan 2026 11:00:00 GMT"}) == 0
        assert await waited(line, headers={"Retry-After": "soon"}) is None
        both = {"retry-after-ms": "250", "retry-after": "30"}
        assert await waited(line, headers=both) == 0.25
        assert await waited(line, headers={"retry-after-ms": "x", "retry-after": "3"}) == 3


async def test_the_wait_is_the_reset_of_the_limit_that_is_used_up() -> None:
    requests = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}
    tokens = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "12ms"}
    some_left = {"x-ratelimit-remaining-requests": "14", "x-ratelimit-reset-requests": "2m59.56s"}
    async with opened(GROQ) as line:
        assert await waited(line, headers=requests) == 360
        assert await waited(line, headers=tokens) == pytest.approx(0.012)
        assert await waited(line, headers=requests | tokens) == 360
        assert await waited(line, headers=some_left | tokens) == pytest.approx(0.012)
        assert await waited(line, headers=requests | {"retry-after": "2"}) == 2


async def test_an_answer_tells_what_is_left() -> None:
    async with opened(OPENAI) as line:
        line.fake.rate_headers = {
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": "1s",
            "x-ratelimit-remaining-tokens": "149984",
            "x-ratelimit-reset-tokens": "6m0s",
        }
        pace = (await line.answer("hi")).pace
    assert pace is not None
    assert (pace.requests_left, pace.requests_reset) == (0, 1)
    assert (pace.tokens_left, pace.tokens_reset) == (149984, 360)


async def test_openrouters_missing_credit_is_waited_for_when_it_says_how_long() -> None:
    async with opened(OPENROUTER) as line:
        line.fake.enqueue(Refuse(402, "top-up pending", code=402, retry_after=5))
        error = await line.refused()
    assert (error.code, error.retryable, error.retry_after) == ("payment_required", True, 5)


async def test_what_the_provider_behind_openrouter_said_is_shown() -> None:
    details = {"provider_name": "fake", "raw": "upstream: queue is full"}
    async with opened(OPENROUTER) as line:
        line.fake.enqueue(Refuse(429, "Provider returned error", code=429, details=details))
        assert "queue is full" in (await line.refused()).message


async def test_an_error_in_a_list_is_read() -> None:
    from tests.fakes.behaviours import Raw

    async with opened(LOCAL) as line:
        line.fake.enqueue(Raw(429, b'[{"error": {"code": 429, "message": "Quota exceeded"}}]'))
        error = await line.refused()
    assert (error.code, "Quota exceeded" in error.message) == ("rate_limited", True)


async def test_an_error_that_is_a_bare_text_is_shown() -> None:
    from tests.fakes.behaviours import Raw

    async with opened(LOCAL) as line:
        line.fake.enqueue(
            Raw(400, b'{"error": "model is loading"}'), Raw(400, b'{"detail": "no such field"}')
        )
        assert "model is loading" in (await line.refused()).message
        assert "no such field" in (await line.refused()).message
