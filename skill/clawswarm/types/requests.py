"""What a caller asks for: a batch or a research, with the options that hold for all of it."""

from collections.abc import AsyncIterable, Collection, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from pydantic_core import to_json

from clawswarm.errors import InputError
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

    def __post_init__(self) -> None:
        """Raise an `InputError` for an option out of its range."""
        for name, least, most in RANGES:
            value = getattr(self, name)
            if value is not None and not least <= float(value) <= most:
                raise InputError(f"{name!r} must be between {least} and {most}, not {value}")

    def as_json(self) -> dict[str, Any]:
        """The options that are set."""
        given = {name: value for name in OPTIONS if (value := getattr(self, name)) is not None}
        if self.max_spend is not None:
            given["max_spend"] = float(self.max_spend)
        if self.cache:
            del given["cache"]
        return given


OPTIONS = ("provider", "model", "concurrency", "timeout", "cache", "max_spend")

RANGES = (("concurrency", 1, 100_000), ("timeout", 0.001, 604_800), ("max_spend", 0, 9_000_000))
"""Least and most of the options that are numbers."""

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

    @property
    def travels(self) -> bool:
        """Whether all of it can be handed over to the daemon: no iterator, no tools, no conversations."""
        return isinstance(self.tasks, Collection) and not any(task.staying for task in self.tasks)

    def listed(self) -> list[Task]:
        """The tasks of a request that has them all at hand.

        Raises:
            InputError: they come from an iterator, which cannot be handed over.
        """
        if not isinstance(self.tasks, Collection):
            raise InputError(
                "the prompts must be a list: they are handed over to the daemon as a whole",
                hint="write: list(prompts), or work in this process: use_daemon=False",
            )
        return list(self.tasks)

    def documents(self) -> list[dict[str, Any]]:
        """The tasks as JSON, to be sent or stored.

        Raises:
            InputError: they come from an iterator, or one of them has something that JSON does not carry.
        """
        return [_document(index, task) for index, task in enumerate(self.listed())]

    def check_texts(self) -> None:
        """Raise an `InputError` for a text that no encoding can carry, where all tasks are at hand."""
        if isinstance(self.tasks, Collection):
            for index, task in enumerate(self.tasks):
                check_text(f"prompt {index}", task.as_json())


def _document(index: int, task: Task) -> dict[str, Any]:
    """A task as JSON; what would silently be left out of it is refused."""
    if names := task.staying:
        raise InputError(
            f"prompt {index}: {', '.join(names)} cannot be handed over to the daemon",
            hint="work in this process: Swarm(use_daemon=False)",
        )
    document = task.as_json()
    check_text(f"prompt {index}", document)
    return document


def check_text(where: str, document: dict[str, Any]) -> None:
    """Raise an `InputError` for a text in `document` that no encoding can carry."""
    try:
        to_json(document)
    except ValueError:
        raise InputError(
            f"{where}: a text has half of a character (a lone surrogate), which cannot be sent",
            hint="nothing was sent",
        ) from None


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

    def as_json(self) -> dict[str, Any]:
        return {
            "subjects": list(self.subjects),
            "topic": self.topic,
            "depth": self.depth,
            **self.options.as_json(),
        }
