"""The board: one change is one transaction, which also appends to the journal.

Many processes may write at once; each change waits for its turn and decides on what it then finds. A change
under a caller's key happens once: whoever asks again gets what the first time came to.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Generic, TypeVar, cast

from pydantic_core import to_json
from sqlalchemy import Connection

from clawswarm.clock import Clock
from clawswarm.errors import InputError, NotFound
from clawswarm.store import board as rows
from clawswarm.store.database import Database
from clawswarm.team.documents import BY_KIND, Replayed, as_json, of_json
from clawswarm.team.draft import Draft
from clawswarm.types.board import Run
from clawswarm.types.journal import Event
from clawswarm.types.team import Document

D = TypeVar("D", bound=Document)

Decide = Callable[[Draft], D]
"""Reads the board, records what is to happen, and returns the document that it is about."""
Reaction = Callable[[Draft], None]
"""Records what follows from what the board says or from what a change has recorded."""

MOST_KEY = 200


@dataclass(frozen=True, slots=True)
class Done(Generic[D]):
    """What a change came to.

    Attributes:
        value: the document it is about, as the change left it.
        events: what the journal says of it; empty where there was nothing to change.
        again: it had happened before, under the same key.
    """

    value: D
    events: tuple[Event, ...]
    again: bool = False


class Stored:
    """The documents of one run in a transaction."""

    def __init__(self, connection: Connection, run: str) -> None:
        self._connection = connection
        self._run = run

    def get(self, kind: type[D], id_: str) -> D | None:
        body = rows.document(self._connection, self._run, kind.KIND, id_)
        return None if body is None else of_json(kind, body)

    def all(
        self,
        kind: type[D],
        *,
        open_only: bool = False,
        prefix: str = "",
        first: int | None = None,
        newest: int | None = None,
    ) -> list[D]:
        found = rows.documents(
            self._connection,
            self._run,
            (kind.KIND,),
            open_only=open_only,
            prefix=prefix,
            first=first,
            newest=newest,
        )
        return [of_json(kind, each.body) for each in found]

    def count(self, kind: type[Document], *, open_only: bool = False, prefix: str = "") -> int:
        return rows.count(self._connection, self._run, kind.KIND, open_only=open_only, prefix=prefix)


class Board:
    """The shared state of a team's runs. Methods block: call them from a thread.

    Args:
        settle: what is due by the time a change begins (rounds whose deadline has passed).
        react: what follows from a change (guards); run in order, after it.
    """

    def __init__(
        self,
        store: Database,
        clock: Clock,
        *,
        settle: Sequence[Reaction] = (),
        react: Sequence[Reaction] = (),
    ) -> None:
        self._store = store
        self._clock = clock
        self._settle = settle
        self._react = react

    def begin(
        self,
        run_id: str,
        decide: Callable[[Draft], Run],
        *,
        actor: str,
        key: str | None = None,
        request: Mapping[str, Any] | None = None,
    ) -> Done[Run]:
        """Open a run: `decide` records its first event. One run is open at a time.

        Raises:
            InputError: another run is open.
        """
        with self._store.write(durable=True) as connection:
            rows.one_at_a_time(connection)
            current = rows.open_run(connection)
            if current is not None:
                if key and (done := self._before(connection, current, key, _digest(key, request))):
                    return cast("Done[Run]", done)
                raise InputError(
                    f"the run {current!r} is open", hint="one run at a time: end it with `swarm team end`"
                )
            head = rows.begin_run(connection, run_id, self._now())
            draft = Draft(Stored(connection, run_id), head, actor=actor, now=head.at)
            run = decide(draft)
            asked = None if key is None else _digest(key, request)
            return self._write(connection, head, draft, run, key, asked)

    def change(
        self,
        decide: Decide[D],
        *,
        actor: str,
        run: str | None = None,
        key: str | None = None,
        request: Mapping[str, Any] | None = None,
        durable: bool = False,
        even_ended: bool = False,
    ) -> Done[D]:
        """Decide and write, with nobody in between.

        Args:
            run: None for the open one.
            key: the caller's name for this change; the same key again changes nothing.
            request: what was asked for, so that a key used for something else is told.
            durable: the change is on the disk at the end, and not only safe from a crash of the process.
            even_ended: what is noted of a run after its end; its rules are not asked any more.

        Raises:
            NotFound: there is no such run, or none is open.
            InputError: what was asked for is not allowed, or the key was used for something else.
            StoreError: the database cannot be used; nothing was changed.
        """
        asked = None if key is None else _digest(key, request)
        with self._store.write(durable=durable) as connection:
            head = self._head(connection, run, lock=True)
            if key is not None and (done := self._before(connection, head.run, key, asked)):
                return cast("Done[D]", done)
            live = head.ended is None
            if not live and not even_ended:
                raise InputError(f"the run {head.run!r} has ended", hint="open another: swarm team open GOAL")
            draft = Draft(Stored(connection, head.run), head, actor=actor, now=self._now())
            for reaction in self._settle if live else ():
                reaction(draft)
            value = decide(draft)
            for reaction in self._react if live else ():
                reaction(draft)
            return self._write(connection, head, draft, value, key, asked)

    @contextmanager
    def reading(self, run: str | None = None) -> Generator[tuple[rows.Head, Stored]]:
        """The documents of a run (None: the open one, else the newest) as they are at one moment.

        Raises:
            NotFound: there is no such run, or none yet.
        """
        with self._store.read() as connection:
            head = self._head(connection, run, or_newest=True)
            yield head, Stored(connection, head.run)

    def journal(
        self,
        run: str | None = None,
        *,
        after: int = 0,
        limit: int | None = None,
        kinds: Sequence[str] = (),
        newest: bool = False,
    ) -> list[Event]:
        """Events of a run in order; with `newest` the last `limit` of them."""
        with self._store.read() as connection:
            head = self._head(connection, run, or_newest=True)
            return rows.journal(connection, head.run, after=after, limit=limit, kinds=kinds, newest=newest)

    def runs(self, limit: int = 20) -> list[str]:
        """The runs, the newest first."""
        with self._store.read() as connection:
            return rows.runs(connection, limit)

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _head(
        self, connection: Connection, run: str | None, *, lock: bool = False, or_newest: bool = False
    ) -> rows.Head:
        wanted = run or rows.open_run(connection)
        if wanted is None and or_newest:
            wanted = next(iter(rows.runs(connection, 1)), None)
        if wanted is None:
            raise NotFound("no team run is open", hint='open one: swarm team open "what is to be done"')
        head = rows.head(connection, wanted, lock=lock)
        if head is None:
            raise NotFound(f"there is no run {wanted!r}", hint="see: swarm team log --runs")
        return head

    def _before(
        self, connection: Connection, run: str, key: str, asked: bytes | None
    ) -> Done[Document] | None:
        """What a change under this key came to, if it happened before."""
        before = rows.under_key(connection, run, key)
        if before is None:
            return None
        if before.request != asked:
            raise InputError(
                f"the key {key!r} was used for another change (event {before.events[0].seq})",
                hint="give each change a key of its own, and the same key only to a retry",
            )
        kind, id_ = BY_KIND[before.value[0]], before.value[1]
        value = Replayed(before.events).get(kind, id_) or Stored(connection, run).get(kind, id_)
        if value is None:
            raise NotFound(f"the {kind.KIND} {id_!r} of the key {key!r} is no longer on the board")
        return Done(value, tuple(before.events), again=True)

    def _write(
        self,
        connection: Connection,
        head: rows.Head,
        draft: Draft,
        value: D,
        key: str | None,
        asked: bytes | None,
    ) -> Done[D]:
        written = draft.written()
        if draft.events:
            left = [
                rows.Stored(kind, id_, document.open, to_json(as_json(document)))
                for (kind, id_), document in written.items()
                if document is not None
            ]
            gone = [place for place, document in written.items() if document is None]
            run = written.get((Run.KIND, head.run))
            rows.append(
                connection,
                head,
                draft.events,
                left,
                gone,
                ended=run.ended if isinstance(run, Run) else head.ended,
                key=key,
                request=asked,
                value=(value.KIND, value.id),
            )
        return Done(draft.get(type(value), value.id) or value, tuple(draft.events))


def _digest(key: str, request: Mapping[str, Any] | None) -> bytes:
    if not key or len(key) > MOST_KEY or not key.isprintable():
        raise InputError(f"a key has 1 to {MOST_KEY} printable characters", hint="such as a UUID")
    return sha256(to_json(request, fallback=str)).digest()
