"""What a caller asks for: a batch or a research, with the options that hold for all of it."""

from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from clawswarm.types.task import Task

Depth = Literal["quick", "standard", "deep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Options of one batch or research. None means: as configured.

    Attributes:
        provider: another provider than the configured one.
        model: another model for every task that names none.
        concurrency: tasks at once; never more than the workers there are.
        timeout: seconds a task may take, for every task that sets none.
        cache: False asks every prompt anew.
        max_spend: most US$ that it may cost; a lower configured cap stays.
    """

    provider: str | None = None
    model: str | None = None
    concurrency: int | None = None
    timeout: float | None = None
    cache: bool = True
    max_spend: Decimal | None = None


AS_CONFIGURED = RunOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequest:
    """Prompts to ask in parallel.

    Attributes:
        total: how many there are; None when they come from a source without a length.
        keep_results: whether the last event holds all results; without them memory stays flat.
    """

    tasks: Iterable[Task] | AsyncIterable[Task]
    total: int | None
    options: RunOptions = field(default=AS_CONFIGURED)
    keep_results: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ResearchRequest:
    """Subjects to research side by side, and what about them.

    Attributes:
        topic: the angle, such as "AI safety"; empty for a general picture.
    """

    subjects: tuple[str, ...]
    topic: str = ""
    depth: Depth = "standard"
    options: RunOptions = field(default=AS_CONFIGURED)
