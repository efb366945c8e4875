"""What cannot be done is the same error through both ways in: its type, its code, its words, its hint."""

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import anyio
import pytest

from clawswarm.errors import Busy, DaemonError, InputError, NotConfigured, NotFound, SwarmError
from clawswarm.types.events import BatchEvent
from clawswarm.types.requests import BatchRequest, ResearchRequest, RunOptions
from clawswarm.types.task import Message, Task, Tool
from tests.contract.ways import Opened, Way, request
from tests.fakes.behaviours import Hang

pytestmark = pytest.mark.anyio


async def unheard(event: BatchEvent) -> None:
    """Takes no notice."""


async def refusal(kind: type[SwarmError], call: Callable[[], Any]) -> SwarmError:
    """The error of a call, which is of just this kind and says what to do."""
    with pytest.raises(SwarmError) as told:
        await call()
    assert type(told.value) is kind, told.value
    assert told.value.code == kind.code
    assert told.value.message
    return told.value


@pytest.mark.parametrize("submit", [False, True], ids=["batch", "job"])
@pytest.mark.parametrize(
    ("task", "words"),
    [
        (Task(prompt="half a \ud800"), "prompt 1: a text has half of a character"),
        (Task(prompt="a", system="half a \udfff"), "prompt 1: a text has half of a character"),
        (Task(prompt="a", id="\ud800"), "prompt 1: a text has half of a character"),
        (Task(prompt="a", schema={"type": "nonsense"}), "prompt 1: the schema is no JSON Schema"),
    ],
    ids=["prompt", "system", "id", "schema"],
)
async def test_a_prompt_that_cannot_be_sent_is_named_and_nothing_is_sent(
    opened: Opened, task: Task, words: str, submit: bool
) -> None:
    given = request([Task(prompt="fine"), task])
    call = (lambda: opened.api.submit(given)) if submit else (lambda: opened.api.parallel(given, unheard))
    error = await refusal(InputError, call)
    assert words in error.message
    assert error.hint == "nothing was sent"
    assert opened.way.server.calls == []
    assert await opened.api.jobs() == []


async def test_a_provider_without_a_key_is_not_configured(opened: Opened) -> None:
    options = RunOptions(provider="groq")
    for call in (
        lambda: opened.api.parallel(request(["a"], options), unheard),
        lambda: opened.api.submit(request(["a"], options)),
    ):
        error = await refusal(NotConfigured, call)
        assert "groq" in error.message
        assert "GROQ_API_KEY" in f"{error.message} {error.hint}"
    assert await opened.api.jobs() == []


async def test_an_unknown_job_is_not_found(opened: Opened) -> None:
    for job_id in ("job-none", "../status", "a b/ü?#%", "😀"):
        for call in (
            lambda job_id=job_id: opened.api.job(job_id),
            lambda job_id=job_id: opened.api.job(job_id, wait=0.5, offset=3, limit=2),
            lambda job_id=job_id: opened.api.cancel(job_id),
        ):
            error = await refusal(NotFound, call)
            assert error.message == f"there is no job {job_id!r}"
            assert error.hint == "see: swarm jobs list"


@pytest.mark.parametrize(("offset", "limit"), [(-1, 10), (0, 0), (0, 1001), (2**40, 10), (10**30, 10)])
async def test_a_page_out_of_range_is_refused(opened: Opened, offset: int, limit: int) -> None:
    job = await opened.api.submit(request(["a"]))
    await opened.api.job(job.id, wait=4)
    error = await refusal(InputError, lambda: opened.api.job(job.id, offset=offset, limit=limit))
    assert "offset" in error.message or "limit" in error.message


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_a_list_out_of_range_is_refused(opened: Opened, limit: int) -> None:
    error = await refusal(InputError, lambda: opened.api.jobs(limit=limit))
    assert "limit" in error.message


async def test_too_many_jobs_are_refused_with_when_to_come_back(way: Way) -> None:
    way.settings = {"SWARM__DAEMON__MAX_JOBS": "2"}
    way.server.respond = lambda _: Hang()
    async with way.open() as opened:
        for _ in range(2):
            await opened.api.submit(request(["a"]))
        error = await refusal(Busy, lambda: opened.api.submit(request(["a"])))
        assert isinstance(error, Busy)
        assert error.message == "there are 2 unfinished jobs already"
        assert "swarm jobs cancel" in (error.hint or "")
        assert error.retry_after == 10


async def test_a_subject_that_cannot_be_sent_is_refused(opened: Opened) -> None:
    async def hear(event: object) -> None:
        """Takes no notice."""

    given = ResearchRequest(subjects=("half a \ud800",))
    for call in (lambda: opened.api.submit(given), lambda: opened.api.research(given, hear)):
        error = await refusal(InputError, call)
        assert "half of a character" in error.message
    assert await opened.api.jobs() == []


