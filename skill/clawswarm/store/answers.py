"""Answers kept by the hash of everything that shaped them, so that the same question is paid once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from clawswarm.store import tables
from clawswarm.store.connect import Store

BATCH = 500
"""Keys of one look-up; SQLite takes a few thousand variables a statement."""


@dataclass(frozen=True, slots=True)
class AnswersSize:
    """How much is kept. `oldest` is in seconds since 1970; None when nothing is kept."""

    answers: int
    bytes: int
    oldest: float | None


class Answers:
    """The answer table of a store. Methods block: call them from a thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reader = store.reader()

    def get(self, keys: Iterable[bytes], *, since: float) -> dict[bytes, bytes]:
        """The bodies of those keys that were stored at or after `since`. For one thread at a time."""
        wanted = list(keys)
        found: dict[bytes, bytes] = {}
        for start in range(0, len(wanted), BATCH):
            some = wanted[start : start + BATCH]
            marks = ",".join("?" * len(some))
            statement = f"SELECT key, body FROM answers WHERE stored_at >= ? AND key IN ({marks})"  # noqa: S608
            found.update((key, body) for key, body in self._reader.fetch(statement, (since, *some)))
        return found

    def close(self) -> None:
        """Give the connection of the look-ups back."""
        self._reader.close()

    def put(self, bodies: Mapping[bytes, bytes], *, at: float) -> None:
        """Store answers; a key that is there already is replaced."""
        rows = [
            {"key": key, "stored_at": at, "size": len(key) + len(body), "body": body}
            for key, body in bodies.items()
        ]
        statement = upsert(tables.answers)
        statement = statement.on_conflict_do_update(
            index_elements=["key"],
            set_={name: statement.excluded[name] for name in ("stored_at", "size", "body")},
        )
        with self._store.write() as connection:
            connection.execute(statement, rows)

    def trim(self, *, before: float, max_bytes: int) -> None:
        """Remove what is older than `before`, then the oldest until `max_bytes` are left."""
        columns = tables.answers.c
        with self._store.write() as connection:
            connection.execute(delete(tables.answers).where(columns.stored_at < before))
            total = int(connection.scalar(select(func.sum(columns.size))) or 0)
            if total <= max_bytes:
                return
            size_through = func.sum(columns.size).over(order_by=(columns.stored_at, columns.key))
            aged = select(columns.key, (size_through - columns.size).label("older")).subquery()
            oldest = select(aged.c.key).where(aged.c.older < total - max_bytes)
            connection.execute(delete(tables.answers).where(columns.key.in_(oldest)))

    def clear(self) -> int:
        """Remove every answer; how many there were."""
        with self._store.write() as connection:
            return connection.execute(delete(tables.answers)).rowcount

    def size(self) -> AnswersSize:
        columns = tables.answers.c
        with self._store.read() as connection:
            count, total, oldest = connection.execute(
                select(func.count(), func.sum(columns.size), func.min(columns.stored_at)).select_from(
                    tables.answers
                )
            ).one()
        return AnswersSize(int(count), int(total or 0), oldest)
