"""The course of a research as its events tell it, for the live tree and the summary."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from clawswarm.clock import Clock
from clawswarm.types.research import (
    PhaseName,
    PhaseStarted,
    ResearchComplete,
    ResearchEvent,
    ResearchResult,
    ResearchStarted,
    StepFinished,
)


@dataclass(slots=True)
class Phase:
    """One phase.

    Attributes:
        began, ended: moments of the clock; `ended` is None while steps are missing.
        steps: those that have ended, as they came.
    """

    name: PhaseName
    number: int
    of: int
    total: int
    began: float
    ended: float | None = None
    steps: list[StepFinished] = field(default_factory=list[StepFinished])

    @property
    def successful(self) -> int:
        return sum(step.ok for step in self.steps)

    @property
    def failed(self) -> int:
        return len(self.steps) - self.successful


@dataclass(frozen=True, slots=True)
class Row:
    """What the current phase is about, one thing a row.

    Attributes:
        index: of the subject; None for all of them together.
        step: how it ended; None while it waits or is worked on.
    """

    index: int | None
    subject: str
    step: StepFinished | None


class ResearchCourse:
    """Takes the events of one research.

    Attributes:
        subjects: in the order of the request.
        started: the first event, once it has come.
        result: what it all came to, once it is complete.
    """

    def __init__(self, subjects: tuple[str, ...], clock: Clock) -> None:
        self.subjects = subjects
        self.started: ResearchStarted | None = None
        self.phases: list[Phase] = []
        self.result: ResearchResult | None = None
        self._clock = clock
        self._out: set[int] = set()

    @property
    def current(self) -> Phase | None:
        """The phase that runs; None before the first and between two."""
        phase = self.phases[-1] if self.phases else None
        return phase if phase is not None and phase.ended is None else None

    @property
    def successful(self) -> int:
        """Steps that went well, over all phases."""
        return sum(phase.successful for phase in self.phases)

    @property
    def failed(self) -> int:
        """Steps that failed, over all phases."""
        return sum(phase.failed for phase in self.phases)

    def take(self, event: ResearchEvent) -> None:
        """Note what has happened."""
        match event:
            case ResearchStarted():
                self.started = event
            case PhaseStarted():
                self._begin(event)
            case StepFinished():
                self._step(event)
            case ResearchComplete():
                self._end_phase()
                self.result = event.result

    def took_ms(self, phase: Phase) -> int:
        """Milliseconds from the start of a phase to its end, or to now."""
        end = self._clock.monotonic() if phase.ended is None else phase.ended
        return round((end - phase.began) * 1000)

    def rows(self, phase: Phase) -> Iterator[Row]:
        """What `phase` is about, in the order of the subjects. What failed before takes no part."""
        if phase.name == "compare":
            yield Row(None, "all subjects", phase.steps[-1] if phase.steps else None)
            return
        ended = {step.index: step for step in phase.steps}
        for index, subject in enumerate(self.subjects):
            step = ended.get(index)
            if step is not None or (index not in self._out and phase.ended is None):
                yield Row(index, subject, step)

    def _begin(self, event: PhaseStarted) -> None:
        self._end_phase()
        phase = Phase(event.phase, event.number, event.of, event.total, self._clock.monotonic())
        self.phases.append(phase)
        if event.total == 0:
            self._end_phase()

    def _step(self, step: StepFinished) -> None:
        phase = next((phase for phase in reversed(self.phases) if phase.name == step.phase), None)
        if phase is None:
            return
        phase.steps.append(step)
        if step.index is not None and not step.ok:
            self._out.add(step.index)
        if len(phase.steps) >= phase.total and phase is self.current:
            self._end_phase()

    def _end_phase(self) -> None:
        if (phase := self.current) is not None:
            phase.ended = self._clock.monotonic()