async def test_an_iterator_is_read_here_and_cannot_be_handed_over(opened: Opened) -> None:
    async def prompts() -> AsyncIterator[Task]:
        yield Task(prompt="a")

    sources: list[Any] = [prompts(), (Task(prompt=each) for each in "a")]
    for source in sources:
        given = BatchRequest(tasks=source, total=None)
        if opened.way.name == "local":
            await opened.api.parallel(given, unheard)
            continue
        error = await refusal(InputError, lambda given=given: opened.api.parallel(given, unheard))
        assert "must be a list" in error.message
        assert "use_daemon=False" in (error.hint or "")
    for source in sources:
        given = BatchRequest(tasks=source, total=None)
        error = await refusal(InputError, lambda given=given: opened.api.submit(given))
        assert "must be a list" in error.message


@pytest.mark.parametrize(
    ("task", "name"),
    [
        (Task(prompt="a", history=(Message(role="user", text="before"),)), "history"),
        (Task(prompt="a", tools=(Tool(name="t", description="d", parameters={"type": "object"}),)), "tools"),
        (Task(prompt="a", tool_choice="none"), "tool_choice"),
        (Task(prompt="a", stop=("x",)), "stop"),
        (Task(prompt="a", cache=False), "cache"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
async def test_what_does_not_travel_is_refused_and_never_left_out(
    opened: Opened, task: Task, name: str
) -> None:
    calls: list[Callable[[], Any]] = [lambda: opened.api.submit(request([task]))]
    if opened.way.name == "daemon":
        calls.append(lambda: opened.api.parallel(request([task]), unheard))
    for call in calls:
        error = await refusal(InputError, call)
        assert error.message == f"prompt 0: {name} cannot be handed over to the daemon"
    assert opened.way.server.calls == []


@pytest.mark.parametrize(
    "option",
    [
        {"concurrency": 0},
        {"concurrency": 100_001},
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": float("nan")},
    ],
    ids=str,
)
async def test_an_option_out_of_range_is_refused(opened: Opened, option: dict[str, Any]) -> None:
    async def ask() -> None:
        async with opened.swarm(**option) as swarm:
            await swarm.parallel(["a"])

    error = await refusal(InputError, ask)
    assert repr(next(iter(option))) in error.message
    assert opened.way.server.calls == []


@pytest.mark.parametrize("usd", [Decimal(-1), Decimal(9_000_001)])
def test_a_cap_out_of_range_is_refused(usd: Decimal) -> None:
    with pytest.raises(InputError, match="'max_spend' must be between 0 and 9000000"):
        RunOptions(max_spend=usd)


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_more_than_a_request_may_hold_is_refused_by_the_daemon(way: Way) -> None:
    way.settings = {
        "SWARM__DAEMON__MAX_PROMPTS": "3",
        "SWARM__DAEMON__MAX_BODY_MB": "0.01",
        "SWARM__LIMITS__MAX_RETRIES": "0",
    }
    async with way.open() as opened:
        for prompts, words in ((["a"] * 4, "4 prompts are too many"), (["x" * 3_000_000], "larger than")):
            if way.name == "local":
                assert (await opened.batch(prompts)).stats.failed == 0
                continue
            error = await refusal(
                InputError, lambda prompts=prompts: opened.api.parallel(request(prompts), unheard)
            )
            assert words in error.message
            assert "raise daemon.max" in (error.hint or "")


async def test_a_listener_that_fails_ends_the_batch_with_its_own_error(opened: Opened) -> None:
    async def fail(event: BatchEvent) -> None:
        if event.event == "progress":
            raise ZeroDivisionError("of the listener")

    opened.way.server.respond = None
    with pytest.raises((ZeroDivisionError, ExceptionGroup)):
        await opened.api.parallel(request([f"p{number}" for number in range(200)]), fail)
    await opened.way.server.wait_in_flight(0)
    assert (await opened.batch(["after"])).stats.successful == 1


async def test_a_daemon_that_goes_away_is_said_with_what_to_do(way: Way) -> None:
    if way.name == "local":
        return
    way.server.respond = lambda _: Hang()
    errors: list[SwarmError] = []

    async def ask(opened: Opened) -> None:
        with pytest.raises(DaemonError) as told:
            await opened.api.parallel(request(["a"]), unheard)
        errors.append(told.value)

    async with anyio.create_task_group() as group, way.open() as opened:
        group.start_soon(ask, opened)
        await way.server.wait_calls(1)
        assert opened.go_away is not None
        opened.go_away()
        await way.server.wait_left(1)
        error = await refusal(DaemonError, opened.api.jobs)
        assert "cannot be reached" in error.message
    assert "swarm start" in (errors[0].hint or "")
