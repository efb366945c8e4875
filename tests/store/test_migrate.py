"""Every database that a release has left behind is brought up to date, all of it or not at all."""

import shutil
import signal
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect

from clawswarm.errors import StoreError
from clawswarm.store import migrate, tables
from clawswarm.store.answers import Answers
from clawswarm.store.connect import open_store
from clawswarm.store.ledger import DayTotal, Ledger
from tests.store.children import opener
from tests.store.record import BODY, DAY, KEY, LINE

FIXTURES = Path(__file__).with_name("fixtures")
RECORDED = sorted(FIXTURES.glob("*.db"))


def applied(path: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, applied_at FROM migrations").fetchall()
    connection.close()
    return rows


def schema(path: Path) -> Iterable[str]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        found = [sql for (sql,) in rows]
    connection.close()
    return found


def m999_notes(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE notes (x)")


def m999_breaks_down(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE half (x)")
    connection.exec_driver_sql("INSERT INTO half VALUES (1)")
    connection.exec_driver_sql("CREATE TABLE half (x)")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "swarm.db"


def test_a_fresh_database_has_every_table_and_every_migration(path: Path) -> None:
    with open_store(path) as store, store.read() as connection:
        assert set(inspect(connection).get_table_names()) == set(tables.metadata.tables)
    assert [name for name, _ in applied(path)] == [each.__name__ for each in migrate.MIGRATIONS]


def test_the_schema_that_migrations_make_is_the_one_that_the_code_works_with(path: Path) -> None:
    with open_store(path) as store, store.read() as connection:
        found = inspect(connection)
        for name, table in tables.metadata.tables.items():
            columns = {column["name"]: str(column["type"]) for column in found.get_columns(name)}
            assert columns == {column.name: str(column.type.compile()) for column in table.columns}
            indexes = {index["name"] for index in found.get_indexes(name)}
            assert indexes == {index.name for index in table.indexes}


def test_opening_again_applies_nothing_again(path: Path) -> None:
    with open_store(path):
        pass
    before = applied(path)
    for _ in range(3):
        with open_store(path):
            pass
    assert applied(path) == before


def test_there_is_a_recorded_database_of_every_release() -> None:
    assert [path.stem for path in RECORDED] == ["first_release"]


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda each: each.stem)
def test_a_recorded_database_is_brought_up_to_date_and_keeps_what_is_in_it(
    recorded: Path, path: Path, tmp_path: Path
) -> None:
    shutil.copy(recorded, path)
    with open_store(path) as store:
        ledger = Ledger(store)
        assert ledger.total(DAY) == DayTotal(spent=600, uncertain=50, held=0)
        assert list(ledger.usage("2000-01-01")) == [((DAY, "gemini", "gemini-3.5-flash-lite"), LINE)]
        assert Answers(store).get([KEY], since=0) == {KEY: BODY}
    with open_store(tmp_path / "fresh.db"):
        pass
    assert schema(path) == schema(tmp_path / "fresh.db")


def test_a_new_migration_is_applied_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(path):
        pass
    monkeypatch.setattr(migrate, "MIGRATIONS", (*migrate.MIGRATIONS, m999_notes))
    for _ in range(2):
        with open_store(path):
            pass
    assert [name for name, _ in applied(path)].count("m999_notes") == 1


def test_the_database_of_a_newer_swarm_is_refused_and_left_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(migrate, "MIGRATIONS", (*migrate.MIGRATIONS, m999_notes))
        with open_store(path):
            pass
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"newer Swarm.*m999_notes") as told, open_store(path):
        pass
    assert "update Swarm" in (told.value.hint or "")
    assert path.read_bytes() == before


def test_a_migration_that_fails_leaves_nothing_half(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(path):
        pass
    before = list(schema(path)), applied(path)
    with monkeypatch.context() as broken:
        broken.setattr(migrate, "MIGRATIONS", (*migrate.MIGRATIONS, m999_notes, m999_breaks_down))
        with pytest.raises(StoreError, match="already exists"), open_store(path):
            pass
    assert (list(schema(path)), applied(path)) == before
    with open_store(path):
        pass


@pytest.mark.parametrize("fresh", [True, False])
def test_a_crash_in_the_middle_of_a_migration_leaves_nothing_half(path: Path, fresh: bool) -> None:
    if not fresh:
        with open_store(path):
            pass
    with opener(path, "crash") as child:
        child.communicate("go\n")
    assert child.returncode == -signal.SIGKILL
    with open_store(path) as store, store.read() as connection:
        assert set(inspect(connection).get_table_names()) == set(tables.metadata.tables)
    assert [name for name, _ in applied(path)] == [each.__name__ for each in migrate.MIGRATIONS]


def test_processes_that_open_a_new_database_at_once_migrate_it_once(tmp_path: Path) -> None:
    children = [opener(tmp_path / "db" / "swarm.db") for _ in range(4)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        with child:
            assert child.communicate()[0] == "open\n"
    assert len(applied(tmp_path / "db" / "swarm.db")) == len(migrate.MIGRATIONS)
