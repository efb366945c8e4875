"""Money spent and reserved, a day at a time, across every process of this machine.

    cap ≥ spent + uncertain + what live leases hold

A process takes blocks of money out of the day (`grow`), counts its spending in its lease, and gives back the
rest (`settle`). A lease whose owner died is settled by the next process that looks: what it had spent counts
as spent, what was on its way counts as uncertain (it may have been billed), the rest is free again.
"""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from clawswarm.store import tables
from clawswarm.store.connect import Store, store_errors
from clawswarm.store.lease import Lease, bury, inherit


@dataclass(frozen=True, slots=True)
class DayTotal:
    """One day's money in picodollars. `held` is reserved by live processes, spent in part."""

    spent: int
    uncertain: int
    held: int

    @property
    def taken(self) -> int:
        return self.spent + self.uncertain + self.held


@dataclass(frozen=True, slots=True)
class UsageLine:
    """Counts of one model on one day; everything adds up. Money in picodollars, time in milliseconds."""

    tasks: int = 0
    failed: int = 0
    cached: int = 0
    unknown_cost: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0
    saved: int = 0
    busy_ms: int = 0
    wall_ms: int = 0

    def __add__(self, other: "UsageLine") -> "UsageLine":
        return UsageLine(*(getattr(self, name) + getattr(other, name) for name in UsageLine.__slots__))


UsageKey = tuple[str, str, str]
"""Day, provider, model."""


class Ledger:
    """The money tables of a store. Methods block: call them from a thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder: Path = store.path.parent / "leases"

    def open_lease(self, day: str) -> Lease:
        """A lease on `day` that holds nothing yet."""
        with store_errors(self._folder / "lease"):
            lease = Lease.take(self._folder)
        try:
            with self._store.write() as connection:
                connection.execute(insert(tables.leases).values(id=lease.id, day=day, held=0))
        except BaseException:
            lease.remove()
            raise
        return lease

    def grow(self, lease: Lease, day: str, *, need: int, want: int, cap: int | None) -> int:
        """Take between `need` and `want` out of the day for `lease`; 0 when not even `need` is left.

        On the disk before it returns: a block that a power cut makes undone would be spent twice.
        Near the cap a quarter of what is left is the most that is taken beyond `need`, so that processes
        that run side by side share it.
        """
        with self._living_only(durable=True) as connection:
            granted = want
            if cap is not None:
                room = cap - self._total(connection, day).taken
                if room < need:
                    return 0
                granted = max(need, min(want, room // 4))
            # The row is made anew when it is gone: somebody deleted the lease's file, and another process
            # took its owner for dead.
            statement = upsert(tables.leases).values(id=lease.id, day=day, held=granted)
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["id"], set_={"held": tables.leases.c.held + granted}
                )
            )
            return granted

    def settle(self, lease: Lease, day: str, *, spent: int, uncertain: int, free: int) -> None:
        """Book what a lease has spent, and give back what of it is free. What is on its way stays held."""
        gone = spent + uncertain + free
        with self._store.write() as connection:
            _book(connection, day, spent, uncertain)
            connection.execute(
                update(tables.leases)
                .where(tables.leases.c.id == lease.id)
                .values(held=func.max(tables.leases.c.held - gone, 0))
            )

    def close_lease(self, lease: Lease) -> None:
        """End a lease that was settled."""
        with self._store.write() as connection:
            connection.execute(delete(tables.leases).where(tables.leases.c.id == lease.id))
        lease.remove()

    def total(self, day: str) -> DayTotal:
        """The day's money; leases of dead processes are settled first."""
        with self._living_only() as connection:
            return self._total(connection, day)

    def add_usage(self, lines: Mapping[UsageKey, UsageLine]) -> None:
        """Add counts to their days."""
        with self._store.write() as connection:
            for (day, provider, model), line in lines.items():
                values = {name: getattr(line, name) for name in UsageLine.__slots__}
                statement = upsert(tables.usage).values(day=day, provider=provider, model=model, **values)
                connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=["day", "provider", "model"],
                        set_={name: tables.usage.c[name] + statement.excluded[name] for name in values},
                    )
                )

    def usage(self, since: str) -> Iterator[tuple[UsageKey, UsageLine]]:
        """Counts of every model from the day `since` on, oldest first."""
        columns = tables.usage.c
        with self._store.read() as connection:
            rows = connection.execute(
                select(tables.usage)
                .where(columns.day >= since)
                .order_by(columns.day, columns.provider, columns.model)
            ).mappings()
            fetched = list(rows)
        for fields in fetched:
            yield (
                (fields["day"], fields["provider"], fields["model"]),
                UsageLine(**{name: fields[name] for name in UsageLine.__slots__}),
            )

    def _total(self, connection: Connection, day: str) -> DayTotal:
        row = connection.execute(
            select(tables.days.c.spent, tables.days.c.uncertain).where(tables.days.c.day == day)
        ).one_or_none()
        held = connection.scalar(select(func.sum(tables.leases.c.held)).where(tables.leases.c.day == day))
        return DayTotal(row.spent if row else 0, row.uncertain if row else 0, int(held or 0))

    @contextmanager
    def _living_only(self, *, durable: bool = False) -> Generator[Connection]:
        """A write transaction in which the leases of dead processes are settled."""
        with self._store.write(durable=durable) as connection:
            dead = self._settle_dead(connection)
            yield connection
        for identity in dead:  # only now: a transaction that fails must find the numbers again
            bury(identity, self._folder)

    def _settle_dead(self, connection: Connection) -> list[str]:
        dead: list[str] = []
        for row in connection.execute(select(tables.leases)).all():
            remains = inherit(row.id, self._folder)
            if remains is None:
                continue
            if remains.spent is None:
                _book(connection, row.day, 0, row.held)
            else:
                _book(connection, row.day, remains.spent, remains.flying)
            connection.execute(delete(tables.leases).where(tables.leases.c.id == row.id))
            dead.append(row.id)
        return dead


def _book(connection: Connection, day: str, spent: int, uncertain: int) -> None:
    statement = upsert(tables.days).values(day=day, spent=spent, uncertain=uncertain)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["day"],
            set_={
                "spent": tables.days.c.spent + statement.excluded.spent,
                "uncertain": tables.days.c.uncertain + statement.excluded.uncertain,
            },
        )
    )
