"""A real PostgreSQL for tests: one server a test process, and a database of its own for each that asks.

The server is Debian's package or whatever lies on the PATH. It runs in a folder of its own, on a free port of
loopback, as a user without rights, and ends with this process, however that ends.
"""

import atexit
import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
import pytest

_DEBIAN = Path("/usr/lib/postgresql")
_USERS = ("postgres", "nobody")
"""Who runs the server where the tests run as root: it refuses to."""

_TRIES = 3
"""At a port that was free a moment ago."""

_LIFE = """
bin=$1 folder=$2; shift 2
if ! "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -o "$*" -w -t 60 start >/dev/null; then
    cat "$folder/log"
    exit 1
fi
echo ready
read -r _
"$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null
rm -rf "$folder"
"""
"""The server's life: until its standard input is closed, by us or by the end of this process."""


@dataclass(frozen=True)
class Server:
    """A server with a superuser and a password."""

    version: int
    port: int
    password: str
    life: subprocess.Popen[str]

    def url(self, database: str, *, user: str = "postgres", password: str | None = None) -> str:
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Execute a statement outside of any transaction; its rows, if it has any."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(cast("LiteralString", statement))
            return cursor.fetchall() if cursor.description else []

    def cut(self, database: str) -> None:
        """End every connection to a database, as a server does that is shut down."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database]
            )


def server() -> Server:
    """The server of this process, started when it is first asked for; skips where there is none."""
    folder = binaries()
    if folder is None:
        pytest.skip("PostgreSQL is missing (initdb, pg_ctl): apt-get install postgresql")
    return _started(folder)


@contextmanager
def database() -> Generator[str]:
    """The address of a new, empty database, which is gone at the end."""
    here = server()
    name = f"t{secrets.token_hex(6)}"
    here.run(f'CREATE DATABASE "{name}"')
    try:
        yield here.url(name)
    finally:
        here.run(f'DROP DATABASE "{name}" WITH (FORCE)')


def binaries() -> Path | None:
    """Where the newest server's programs lie."""
    found = [each.parent for each in _DEBIAN.glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda each: float(each.parent.name))
    on_path = shutil.which("initdb")
    if on_path is None:
        return None
    here = Path(on_path).resolve().parent
    return here if (here / "pg_ctl").exists() else None


@cache
def _started(programs: Path) -> Server:
    for _ in range(_TRIES - 1):
        if (started := _start(programs)) is not None:
            return started
    started = _start(programs)
    assert started is not None, "the server does not start"
    return started


def _start(programs: Path) -> Server | None:
    """Make a cluster and start it; None when the port was taken meanwhile."""
    folder = Path(tempfile.mkdtemp(prefix="swarm-pg-"))  # short: a socket's path has some 100 characters
    password = secrets.token_hex(12)
    secret = folder / "password"
    secret.write_text(password, encoding="ascii")
    user = _unprivileged()
    if user is not None:
        for path in (folder, secret):
            os.chown(path, user.pw_uid, user.pw_gid)
    who: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    clean = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(folder)}
    version = _version(programs)
    settings = {
        "-D": folder / "data",
        "-U": "postgres",
        "--pwfile": folder / "password",
        "-A": "scram-sha-256",
    }
    # It sorts as a dictionary does, so that what has to sort by its characters has to say so.
    sorting = ["--locale-provider=icu", "--icu-locale=en-US"] if version >= 15 else []
    subprocess.run(
        [
            *(programs / "initdb", "--no-sync", "--encoding=UTF8", *sorting),
            *(part for setting in settings.items() for part in setting),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
        env=clean,
        **who,
    )
    port = _free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    life = subprocess.Popen(
        ["/bin/sh", "-c", _LIFE, "server", programs, folder, options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env=clean,
        start_new_session=True,  # a Ctrl-C is for the tests: they end first
        **who,
    )
    assert life.stdout is not None
    said = life.stdout.readline()
    if said == "ready\n":
        atexit.register(life.communicate)
        return Server(version, port, password, life)
    log = said + life.communicate()[0]
    shutil.rmtree(folder)
    if "Address already in use" in log:
        return None
    raise AssertionError(f"the server does not start: {log}")


def _version(programs: Path) -> int:
    told = subprocess.run([programs / "initdb", "--version"], capture_output=True, text=True, check=True)
    version = re.search(r"\d+", told.stdout)
    assert version is not None
    return int(version[0])


def _unprivileged() -> pwd.struct_passwd | None:
    """Who is to run the server; None for whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    known = {each.pw_name: each for each in pwd.getpwall()}
    return next(known[name] for name in _USERS if name in known)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
