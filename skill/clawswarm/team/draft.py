"""A change of the board while it is being decided: reads see what the change has written so far."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar, cast

from clawswarm.config.team import TeamRules
from clawswarm.errors import InputError, NotFound
from clawswarm.store.board import Head
from clawswarm.team.documents import Documents, as_json
from clawswarm.types.board import Agent, Run
from clawswarm.types.journal import Event, EventKind, Image
from clawswarm.types.team import Document, Role

D = TypeVar("D", bound=Document)


class Draft:
    """Events that belong together: all of them are written, or none.

    Attributes:
        actor: who asked for the change: a role, "human" or "system".
        now: the time of the change, never before the last event's.
        events: what was recorded so far.
    """

    def __init__(self, base: Documents, head: Head, *, actor: str, now: float) -> None:
        self._base = base
        self._head = head
        self._written: dict[tuple[str, str], Document | None] = {}
        self.actor = actor
        self.now = max(now, head.at)
        self.events: list[Event] = []

    @property
    def run(self) -> Run:
        return self.need(Run, self._head.run)

    @property
    def rules(self) -> TeamRules:
        return self.run.rules

    @property
    def next_seq(self) -> int:
        """The number of the event that is recorded next; what it makes is named after it."""
        return self._head.seq + len(self.events) + 1

    def get(self, kind: type[D], id_: str) -> D | None:
        place = (kind.KIND, id_)
        if place in self._written:
            return cast("D | None", self._written[place])
        return self._base.get(kind, id_)

    def need(self, kind: type[D], id_: str) -> D:
        """The document of that id.

        Raises:
            NotFound: there is none; the message names those that wait for something.
        """
        found = self.get(kind, id_)
        if found is None:
            there = ", ".join(document.id for document in self.all(kind, open_only=True)[:20])
            raise NotFound(
                f"there is no {kind.KIND} {id_!r} on the board",
                hint=f"open ones: {there}" if there else f"no {kind.KIND} is open",
            )
        return found

    def agent(self, role: Role) -> Agent:
        return self.need(Agent, role.value)

    def all(
        self,
        kind: type[D],
        *,
        open_only: bool = False,
        prefix: str = "",
        first: int | None = None,
        newest: int | None = None,
    ) -> list[D]:
        """As `Documents.all`, with what this change has written."""
        spare = len(self._written)  # so many of them may be gone
        there = self._base.all(
            kind,
            open_only=open_only,
            prefix=prefix,
            first=first and first + spare,
            newest=newest and newest + spare,
        )
        found = {document.id: document for document in there}
        for (of_kind, id_), document in self._written.items():
            if of_kind != kind.KIND or not id_.startswith(prefix):
                continue
            found.pop(id_, None)
            if document is not None and (document.open or not open_only):
                found[id_] = cast("D", document)
        if newest is not None:
            return list(found.values())[-newest:] if newest else []
        return [found[id_] for id_ in sorted(found)][:first]

    def count(self, kind: type[Document], *, open_only: bool = False, prefix: str = "") -> int:
        """As `Documents.count`, with what this change has written."""
        number = self._base.count(kind, open_only=open_only, prefix=prefix)
        for (of_kind, id_), document in self._written.items():
            if of_kind != kind.KIND or not id_.startswith(prefix):
                continue
            before = self._base.get(kind, id_)
            number -= before is not None and (before.open or not open_only)
            number += document is not None and (document.open or not open_only)
        return number

    def record(
        self,
        kind: EventKind,
        subject: str,
        says: str,
        *puts: Document,
        facts: dict[str, Any] | None = None,
        drops: Iterable[Document] = (),
        actor: str | None = None,
    ) -> Event:
        """Add an event with the documents that it leaves (`puts`) and takes away (`drops`).

        Args:
            says: what happened, in words.
            actor: who did it, where that is not who asked for the change.
        """
        images = [Image(document.KIND, document.id, as_json(document)) for document in puts]
        for document in drops:
            images.append(Image(document.KIND, document.id, None))
            self._written[document.KIND, document.id] = None
        for document in sorted(puts, key=lambda document: document.id):
            self._written.pop((document.KIND, document.id), None)  # the last to be written comes last
            self._written[document.KIND, document.id] = document
        event = Event(
            run=self._head.run,
            seq=self.next_seq,
            at=self.now,
            actor=actor or self.actor,
            kind=kind,
            subject=subject,
            says=says,
            facts=facts or {},
            after=tuple(images),
        )
        self.events.append(event)
        return event

    def seen(self, role: Role) -> Agent:
        """The agent, noted as alive at this moment; the caller records it with what it did."""
        return replace(self.agent(role), seen=self.now)

    def written(self) -> dict[tuple[str, str], Document | None]:
        """The last state of every document that was touched; None for one that is gone."""
        return dict(self._written)


def role_of(name: str) -> Role:
    """A role by its name, in any case.

    Raises:
        InputError: there is none of that name; the message names the seven.
    """
    try:
        return Role(name.strip().lower())
    except ValueError:
        raise InputError(
            f"there is no role {name[:40]!r}", hint=f"the roles: {', '.join(role.value for role in Role)}"
        ) from None
