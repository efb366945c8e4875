"""The steps of a research: what they are announced as, how long they took, what their calls cost."""

from collections.abc import Awaitable, Callable

from clawswarm.engine.engine import Engine
from clawswarm.modes.parallel import open_parallel
from clawswarm.modes.requests import run_cap, with_option
from clawswarm.types.requests import ResearchRequest
from clawswarm.types.research import PhaseName, PhaseStarted, ResearchEvent, StepFinished
from clawswarm.types.result import Tally, TaskResult
from clawswarm.types.task import Task


class Steps:
    """Announces phases and steps, asks the model, and keeps the numbers.

    Attributes:
        tally: of the calls to the model.
        model_calls: calls that were sent, retries included.
    """

    def __init__(
        self,
        engine: Engine,
        request: ResearchRequest,
        emit: Callable[[ResearchEvent], Awaitable[None]],
        names: tuple[PhaseName, ...],
        *,
        spent: int,
    ) -> None:
        self._engine = engine
        self._request = request
        self._emit = emit
        self._names = names
        self._run = engine.budget.run_cap(run_cap(request.options))
        if self._run is not None:
            self._run.spent = spent
        self._began = engine.clock.monotonic()
        self._busy_ms = 0
        self.tally = Tally()
        self.model_calls = 0

    @property
    def elapsed_ms(self) -> int:
        return self.since(self._began)

    @property
    def speedup(self) -> float | None:
        """Measured: the time of all steps one after another, divided by the time they took side by side."""
        elapsed = self.elapsed_ms
        return round(self._busy_ms / elapsed, 2) if self._busy_ms and elapsed else None

    def now(self) -> float:
        return self._engine.clock.monotonic()

    def since(self, moment: float) -> int:
        """Milliseconds since then."""
        return round((self._engine.clock.monotonic() - moment) * 1000)

    async def phase(self, name: PhaseName, total: int) -> None:
        """A phase of so many steps begins."""
        number, of = self._names.index(name) + 1, len(self._names)
        await self._emit(PhaseStarted(phase=name, number=number, of=of, total=total))

    async def step(
        self, phase: PhaseName, index: int | None, subject: str, *, ok: bool, took_ms: int, detail: str
    ) -> None:
        """A step has ended."""
        self._busy_ms += took_ms
        await self._emit(
            StepFinished(phase=phase, index=index, subject=subject, ok=ok, duration_ms=took_ms, detail=detail)
        )

    async def ask(self, tasks: dict[int, Task], take: Callable[[int, TaskResult], Awaitable[None]]) -> None:
        """Ask the model about several subjects at once.

        Args:
            tasks: by the subject's index.
            take: is handed each answer with the index it belongs to.
        """
        indexes = list(tasks)
        options = self._request.options
        questions = [with_option(tasks[index], options) for index in indexes]
        async with open_parallel(
            self._engine, questions, total=len(questions), workers=options.concurrency, run=self._run
        ) as batch:
            async for answer in batch:
                self.tally.add(answer)
                self.model_calls += answer.attempts
                await take(indexes[answer.index], answer)
