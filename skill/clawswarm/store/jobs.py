"""Jobs and their results. One process works on them (it holds the daemon's lock); any may read.

A task is marked as in flight before it is sent and unmarked with its result, in the same transaction. After
a crash the marks that are left tell what was in flight.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Row, Select, delete, func, select, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.dialects.sqlite import insert as upsert

from clawswarm.store import tables
from clawswarm.store.connect import Store
from clawswarm.types.jobs import Job, JobKind, JobStatus, unknown_job
from clawswarm.types.result import Failure

_OPEN = (JobStatus.QUEUED.value, JobStatus.RUNNING.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One result: the JSON document of a task or a subject."""

    position: int
    ok: bool
    body: bytes


@dataclass(slots=True)
class Changes:
    """What happened to one job since the last write.

    Attributes:
        sent: positions that are about to be in flight.
        landed: positions that no longer are, although they have no result (the work was called off).
        ran_ms: how long the job has run, over all lives of the daemon; None leaves it.
    """

    sent: list[int] = field(default_factory=list[int])
    items: list[Item] = field(default_factory=list[Item])
    landed: list[int] = field(default_factory=list[int])
    ran_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a job has behind it when it is taken up.

    Attributes:
        bodies: the stored results by position.
        crashes: how often the daemon died while a position was in flight.
    """

    request: Any
    ran_ms: int
    bodies: Mapping[int, bytes]
    crashes: Mapping[int, int]


class Jobs:
    """The job tables of a store. Methods block: call them from a thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self, job_id: str, kind: JobKind, request: Any, *, total: int, title: str, at: float, most: int
    ) -> bool:
        """Queue a job, on the disk when this returns; False when `most` are unfinished already."""
        columns = tables.jobs.c
        unfinished = select(func.count()).select_from(tables.jobs).where(columns.status.in_(_OPEN))
        with self._store.write(durable=True) as connection:
            if int(connection.scalar(unfinished) or 0) >= most:
                return False
            connection.execute(
                plain_insert(tables.jobs).values(
                    id=job_id, kind=kind, status=JobStatus.QUEUED.value, created=at, ran_ms=0, total=total,
                    done=0, successful=0, title=title, request=to_json(request),
                )
            )  # fmt: skip
        return True

    def get(self, job_id: str) -> Job:
        """One job.

        Raises:
            NotFound: there is none of that id.
        """
        with self._store.read() as connection:
            row = connection.execute(_listed().where(tables.jobs.c.id == job_id)).one_or_none()
        if row is None:
            raise unknown_job(job_id)
        return _job(row)

    def newest(self, limit: int) -> list[Job]:
        with self._store.read() as connection:
            rows = connection.execute(_listed().order_by(tables.jobs.c.created.desc()).limit(limit))
            return [_job(row) for row in rows]

    def unfinished(self) -> list[Job]:
        """What is to be worked on, the oldest first."""
        columns = tables.jobs.c
        with self._store.read() as connection:
            rows = connection.execute(
                _listed().where(columns.status.in_(_OPEN)).order_by(columns.created, columns.id)
            )
            return [_job(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many jobs there are of each status."""
        column = tables.jobs.c.status
        with self._store.read() as connection:
            rows = connection.execute(select(column, func.count()).group_by(column)).all()
        return {str(status): int(count) for status, count in rows}

    def standing(self, job_id: str) -> Standing:
        items, flights, jobs = tables.job_items.c, tables.job_flights.c, tables.jobs.c
        with self._store.read() as connection:
            row = connection.execute(select(jobs.request, jobs.ran_ms).where(jobs.id == job_id)).one()
            bodies = connection.execute(select(items.position, items.body).where(items.job == job_id)).all()
            crashes = connection.execute(
                select(flights.position, flights.crashes).where(flights.job == job_id, flights.crashes > 0)
            ).all()
        return Standing(
            from_json(row.request),
            row.ran_ms,
            {int(position): body for position, body in bodies},
            {int(position): int(count) for position, count in crashes},
        )

    def request(self, job_id: str) -> Any:
        """What was asked for, as JSON."""
        with self._store.read() as connection:
            body = connection.scalar(select(tables.jobs.c.request).where(tables.jobs.c.id == job_id))
        return None if body is None else from_json(body)

    def page(self, job_id: str, offset: int, limit: int) -> dict[int, bytes]:
        """Those results that are there of the `limit` from `offset` on, by position."""
        columns = tables.job_items.c
        wanted = select(columns.position, columns.body).where(
            columns.job == job_id, columns.position >= offset, columns.position < offset + limit
        )
        with self._store.read() as connection:
            return {int(position): body for position, body in connection.execute(wanted)}

    def write(self, changes: Mapping[str, Changes]) -> None:
        """Write what happened to several jobs, in one transaction."""
        flights = tables.job_flights
        with self._store.write() as connection:
            for job_id, change in changes.items():
                if change.sent:
                    rows = [{"job": job_id, "position": p, "flying": True, "crashes": 0} for p in change.sent]
                    marked = upsert(flights)
                    connection.execute(
                        marked.on_conflict_do_update(
                            index_elements=["job", "position"], set_={"flying": marked.excluded.flying}
                        ),
                        rows,
                    )
                done = {item.position for item in change.items}
                new = _new(connection, job_id, change.items)
                if new:
                    connection.execute(
                        plain_insert(tables.job_items),
                        [{"job": job_id, "position": i.position, "body": i.body} for i in new],
                    )
                if landed := {*change.landed, *done}:
                    connection.execute(
                        update(flights)
                        .where(flights.c.job == job_id, flights.c.position.in_(landed))
                        .values(flying=False)
                    )
                _count(connection, job_id, new, change.ran_ms)

    def set_status(
        self,
        job_id: str,
        status: JobStatus,
        *,
        at: float,
        error: Failure | None = None,
        whole: Mapping[str, Any] | None = None,
    ) -> bool:
        """Move a job on. A final status stays: whoever comes later changes nothing, and is told False."""
        columns = tables.jobs.c
        values: dict[str, Any] = {"status": status.value}
        if status is JobStatus.RUNNING:
            values["started"] = func.coalesce(columns.started, at)
        if status.final:
            values["ended"] = at
        if error is not None:
            values["error"] = to_json(error.as_json())
        if whole is not None:
            values["whole"] = to_json(whole)
        with self._store.write(durable=status.final) as connection:
            moved = connection.execute(
                update(tables.jobs).where(columns.id == job_id, columns.status.in_(_OPEN)).values(**values)
            )
            if status.final:
                connection.execute(delete(tables.job_flights).where(tables.job_flights.c.job == job_id))
        return moved.rowcount > 0

    def whole(self, job_id: str) -> dict[str, Any] | None:
        """What belongs to a job as a whole, once it is complete."""
        with self._store.read() as connection:
            body = connection.scalar(select(tables.jobs.c.whole).where(tables.jobs.c.id == job_id))
        return None if body is None else from_json(body)

    def recover(self) -> int:
        """After the daemon died: count a crash for everything that was in flight. How much that was."""
        columns = tables.job_flights.c
        with self._store.write() as connection:
            return connection.execute(
                update(tables.job_flights)
                .where(columns.flying.is_(True))
                .values(flying=False, crashes=columns.crashes + 1)
            ).rowcount

    def trim(self, *, before: float) -> int:
        """Remove jobs that ended before then, with their results; how many."""
        columns = tables.jobs.c
        old = select(columns.id).where(columns.ended < before)
        with self._store.write() as connection:
            connection.execute(delete(tables.job_items).where(tables.job_items.c.job.in_(old)))
            return connection.execute(delete(tables.jobs).where(columns.ended < before)).rowcount


def _new(connection: Connection, job_id: str, items: list[Item]) -> list[Item]:
    """Those that have no result yet. Who cannot tell whether a write was kept writes it again."""
    if not items:
        return []
    columns = tables.job_items.c
    positions = {item.position: item for item in items}
    there = connection.scalars(
        select(columns.position).where(columns.job == job_id, columns.position.in_(positions))
    )
    for position in there:
        del positions[position]
    return list(positions.values())


def _count(connection: Connection, job_id: str, new: list[Item], ran_ms: int | None) -> None:
    columns = tables.jobs.c
    values: dict[str, Any] = {}
    if new:
        values["done"] = columns.done + len(new)
        values["successful"] = columns.successful + sum(item.ok for item in new)
    if ran_ms is not None:
        values["ran_ms"] = ran_ms
    if values:
        connection.execute(update(tables.jobs).where(columns.id == job_id).values(**values))


def _listed() -> Select[Any]:
    """Everything about a job but its request and its results."""
    return select(*(column for column in tables.jobs.c if column.name not in ("request", "whole")))


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        kind=row.kind,
        status=JobStatus(row.status),
        done=row.done,
        total=row.total,
        successful=row.successful,
        failed=row.done - row.successful,
        created=row.created,
        started=row.started,
        ended=row.ended,
        error=None if row.error is None else Failure(**from_json(row.error)),
        title=row.title,
    )


def titled(texts: Iterable[str]) -> str:
    """A line for lists: the first text, shortened."""
    text = " ".join(next(iter(texts), "").split())
    return text if len(text) <= 72 else text[:71] + "…"
