"""The board's tables: runs, the journal, and the documents it left. No rule of the team lives here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Row, delete, func, insert, select, text, update

from clawswarm.store import tables
from clawswarm.types.journal import Event, Image

CHANGED = "swarm_board"
"""The channel on which PostgreSQL tells of every change, with the name of its run."""

_LARGEST = "\U0010ffff"
_PUT = text(
    "INSERT INTO team_items (run, kind, id, open, seq, body)"
    " VALUES (:run, :kind, :id, :open, :seq, :body) ON CONFLICT (run, kind, id)"
    " DO UPDATE SET open = excluded.open, seq = excluded.seq, body = excluded.body"
)


@dataclass(frozen=True, slots=True)
class Head:
    """Where a run's journal ends. `at` is the time of its last event, `ended` of its end."""

    run: str
    seq: int
    at: float
    ended: float | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as it is stored: JSON, and whether it still waits for something."""

    kind: str
    id: str
    open: bool
    body: bytes


def one_at_a_time(connection: Connection) -> None:
    """Keep others from opening a run until this transaction ends. (SQLite has one writer anyway.)"""
    if _shared(connection):
        connection.execute(text("LOCK TABLE team_runs IN EXCLUSIVE MODE"))


def begin_run(connection: Connection, run: str, at: float) -> Head:
    connection.execute(insert(tables.team_runs).values(run=run, opened=at, ended=None, seq=0, at=at))
    return Head(run, 0, at, None)


def head(connection: Connection, run: str, *, lock: bool = False) -> Head | None:
    """The end of a journal; with `lock` nobody else may write to it until this transaction ends."""
    if not _is_name(run):
        return None
    wanted = select(tables.team_runs).where(tables.team_runs.c.run == run)
    row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    return None if row is None else Head(row.run, row.seq, row.at, row.ended)


def open_run(connection: Connection) -> str | None:
    """The run that has not ended."""
    columns = tables.team_runs.c
    return connection.scalar(
        select(columns.run).where(columns.ended.is_(None)).order_by(columns.opened.desc()).limit(1)
    )


def runs(connection: Connection, limit: int) -> list[str]:
    """The runs, the newest first."""
    columns = tables.team_runs.c
    newest = (columns.opened.desc(), columns.run.desc())
    return list(connection.scalars(select(columns.run).order_by(*newest).limit(limit)))


@dataclass(frozen=True, slots=True)
class Before:
    """A change that happened under a caller's key.

    Attributes:
        request: digest of what was asked.
        value: kind and id of the document that it was about.
    """

    request: bytes | None
    value: tuple[str, str]
    events: list[Event]


def under_key(connection: Connection, run: str, key: str) -> Before | None:
    """The change under a caller's key, if there was one."""
    columns = tables.team_events.c
    row = connection.execute(
        select(columns.seq, columns.request, columns.value, columns.length).where(
            columns.run == run, columns.key == key
        )
    ).one_or_none()
    if row is None:
        return None
    kind, id_ = row.value.split(" ", 1)
    return Before(row.request, (kind, id_), journal(connection, run, after=row.seq - 1, limit=row.length))


def journal(
    connection: Connection,
    run: str,
    *,
    after: int = 0,
    limit: int | None = None,
    kinds: Sequence[str] = (),
    newest: bool = False,
) -> list[Event]:
    """Events after `after`, in order; with `newest` the last `limit` of them."""
    columns = tables.team_events.c
    wanted = select(tables.team_events).where(columns.run == run, columns.seq > after)
    if kinds:
        wanted = wanted.where(columns.kind.in_(kinds))
    wanted = wanted.order_by(columns.seq.desc() if newest else columns.seq).limit(limit)
    events = [_event(row) for row in connection.execute(wanted)]
    return events[::-1] if newest else events


def document(connection: Connection, run: str, kind: str, id_: str) -> bytes | None:
    if not _is_name(id_):
        return None
    columns = tables.team_items.c
    return connection.scalar(
        select(columns.body).where(columns.run == run, columns.kind == kind, columns.id == id_)
    )


