"""Where a PostgreSQL database lies, and its failures in words. A password shows in neither."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from clawswarm.errors import ConfigError, StoreError

LOCK_TIMEOUT_S = 10
"""How long a transaction waits for another client's. Ours last some milliseconds."""

_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_SECRETS = ("password", "sslpassword")
_HOW = "write it as postgresql://USER@HOST:PORT/DATABASE; in a password, @ is %40, / is %2F and : is %3A"


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """The address of a database as it was configured."""

    url: URL

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read an address.

        Raises:
            ConfigError: it is none of a PostgreSQL database. The message does not repeat it.
        """
        try:
            url = make_url(text)
        except (ValueError, SQLAlchemyError):  # both repeat what may be a part of a password
            raise ConfigError("team.database is no address of a database", hint=_HOW) from None
        if url.drivername not in _SCHEMES:
            raise ConfigError("team.database is no address of a PostgreSQL database", hint=_HOW)
        if "@" in (url.host or ""):
            raise ConfigError("team.database has more than one @ in front of its host", hint=_HOW)
        if not url.database and "service" not in url.query:
            raise ConfigError("team.database names no database", hint=_HOW)
        return cls(url.set(drivername="postgresql+psycopg"))

    @property
    def database(self) -> str:
        return self.url.database or "of the service"

    @property
    def server(self) -> str:
        """The server's name, for people."""
        host = self.url.host or self._query("host") or "this machine"
        return f"{host}:{self.url.port}" if self.url.port else host

    def __str__(self) -> str:
        return f"the database {self.database} on {self.server}"

    def redact(self, text: str) -> str:
        """`text` without what nobody may read."""
        secrets = [str(self.url.password or ""), *(self._query(name) for name in _SECRETS)]
        quoted = [shape for each in secrets for shape in (quote(each, safe=""), quote_plus(each))]
        for shape in sorted(filter(None, {*secrets, *quoted}), key=len, reverse=True):
            text = text.replace(shape, "***")
        return text

    def _query(self, name: str) -> str:
        value = self.url.query.get(name, "")
        return value if isinstance(value, str) else ",".join(value)


@dataclass(frozen=True, slots=True)
class _Told:
    """What is said of a failure; {it}, {server}, {database} and {user} are filled in, {reason} too."""

    message: str
    hint: str
    locked: bool = False


_UNREACHED = _Told(
    "the PostgreSQL server on {server} cannot be reached: {reason}",
    "see that it runs, that it listens there, and that team.database names its host and port",
)
_FULL = _Told(
    "the PostgreSQL server on {server} takes no more connections",
    "nothing was changed: try again, close other clients of it, or raise its max_connections",
)
_AWAY = _Told(
    "the PostgreSQL server on {server} is not at work: {reason}",
    "try again when it is; a change that is asked for again under its key happens once",
)
_CROSSED = _Told(
    "another client's transaction was in the way in {it}: {reason}", "nothing was changed: try again", True
)

_OPENING: tuple[tuple[str, _Told], ...] = (
    (
        r"password authentication failed",
        _Told(
            "the PostgreSQL server on {server} did not accept the password of {user}",
            "put the right one into PGPASSWORD, ~/.pgpass or team.database",
        ),
    ),
    (
        r"no password supplied|password is required",
        _Told(
            "the PostgreSQL server on {server} asks for the password of {user}",
            "put it into PGPASSWORD, ~/.pgpass or team.database",
        ),
    ),
    (
        r"no pg_hba\.conf entry|pg_hba\.conf rejects|authentication failed|role .* does not exist",
        _Told(
            "the PostgreSQL server on {server} does not let {user} in: {reason}",
            "see the user in team.database, and that the server's pg_hba.conf lets this machine in",
        ),
    ),
    (
        r"database .* does not exist",
        _Told(
            "there is no database {database} on {server}",
            "make it (createdb {database}), or name another one in team.database",
        ),
    ),
    (r"too many (clients|connections)|connection slots are reserved", _FULL),
    (r"(starting up|shutting down|in recovery mode|not yet accepting)", _AWAY),
    (r"refused|resolve host|timeout expired|No such file|No route|unreachable|timed out", _UNREACHED),
    (
        r"server closed|closed unexpectedly|connection (is|was) (lost|closed|bad)|terminating connection",
        _Told(
            "the connection to {it} broke: {reason}",
            "see that the server runs; a change that is asked for again under its key happens once",
        ),
    ),
    (
        r"SSL|certificate",
        _Told(
            "there is no safe connection to the PostgreSQL server on {server}: {reason}",
            "see sslmode and sslrootcert in team.database",
        ),
    ),
)
"""By what is said: no code comes with a connection that cannot be opened. The first that fits counts."""

_BY_CODE: dict[str, _Told] = {
    "40001": _CROSSED,
    "40P01": _CROSSED,
    "55P03": _Told(
        f"{{it}} was locked by another client for {LOCK_TIMEOUT_S} seconds",
        "nothing was changed; find it with: SELECT pid, state, query FROM pg_stat_activity",
        True,
    ),
    "53300": _FULL,
    "57P01": _AWAY,
    "57P02": _AWAY,
    "57P03": _AWAY,
    "53100": _Told("{it} cannot be written: {reason}", "free some space on its server"),
    "25006": _Told(
        "{it} may only be read: {reason}", "name the primary server in team.database, not a standby"
    ),
    "42501": _Told(
        "{user} may not do that in {it}: {reason}",
        'as its owner: GRANT CREATE ON SCHEMA public TO "{user}", or let {user} own the database',
    ),
}

_BUSY = _Told("every connection of this process to {it} is in use", "nothing was changed: try again", True)
_OTHER = _Told("{it} failed: {reason}", "see the message, and the server's log")


@contextmanager
def postgres_errors(address: Address) -> Generator[None]:
    """Failures of the database as `StoreError`s that say what to do."""
    try:
        yield
    except SQLAlchemyError as error:
        raise as_store_error(address, error.orig if isinstance(error, DBAPIError) else error) from error


def as_store_error(address: Address, cause: object) -> StoreError:
    """What the driver or SQLAlchemy raised, in words."""
    text = address.redact(" ".join(str(cause).split()))
    code = getattr(cause, "sqlstate", None)
    if isinstance(cause, PoolTimeout):
        told = _BUSY
    elif code is None:
        told = next((told for pattern, told in _OPENING if re.search(pattern, text)), _OTHER)
    else:
        told = _BY_CODE.get(code, _OTHER)
    words = {
        "it": str(address),
        "server": address.server,
        "database": address.database,
        "user": address.url.username or "this user",
        "reason": text,
    }
    return StoreError(told.message.format(**words), hint=told.hint.format(**words), locked=told.locked)
