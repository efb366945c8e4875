"""What a check is: a question about this machine, what was seen, and the fix where something is wrong."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio

from clawswarm.engine.redact import Redactor
from clawswarm.errors import SwarmError

Status = Literal["ok", "warn", "fail", "unknown", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The answer to one question.

    Attributes:
        status: `unknown` is what cannot be seen from here, `skipped` what was not asked.
        seen: what was found, in words.
        fix: what to do; every failed check has one.
        details: the same as data, for scripts. What is not known is None.
    """

    name: str
    status: Status
    seen: str
    fix: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        assert self.fix or self.status != "fail", f"{self.name} names no fix"  # noqa: S101 - a promise

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "status": self.status,
            "seen": self.seen,
            "fix": self.fix,
            "details": dict(self.details),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All answers, in the order of the questions.

    Attributes:
        configured: whether there is a provider to ask at all.
    """

    checks: tuple[Check, ...]
    configured: bool = True

    @property
    def ok(self) -> bool:
        return self.count("fail") == 0

    def count(self, status: Status) -> int:
        return sum(check.status == status for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "configured": self.configured,
            "checks": [check.as_json() for check in self.checks],
        }


@dataclass(frozen=True, slots=True)
class Question:
    """One or more checks that are worked out together.

    Attributes:
        seconds: after these the answer is that there is none.
    """

    name: str
    ask: Callable[[], Awaitable[Sequence[Check]]]
    seconds: float = 10


async def answer(questions: Sequence[Question], redact: Redactor) -> tuple[Check, ...]:
    """Ask all of them at once. None of them can fail the others: what goes wrong inside is an answer, too."""
    answers: dict[int, Sequence[Check]] = {}

    async def work(place: int, question: Question) -> None:
        answers[place] = await _answered(question, redact)

    async with anyio.create_task_group() as group:
        for place, question in enumerate(questions):
            group.start_soon(work, place, question)
    return tuple(check for place in sorted(answers) for check in answers[place])


async def _answered(question: Question, redact: Redactor) -> Sequence[Check]:
    try:
        with anyio.fail_after(question.seconds):
            return await question.ask()
    except TimeoutError:
        seen = f"no answer within {question.seconds:g} s"
        fix = "try again; if it stays so, what is asked here hangs: a server, a network drive"
        return [Check(name=question.name, status="fail", seen=seen, fix=fix)]
    except SwarmError as error:
        return [failed(question.name, error, redact)]
    except Exception as error:  # noqa: BLE001 - a check that breaks must not hide the others
        seen = redact(f"the check itself failed: {type(error).__name__}: {error}")
        fix = "the other checks still count; this one is a mistake in Swarm: report it"
        return [Check(name=question.name, status="fail", seen=seen, fix=fix)]


def failed(name: str, error: SwarmError, redact: Redactor) -> Check:
    """An error on purpose as the answer of a check."""
    fix = error.hint or "see the message"
    return Check(
        name=name, status="fail", seen=redact(error.message), fix=redact(fix), details={"code": error.code}
    )
