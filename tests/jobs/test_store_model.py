"""The job tables against a model that is obviously right: whatever happens in whatever order."""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pydantic_core import to_json

from clawswarm.errors import NotFound
from clawswarm.modes.job_pages import read_page
from clawswarm.store.connect import connect
from clawswarm.store.jobs import Changes, Item, Jobs
from clawswarm.types.jobs import JobStatus
from clawswarm.types.result import TaskResult

pytestmark = [
    pytest.mark.slow(reason="hundreds of small transactions on a real database"),
    pytest.mark.timeout(30),
]

MOST = 4
TOTAL = 6
positions = strategies.sets(strategies.integers(0, TOTAL - 1), max_size=4)
statuses = strategies.sampled_from(list(JobStatus))


@dataclass
class Expected:
    """What a job must look like."""

    created: float
    status: JobStatus = JobStatus.QUEUED
    started: float | None = None
    ended: float | None = None
    ran_ms: int = 0
    results: dict[int, bool] = field(default_factory=dict[int, bool])
    flying: set[int] = field(default_factory=set[int])
    crashes: dict[int, int] = field(default_factory=dict[int, int])

    @property
    def open(self) -> bool:
        return not self.status.final


def body(position: int, *, ok: bool) -> bytes:
    return to_json(TaskResult(index=position, ok=ok, text=f"t{position}" if ok else None).as_json())


class Tables(RuleBasedStateMachine):
    """Jobs on a database, and beside it what must be in there."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = connect(self.folder / "swarm.db")
        self.jobs = Jobs(self.store)
        self.model: dict[str, Expected] = {}
        self.now = 1.0
        self.number = 0

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    def some(self, data: Any) -> tuple[str, Expected]:
        name = data.draw(strategies.sampled_from(sorted(self.model)), label="job")
        return name, self.model[name]

    @rule()
    def add(self) -> None:
        self.now += 1
        self.number += 1
        name = f"job-{self.number:03}"
        prompts = [{"prompt": f"p{position}"} for position in range(TOTAL)]
        added = self.jobs.add(
            name, "parallel", {"prompts": prompts}, total=TOTAL, title="t", at=self.now, most=MOST
        )
        assert added is (sum(job.open for job in self.model.values()) < MOST)
        if added:
            self.model[name] = Expected(self.now)

    @precondition(lambda self: self.model)
    @rule(data=strategies.data(), sent=positions, landed=positions, done=positions, ok=strategies.booleans())
    def write(self, data: Any, sent: set[int], landed: set[int], done: set[int], *, ok: bool) -> None:
        """As the log does it: for a job that is worked on, and results maybe a second time."""
        name, job = self.some(data)
        if not job.open:
            return
        ran_ms = data.draw(strategies.one_of(strategies.none(), strategies.integers(0, 10**9)), label="ran")
        items = [Item(position=position, ok=ok, body=body(position, ok=ok)) for position in sorted(done)]
        changes = Changes(sent=sorted(sent), landed=sorted(landed), items=items, ran_ms=ran_ms)
        self.jobs.write({name: changes})
        job.flying = (job.flying | sent) - landed - done
        for position in done:
            job.results.setdefault(position, ok)
        job.ran_ms = job.ran_ms if ran_ms is None else ran_ms

    @precondition(lambda self: self.model)
    @rule(data=strategies.data(), status=statuses)
    def move(self, data: Any, status: JobStatus) -> None:
        self.now += 1
        name, job = self.some(data)
        assert self.jobs.set_status(name, status, at=self.now) is job.open
        if not job.open:
            return
        job.status = status
        if status is JobStatus.RUNNING and job.started is None:
            job.started = self.now
        if status.final:
            job.ended, job.flying, job.crashes = self.now, set(), {}

    @rule()
    def crash(self) -> None:
        """The process dies; the next one opens the database and counts."""
        self.store.close()
        self.store = connect(self.folder / "swarm.db")
        self.jobs = Jobs(self.store)
        assert self.jobs.recover() == sum(len(job.flying) for job in self.model.values())
        for job in self.model.values():
            for position in job.flying:
                job.crashes[position] = job.crashes.get(position, 0) + 1
            job.flying = set()
        assert self.jobs.recover() == 0

    @rule(age=strategies.integers(0, 10))
    def trim(self, age: int) -> None:
        before = self.now - age
        old = [name for name, job in self.model.items() if job.ended is not None and job.ended < before]
        assert self.jobs.trim(before=before) == len(old)
        for name in old:
            del self.model[name]
            with pytest.raises(NotFound):
                self.jobs.get(name)
            assert self.jobs.page(name, 0, TOTAL) == {}

    @invariant()
    def counts_are_right(self) -> None:
        counts: dict[str, int] = {}
        for name, job in self.model.items():
            found = self.jobs.get(name)
            assert (found.status, found.created) == (job.status, job.created)
            assert (found.started, found.ended) == (job.started, job.ended)
            assert (found.done, found.successful) == (len(job.results), sum(job.results.values()))
            assert found.failed == found.done - found.successful
            counts[job.status.value] = counts.get(job.status.value, 0) + 1
        assert self.jobs.counts() == counts

    @invariant()
    def lists_are_right(self) -> None:
        assert [job.id for job in self.jobs.newest(100)] == sorted(self.model, reverse=True)
        left = [name for name in sorted(self.model) if self.model[name].open]
        assert [job.id for job in self.jobs.unfinished()] == left

    @invariant()
    def what_a_next_life_is_told_is_right(self) -> None:
        for name, job in self.model.items():
            standing = self.jobs.standing(name)
            assert dict(standing.bodies) == {p: body(p, ok=ok) for p, ok in job.results.items()}
            assert dict(standing.crashes) == job.crashes
            assert standing.ran_ms == job.ran_ms

    @invariant()
    def pages_hold_each_result_once(self) -> None:
        for name, job in self.model.items():
            seen: list[int] = []
            offset: int | None = 0
            while offset is not None:
                page = read_page(self.jobs, name, offset, 2)
                seen += [item["index"] for item in page.items]
                offset = page.next_offset if page.items else None
            first_missing = next((place for place in range(TOTAL) if place not in job.results), TOTAL)
            assert seen == list(range(first_missing if job.open else TOTAL))


TestTables = Tables.TestCase
TestTables.settings = settings(max_examples=20, stateful_step_count=25)
