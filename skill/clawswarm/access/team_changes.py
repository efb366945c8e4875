"""A change of the board in somebody's name, with the files brought up to date after it."""

import logging
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from clawswarm.access.team_names import actor_of
from clawswarm.config.paths import Paths
from clawswarm.errors import StoreError
from clawswarm.team import checkpoints, emergencies, voting
from clawswarm.team.board import Board, Done
from clawswarm.team.draft import Draft
from clawswarm.team.publish import publish
from clawswarm.types.team import Document

D = TypeVar("D", bound=Document)
P = ParamSpec("P")

DURABLE = frozenset({emergencies.raise_emergency.__name__, checkpoints.take.__name__, voting.decide.__name__})
"""What has to outlive a power cut, at the price of a write to the disk."""

_log = logging.getLogger(__name__)


class Changes:
    """Makes operations into changes: `changes("builder", key, send)(to="ALL", …)`.

    Every change is made in somebody's name (a role, or "human") and may carry the caller's key: the same key
    again changes nothing and returns the same document.
    """

    def __init__(self, board: Board, paths: Paths) -> None:
        self.board = board
        self._paths = paths

    def __call__(
        self, by: str, key: str | None, operation: Callable[Concatenate[Draft, P], D]
    ) -> Callable[P, Done[D]]:
        """`operation` with everything but its arguments.

        Raises: InputError (not allowed; the hint says what is), NotFound, StoreError.
        """
        actor = actor_of(by)

        def change(*args: P.args, **kwargs: P.kwargs) -> Done[D]:
            done = self.board.change(
                lambda draft: operation(draft, *args, **kwargs),
                actor=actor,
                key=key,
                request={"operation": operation.__name__, "by": actor, **kwargs},
                durable=operation.__name__ in DURABLE,
            )
            self.publish()
            return done

        return change

    def publish(self) -> None:
        """Bring the files in the memory directory up to date. The board has what they lack."""
        try:
            publish(self.board, self._paths)
        except StoreError as error:
            _log.warning("the board is changed, its files are not up to date: %s", error.message)
