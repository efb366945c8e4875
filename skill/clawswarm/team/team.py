"""The board with its rules switched on: what is due is settled first, and what follows is raised at once."""

from clawswarm.clock import Clock
from clawswarm.store.database import Database
from clawswarm.team import guards, trusting, voting
from clawswarm.team.board import Board


def board_of(store: Database, clock: Clock) -> Board:
    """The board in `store`, with rounds that close on time and guards that watch every change."""
    return Board(store, clock, settle=(voting.close_due,), react=(trusting.alarm, *guards.REACTIONS))
