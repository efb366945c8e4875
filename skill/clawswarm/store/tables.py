"""The schema, as SQLAlchemy Core sees it. `migrate` creates it; a change here needs a migration there."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

_Name = String().with_variant(String(collation="C"), "postgresql")
"""Sorts by its characters, as SQLite does; PostgreSQL would sort as a dictionary does."""

migrations = Table(
    "migrations", metadata, Column("name", String, primary_key=True), Column("applied_at", String)
)
board_migrations = migrations.to_metadata(MetaData(), name="team_migrations")
"""The same of a database that holds only a board, among tables that may be another program's."""

days = Table(
    "ledger_days",
    metadata,
    Column("day", String, primary_key=True),
    Column("spent", BigInteger, nullable=False),  # picodollars, known
    Column("uncertain", BigInteger, nullable=False),  # picodollars that calls lost in a crash may have cost
)

leases = Table(
    "ledger_leases",
    metadata,
    Column("id", String, primary_key=True),
    Column("day", String, nullable=False),
    Column("held", BigInteger, nullable=False),  # picodollars taken out of the day, spent or not
)

usage = Table(
    "usage_days",
    metadata,
    Column("day", String, primary_key=True),
    Column("provider", String, primary_key=True),
    Column("model", String, primary_key=True),
    Column("tasks", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("cached", Integer, nullable=False),
    Column("unknown_cost", Integer, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cost", BigInteger, nullable=False),  # picodollars
    Column("saved", BigInteger, nullable=False),  # picodollars that cached answers had cost when first asked
    Column("busy_ms", BigInteger, nullable=False),  # time in calls, one after another
    Column("wall_ms", BigInteger, nullable=False),  # time the batches took
)

answers = Table(
    "answers",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("stored_at", Float, nullable=False),  # seconds since 1970
    Column("size", Integer, nullable=False),  # bytes
    Column("body", LargeBinary, nullable=False),  # versioned JSON
    Index("answers_by_age", "stored_at", "size"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("status", String, nullable=False),
    Column("created", Float, nullable=False),  # seconds since 1970
    Column("started", Float),
    Column("ended", Float),
    Column("ran_ms", BigInteger, nullable=False),  # over all lives of the daemon
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("successful", Integer, nullable=False),
    Column("title", String, nullable=False),
    Column("request", LargeBinary, nullable=False),  # JSON, as it was asked for
    Column("error", LargeBinary),  # JSON: why the whole job failed
    Column("whole", LargeBinary),  # JSON: numbers, comparison, report
    Index("jobs_by_age", "created"),
    Index("jobs_by_status", "status"),
)

job_items = Table(
    "job_items",
    metadata,
    Column("job", String, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("body", LargeBinary, nullable=False),  # JSON of the result
)

job_flights = Table(
    "job_flights",
    metadata,
    Column("job", String, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("flying", Boolean, nullable=False),
    Column("crashes", Integer, nullable=False),  # of the daemon, while this one was in flight
)

team_runs = Table(
    "team_runs",
    metadata,
    Column("run", _Name, primary_key=True),
    Column("opened", Float, nullable=False),  # seconds since 1970
    Column("ended", Float),
    Column("seq", BigInteger, nullable=False),  # of its last event
    Column("at", Float, nullable=False),  # of its last event
)

team_events = Table(
    "team_events",
    metadata,
    Column("run", String, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("at", Float, nullable=False),
    Column("actor", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("key", String),  # the caller's, of the first event of a change
    Column("request", LargeBinary),  # digest of what was asked under that key
    Column("value", String),  # kind and id of the document that the change was about
    Column("length", Integer),  # events of the change that begins here
    Column("body", LargeBinary, nullable=False),  # JSON: says, facts, after
    UniqueConstraint("run", "key", name="team_events_by_key"),
    Index("team_events_by_kind", "run", "kind", "seq"),
)

team_items = Table(
    "team_items",
    metadata,
    Column("run", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("id", _Name, primary_key=True),
    Column("open", Boolean, nullable=False),  # whether it still waits for something
    Column("seq", BigInteger, nullable=False),  # of the event that left it so
    Column("body", LargeBinary, nullable=False),  # JSON of the document
    Index("team_items_open", "run", "kind", "open", "id"),
    Index("team_items_by_age", "run", "kind", "seq"),
)
