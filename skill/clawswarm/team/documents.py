"""Documents as JSON and back, and where they are read from: a database, or a journal replayed in memory."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Protocol, TypeVar, cast

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from clawswarm.types import alarms, board, meetings
from clawswarm.types.journal import Event
from clawswarm.types.team import Document

D = TypeVar("D", bound=Document)

KINDS: tuple[type[Document], ...] = (
    board.Run,
    board.Agent,
    board.Task,
    board.Message,
    board.Delivery,
    meetings.Proposal,
    board.TrustChange,
    board.Finding,
    meetings.Checkpoint,
    meetings.Snapshot,
    alarms.Emergency,
    alarms.Alert,
    board.Spend,
)
"""Everything that lies on a board."""

BY_KIND = {kind.KIND: kind for kind in KINDS}


def as_json(document: Document) -> dict[str, Any]:
    """A document as it is stored and journaled."""
    return cast("dict[str, Any]", to_jsonable_python(document))


def of_json(kind: type[D], body: bytes | str) -> D:
    """A document from its stored JSON."""
    return cast("D", _adapter(kind).validate_json(body))


def of_python(kind: type[D], body: dict[str, Any]) -> D:
    """A document from an event's image."""
    return cast("D", _adapter(kind).validate_python(body))


@cache
def _adapter(kind: type[Document]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


class Documents(Protocol):
    """What can be asked of a board."""

    def get(self, kind: type[D], id_: str) -> D | None: ...

    def all(
        self,
        kind: type[D],
        *,
        open_only: bool = False,
        prefix: str = "",
        first: int | None = None,
        newest: int | None = None,
    ) -> list[D]:
        """By id, the `first` that many; or the `newest` by when they changed, the oldest of them first."""
        ...

    def count(self, kind: type[Document], *, open_only: bool = False, prefix: str = "") -> int:
        """How many `all` would return, without reading them."""
        ...


class Replayed:
    """A board built from its journal alone."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._bodies: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
        for event in events:
            self.apply(event)

    def apply(self, event: Event) -> None:
        for image in event.after:
            if image.body is None:
                self._bodies.pop((image.kind, image.id), None)
            else:
                self._bodies[image.kind, image.id] = (event.seq, image.body)

    def get(self, kind: type[D], id_: str) -> D | None:
        found = self._bodies.get((kind.KIND, id_))
        return None if found is None else of_python(kind, found[1])

    def all(
        self,
        kind: type[D],
        *,
        open_only: bool = False,
        prefix: str = "",
        first: int | None = None,
        newest: int | None = None,
    ) -> list[D]:
        places = sorted(
            place for place in self._bodies if place[0] == kind.KIND and place[1].startswith(prefix)
        )
        found = [(self._bodies[place][0], of_python(kind, self._bodies[place][1])) for place in places]
        found = [(seq, document) for seq, document in found if document.open or not open_only]
        if newest is not None:
            found = sorted(found, key=lambda pair: (pair[0], pair[1].id))[-newest:] if newest else []
        return [document for _, document in found][:first]

    def count(self, kind: type[Document], *, open_only: bool = False, prefix: str = "") -> int:
        return len(self.all(kind, open_only=open_only, prefix=prefix))

    def bodies(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Every document, by kind and id."""
        return {place: body for place, (_, body) in self._bodies.items()}
