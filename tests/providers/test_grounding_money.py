"""What Gemini's own web search costs, and caps that hold with it."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from clawswarm.providers.prices import published, searches_cost
from clawswarm.types.money import to_pico
from clawswarm.types.result import TaskResult, Usage
from clawswarm.types.task import Task
from tests.fakes.behaviours import Raw, Say
from tests.fakes.common import encode
from tests.fakes.gemini import FakeGemini
from tests.fakes.gemini_search import Searching
from tests.providers.test_grounding import ASK, TWO, swarm_of
from tests.providers.wires import one

pytestmark = pytest.mark.anyio

SEARCH = to_pico("0.014")


def tokens_cost(model: str, result: TaskResult) -> int:
    sheet = published("gemini", model, datetime.now(UTC))
    assert sheet is not None
    assert result.usage is not None
    return sheet.cost(Usage(result.usage.input_tokens, result.usage.output_tokens))


@pytest.mark.parametrize(
    ("model", "searches", "fee"),
    [
        ("gemini-3.5-flash-lite", 1, "0.014"),
        ("gemini-3.5-flash-lite", 3, "0.042"),
        ("gemini-3.5-flash-lite", 0, "0"),
        ("gemini-2.5-flash", 3, "0.035"),
        ("gemini-2.5-flash", 0, "0"),
    ],
)
async def test_searches_are_booked_at_their_list_price(model: str, searches: int, fee: str) -> None:
    async with FakeGemini() as fake, swarm_of(fake, provider={"model": model}) as swarm:
        fake.searching = Searching(tuple("abc"[:searches]))
        result = await one(swarm, ASK)

    assert result.cost_pico == tokens_cost(model, result) + to_pico(fee)


@pytest.mark.parametrize(
    ("model", "searches", "cost"),
    [
        ("gemini-3-flash-preview", 2, 2 * SEARCH),
        ("gemini-4-argon", 1, SEARCH),
        ("models/gemini-4-argon", 1, SEARCH),
        ("gemini-10-neon", 1, SEARCH),
        ("gemini-2.5-pro", 5, to_pico("0.035")),
        ("gemini-2.0-flash", 1, None),
        ("gemini-flash-latest", 1, None),
        ("something", 1, None),
        ("something", 0, 0),
    ],
)
def test_the_list_price(model: str, searches: int, cost: int | None) -> None:
    assert searches_cost(model, searches) == cost


async def test_a_cap_holds_with_the_price_of_searches() -> None:
    async with FakeGemini() as fake:
        async with swarm_of(fake, cost={"max_run_spend": Decimal("0.139")}) as swarm:
            refused = await one(swarm, ASK)
            assert refused.error is not None
            assert refused.error.code == "budget_exceeded"
            assert not fake.calls
            assert (await one(swarm, Task(prompt="why?", max_tokens=100))).ok
        fake.searching = Searching(tuple("abcdefgh"))
        async with swarm_of(fake, cost={"max_run_spend": Decimal("0.4")}) as swarm:
            batch = await swarm.parallel([ASK] * 6)
    assert batch.stats.cost_pico is not None
    assert batch.stats.cost_pico <= to_pico("0.4")
    assert batch.stats.successful == 3  # 0.112 each, and 0.14 must be free for the next
    codes = {task.error.code for task in batch.tasks if task.error}
    assert codes == {"budget_exceeded"}


async def test_a_daily_cap_counts_searches() -> None:
    async with FakeGemini() as fake:
        fake.searching = Searching(tuple("abcdefghij"))
        for ok in (True, False):
            async with swarm_of(fake, cost={"max_daily_spend": Decimal("0.2")}) as swarm:
                assert (await one(swarm, ASK)).ok is ok


async def test_a_search_whose_price_nobody_knows() -> None:
    model = "gemini-flash-latest"
    async with FakeGemini() as fake:
        async with swarm_of(fake, provider={"model": model}) as swarm:
            result = await one(swarm, ASK)
            assert result.ok
            assert result.cost_pico is None
        async with swarm_of(fake, provider={"model": model}, cost={"max_run_spend": 1}) as swarm:
            refused = await one(swarm, ASK)
            assert refused.error is not None
            assert refused.error.code == "unpriced"
        assert len(fake.calls) == 1


async def test_what_was_searched_for_a_blocked_answer_is_paid() -> None:
    async with FakeGemini() as fake, swarm_of(fake) as swarm:
        fake.searching = TWO
        fake.enqueue(Say(text="x", finish="content_filter"))
        result = await one(swarm, ASK)
        assert result.error is not None
        assert result.error.code == "content_blocked"
        assert result.cost_pico is not None
        assert result.cost_pico > 2 * SEARCH


async def test_an_answer_without_its_counts_costs_something_unknown() -> None:
    body = {"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}]}
    async with FakeGemini() as fake, swarm_of(fake) as swarm:
        fake.enqueue(Raw(200, encode(body)))
        result = await one(swarm, ASK)
    assert result.ok
    assert result.cost_pico is None