def documents(
    connection: Connection,
    run: str,
    kinds: Sequence[str],
    *,
    open_only: bool = False,
    prefix: str = "",
    newest: int | None = None,
) -> list[Stored]:
    """Documents by id; with `newest` the last that many, by when they changed, the oldest first."""
    columns = tables.team_items.c
    wanted = select(columns.kind, columns.id, columns.open, columns.body).where(columns.run == run)
    wanted = wanted.where(columns.kind == kinds[0] if len(kinds) == 1 else columns.kind.in_(kinds))
    if open_only:
        wanted = wanted.where(columns.open.is_(True))
    if prefix:
        wanted = wanted.where(columns.id >= prefix, columns.id < prefix + _LARGEST)
    order = (columns.id,) if newest is None else (columns.seq.desc(), columns.id.desc())
    rows = connection.execute(wanted.order_by(*order).limit(newest))
    found = [Stored(row.kind, row.id, row.open, row.body) for row in rows]
    return found if newest is None else found[::-1]


def count(connection: Connection, run: str, kind: str, *, open_only: bool, prefix: str) -> int:
    """How many documents there are; counted in the index."""
    columns = tables.team_items.c
    wanted = select(func.count()).where(columns.run == run, columns.kind == kind)
    if open_only:
        wanted = wanted.where(columns.open.is_(True))
    if prefix:
        wanted = wanted.where(columns.id >= prefix, columns.id < prefix + _LARGEST)
    return int(connection.scalar(wanted) or 0)


def append(
    connection: Connection,
    head: Head,
    events: Sequence[Event],
    left: Iterable[Stored],
    gone: Iterable[tuple[str, str]],
    *,
    ended: float | None,
    key: str | None,
    request: bytes | None,
    value: tuple[str, str],
) -> None:
    """Write events behind `head` together with the documents that they left, the last state of each."""
    rows = [
        {
            "run": event.run, "seq": event.seq, "at": event.at, "actor": event.actor, "kind": event.kind,
            "subject": event.subject, "key": None, "request": None, "value": None, "length": None,
            "body": to_json({"says": event.says, "facts": event.facts, "after": event.after}),
        }
        for event in events
    ]  # fmt: skip
    rows[0] |= {"key": key, "request": request, "value": " ".join(value), "length": len(rows)}
    connection.execute(insert(tables.team_events), rows)
    last = events[-1]
    items = tables.team_items.c
    for kind, id_ in gone:
        connection.execute(
            delete(tables.team_items).where(items.run == head.run, items.kind == kind, items.id == id_)
        )
    left_by = {(image.kind, image.id): event.seq for event in events for image in event.after}
    put = [
        {
            "run": head.run,
            "kind": s.kind,
            "id": s.id,
            "open": s.open,
            "seq": left_by[s.kind, s.id],
            "body": s.body,
        }
        for s in left
    ]
    if put:
        connection.execute(_PUT, put)
    moved = (
        update(tables.team_runs)
        .where(tables.team_runs.c.run == head.run)
        .values(seq=last.seq, at=last.at, ended=ended)
    )
    if _shared(connection):
        moved = moved.returning(func.pg_notify(CHANGED, head.run))  # heard when this is committed
    connection.execute(moved)


def _shared(connection: Connection) -> bool:
    """Whether this is PostgreSQL."""
    return connection.dialect.name == "postgresql"


def _is_name(text: str) -> bool:
    """Whether anything can be called so: neither database takes half a character, and PostgreSQL no NUL."""
    return "\0" not in text and text.encode("utf-8", "ignore").decode() == text


def _event(row: Row[Any]) -> Event:
    body = from_json(row.body)
    return Event(
        run=row.run,
        seq=row.seq,
        at=row.at,
        actor=row.actor,
        kind=row.kind,
        subject=row.subject,
        says=body["says"],
        facts=body["facts"],
        after=tuple(Image(**image) for image in body["after"]),
    )
