"""Ordered migrations: append-only, each applied once, in one transaction, and recorded by name."""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection, Table, insert, inspect, select

from clawswarm.errors import StoreError
from clawswarm.store import tables

Migration = Callable[[Connection], None]


def m001_money_and_answers(connection: Connection) -> None:
    """The ledger of days and leases, usage by day and model, and the cache of answers."""
    for table in (tables.days, tables.leases, tables.usage, tables.answers):
        table.create(connection)


def m002_jobs(connection: Connection) -> None:
    """Jobs, their results, and what was in flight."""
    for table in (tables.jobs, tables.job_items, tables.job_flights):
        table.create(connection)


def m003_team(connection: Connection) -> None:
    """The board of a team: runs, the journal, and what it left."""
    for table in (tables.team_runs, tables.team_events, tables.team_items):
        table.create(connection)


MIGRATIONS: tuple[Migration, ...] = (m001_money_and_answers, m002_jobs, m003_team)
"""Of the database of one machine, in SQLite."""

BOARD_MIGRATIONS: tuple[Migration, ...] = (m003_team,)
"""Of a board that machines share, in PostgreSQL: money, answers and jobs stay on their machines."""


def pending(connection: Connection) -> list[Migration]:
    """Migrations that this database lacks.

    Raises:
        StoreError: the database was written by a newer Swarm.
    """
    record, migrations = _plan(connection)
    if not inspect(connection).has_table(record.name):
        return list(migrations)
    applied = set(connection.scalars(select(record.c.name)))
    if unknown := sorted(applied - {migration.__name__ for migration in migrations}):
        raise StoreError(
            f"the database was written by a newer Swarm (it has {unknown[-1]!r})",
            hint="update Swarm, or let it use another database (SWARM_MEMORY_DIR, team.database)",
        )
    return [migration for migration in migrations if migration.__name__ not in applied]


def migrate(connection: Connection) -> None:
    """Apply what is missing. The caller's transaction makes it all or nothing."""
    record, _ = _plan(connection)
    record.create(connection, checkfirst=True)
    for migration in pending(connection):
        migration(connection)
        connection.execute(
            insert(record).values(name=migration.__name__, applied_at=datetime.now(UTC).isoformat())
        )


def _plan(connection: Connection) -> tuple[Table, tuple[Migration, ...]]:
    """Where it is recorded what was applied, and what there is to apply."""
    if connection.dialect.name == "postgresql":
        return tables.board_migrations, BOARD_MIGRATIONS
    return tables.migrations, MIGRATIONS
