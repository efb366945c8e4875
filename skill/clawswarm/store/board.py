"""The board's tables: runs, the journal, and the documents it left. No rule of the team lives here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    String,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from clawswarm.store import tables
from clawswarm.types.journal import Event, Image

CHANGED = "swarm_board"
"""The channel on which PostgreSQL tells of every change, with the name of its run."""

_LARGEST = "\U0010ffff"

# What every change of a board does is put together once.
_runs, _events, _items = tables.team_runs.c, tables.team_events.c, tables.team_items.c
_OPEN = select(_runs.run).where(_runs.ended.is_(None)).order_by(_runs.opened.desc()).limit(1)
_HEAD = select(tables.team_runs).where(_runs.run == bindparam("of_run"))
_LOCKED_HEAD = _HEAD.with_for_update()
_UNDER_KEY = select(_events.seq, _events.request, _events.value, _events.length).where(
    _events.run == bindparam("of_run"), _events.key == bindparam("under_key")
)
_BODY = select(_items.body).where(
    _items.run == bindparam("of_run"), _items.kind == bindparam("of_kind"), _items.id == bindparam("with_id")
)
_ADD = insert(tables.team_events)
_PUT = text(
    "INSERT INTO team_items (run, kind, id, open, seq, body)"
    " VALUES (:run, :kind, :id, :open, :seq, :body) ON CONFLICT (run, kind, id)"
    " DO UPDATE SET open = excluded.open, seq = excluded.seq, body = excluded.body"
)
_MOVE = (
    update(tables.team_runs)
    .where(_runs.run == bindparam("of_run"))
    .values(seq=bindparam("last_seq"), at=bindparam("last_at"), ended=bindparam("end"))
)
_MOVE_AND_TELL = _MOVE.returning(func.pg_notify(CHANGED, bindparam("of_run")))  # heard when it is committed


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
    row = connection.execute(_LOCKED_HEAD if lock else _HEAD, {"of_run": run}).one_or_none()
    return None if row is None else Head(row.run, row.seq, row.at, row.ended)


def open_run(connection: Connection) -> str | None:
    """The run that has not ended."""
    return connection.scalar(_OPEN)


def runs(connection: Connection, limit: int) -> list[str]:
    """The runs, the newest first."""
    newest = (_runs.opened.desc(), _runs.run.desc())
    return list(connection.scalars(select(_runs.run).order_by(*newest).limit(limit)))


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
    row = connection.execute(_UNDER_KEY, {"of_run": run, "under_key": key}).one_or_none()
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
    wanted = select(tables.team_events).where(_events.run == run, _events.seq > after)
    if kinds:
        wanted = wanted.where(_events.kind.in_(kinds))
    wanted = wanted.order_by(_events.seq.desc() if newest else _events.seq).limit(limit)
    events = [_event(row) for row in connection.execute(wanted)]
    return events[::-1] if newest else events


def document(connection: Connection, run: str, kind: str, id_: str) -> bytes | None:
    if not _is_name(id_):
        return None
    return connection.scalar(_BODY, {"of_run": run, "of_kind": kind, "with_id": id_})


def documents(
    connection: Connection,
    run: str,
    kinds: Sequence[str],
    *,
    open_only: bool = False,
    prefix: str = "",
    first: int | None = None,
    newest: int | None = None,
) -> list[Stored]:
    """Documents by id, the `first` that many; or the `newest` by when they changed, the oldest first."""
    several = len(kinds) > 1
    wanted = _some(several, open_only, bool(prefix), newest is not None, first is not None)
    given = {
        "of_run": run,
        "of_kind": kinds if several else kinds[0],
        "least": prefix,
        "below": prefix + _LARGEST,
        "most": first if newest is None else newest,
    }
    rows = connection.execute(wanted, given)
    found = [Stored(row.kind, row.id, row.open, row.body) for row in rows]
    return found if newest is None else found[::-1]


def count(connection: Connection, run: str, kind: str, *, open_only: bool, prefix: str) -> int:
    """How many documents there are; counted in the index."""
    wanted = _number(open_only, bool(prefix))
    given = {"of_run": run, "of_kind": kind, "least": prefix, "below": prefix + _LARGEST}
    return int(connection.scalar(wanted, given) or 0)


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
    connection.execute(_ADD, rows)
    last = events[-1]
    for kind, id_ in gone:
        connection.execute(
            delete(tables.team_items).where(_items.run == head.run, _items.kind == kind, _items.id == id_)
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
    moved = {"of_run": head.run, "last_seq": last.seq, "last_at": last.at, "end": ended}
    connection.execute(_MOVE_AND_TELL if _shared(connection) else _MOVE, moved)


@cache
def _some(
    several: bool, open_only: bool, prefixed: bool, newest: bool, first: bool
) -> Select[*tuple[Any, ...]]:
    """Reads documents; what is asked for is given to it. Put together once for each way to ask."""
    kind = bindparam("of_kind", expanding=several, type_=String())
    wanted = select(_items.kind, _items.id, _items.open, _items.body).where(
        _items.run == bindparam("of_run"),
        _items.kind.in_(kind) if several else _items.kind == kind,
        *_which(open_only, prefixed),
    )
    most = bindparam("most", type_=Integer())
    if newest:
        return wanted.order_by(_items.seq.desc(), _items.id.desc()).limit(most)
    return wanted.order_by(_items.id).limit(most) if first else wanted.order_by(_items.id)


@cache
def _number(open_only: bool, prefixed: bool) -> Select[int]:
    """Counts documents of a kind, as `_some` reads them."""
    return select(func.count()).where(
        _items.run == bindparam("of_run"),
        _items.kind == bindparam("of_kind"),
        *_which(open_only, prefixed),
    )


def _which(open_only: bool, prefixed: bool) -> list[ColumnElement[bool]]:
    waits = [_items.open.is_(True)] if open_only else []
    begins = [_items.id >= bindparam("least"), _items.id < bindparam("below")] if prefixed else []
    return waits + begins


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
