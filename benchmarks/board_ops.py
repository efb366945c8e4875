"""An operation on the team's board with 100 and with 10,000 events behind it, in SQLite, guards and all.

The floor is a bare sqlite3 transaction that writes the same rows: what the operation reads, checks and
decides comes on top. Boards take turns, an operation each, so that a noisy moment falls on both; each round
has new ones, as they grow.
"""

import itertools
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from pydantic_core import to_json

from benchmarks.report import Line, Row, command, ratios, say
from clawswarm.clock import SystemClock
from clawswarm.config.team import TeamRules
from clawswarm.store.connect import open_store
from clawswarm.team.agents import note_call
from clawswarm.team.board import Board
from clawswarm.team.draft import Draft
from clawswarm.team.messages import acknowledge, send
from clawswarm.team.runs import open_run
from clawswarm.team.team import board_of
from clawswarm.team.voting import decide, propose, vote
from clawswarm.types.journal import Event
from clawswarm.types.team import HUMAN, Document, MessageType, Role

BEHIND = (100, 10_000)
TIMES, WARM_UP = 30, 3
"""Operations of each kind a round, and those before that are not counted."""
TARGET = 5.0
"""Milliseconds."""
FLAT = 1.25
"""Time with many events behind it ÷ time with few, at most."""
AT_ONCE = 50
"""Operations of one change while the events behind are made."""

FLOOR = "bare sqlite3"
_EVENT = "INSERT INTO team_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ITEM = "INSERT OR REPLACE INTO team_items VALUES (?, ?, ?, ?, ?, ?)"
_HEAD = "UPDATE team_runs SET seq = ?, at = ? WHERE run = ?"

Do = Callable[[Draft], Document]


class Work:
    """What agents do all night, each time with another text."""

    def __init__(self) -> None:
        self._number = itertools.count()

    def message(self, draft: Draft) -> Document:
        content = f"Step {next(self._number)} is done: {'all as planned ' * 10}"
        return send(draft, to="director", type=MessageType.STATUS, content=content)

    def read(self, draft: Draft, message: str) -> Document:
        acknowledge(draft, role=Role.DIRECTOR, messages=[message])
        return acknowledge(draft, role=Role.SCRIBE, messages=[message])

    def ask(self, draft: Draft) -> Document:
        return propose(draft, topic=f"Question {next(self._number)}", options=("REST", "GraphQL"))

    def vote(self, draft: Draft, proposal: str) -> Document:
        return vote(draft, proposal=proposal, role=Role.BUILDER, option="REST", reason="It is simpler. " * 5)

    def end(self, draft: Draft, proposal: str) -> Document:
        return decide(draft, proposal=proposal, option="REST", reason="We go on")

    def call(self, draft: Draft) -> Document:
        arguments = f"src/part_{next(self._number)}.py"
        return note_call(draft, role=Role.BUILDER, tool="edit", arguments=arguments, ok=True, changed=True)


class Place:
    """A board with events behind it, and how long operations on it took."""

    def __init__(self, board: Board, behind: int) -> None:
        self.board = board
        self.work = Work()
        self.seconds: dict[str, list[float]] = {"message": [], "vote": [], "call": []}
        self.events: dict[str, list[tuple[Event, ...]]] = {name: [] for name in self.seconds}
        board.begin(
            "r1",
            lambda draft: open_run(draft, run_id="r1", goal="Build it", rules=TeamRules()),
            actor=HUMAN,
        )
        while board.journal(newest=True, limit=1)[0].seq < behind:
            left = behind - board.journal(newest=True, limit=1)[0].seq
            board.change(self._past(max(1, min(AT_ONCE, left // 8))), actor=HUMAN)

    def _past(self, times: int) -> Do:
        def do(draft: Draft) -> Document:
            for _ in range(times):
                self.work.read(draft, self.work.message(draft).id)
                self.work.call(draft)
                asked = self.work.ask(draft).id
                self.work.vote(draft, asked)
                self.work.end(draft, asked)
            return draft.run

        return do

    def once(self) -> None:
        """One operation of each kind, each timed; what it leaves open is closed off the clock."""
        sent = self._timed("message", self.work.message)
        self.board.change(lambda draft: self.work.read(draft, sent.id), actor=HUMAN)
        asked = self.board.change(self.work.ask, actor=Role.BUILDER).value
        self._timed("vote", lambda draft: self.work.vote(draft, asked.id))
        self.board.change(lambda draft: self.work.end(draft, asked.id), actor=HUMAN)
        self._timed("call", self.work.call)

    def _timed(self, name: str, do: Do) -> Document:
        began = time.perf_counter()
        done = self.board.change(do, actor=Role.BUILDER, key=f"{name} {time.perf_counter_ns()}")
        self.seconds[name].append(time.perf_counter() - began)
        self.events[name].append(done.events)
        return done.value

    def medians(self) -> dict[str, float]:
        """Milliseconds by kind."""
        return {name: statistics.median(taken[WARM_UP:]) * 1000 for name, taken in self.seconds.items()}


def measure(runs: int) -> Row:
    """Milliseconds an operation, one median a round."""
    rounds: dict[str, list[dict[str, float]]] = {}
    for number in range(1, runs + 1):
        say(f"round {number} of {runs}")
        for who, medians in _round().items():
            rounds.setdefault(who, []).append(medians)
    return Row("board_ops", "One operation on the board, in SQLite", tuple(_lines(rounds)))


def _round() -> dict[str, dict[str, float]]:
    with ExitStack() as stack:
        places: dict[int, Place] = {}
        for behind in BEHIND:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            store = stack.enter_context(open_store(folder / "swarm.db"))
            places[behind] = Place(board_of(store, SystemClock()), behind)
        for _ in range(WARM_UP + TIMES):
            for place in places.values():
                place.once()
        medians = {_named(behind): place.medians() for behind, place in places.items()}
        return medians | {FLOOR: _floor(places[BEHIND[-1]])}


def _lines(rounds: dict[str, list[dict[str, float]]]) -> list[Line]:
    few, many = (_named(behind) for behind in BEHIND)
    ratio = f"{BEHIND[1]:,} ÷ {BEHIND[0]:,} events"
    lines: list[Line] = []
    for name in rounds[FLOOR][0]:
        values = {who: tuple(each[name] for each in taken) for who, taken in rounds.items()}
        lines += [Line(who, f"{name}, ms", values[who], TARGET) for who in (few, many)]
        lines.append(Line(ratio, name, ratios(values[many], values[few]), FLAT))
        lines.append(Line(FLOOR, f"{name}, ms", values[FLOOR]))
    return lines


def _named(behind: int) -> str:
    return f"{behind:,} events behind"


def _floor(place: Place) -> dict[str, float]:
    """The rows of the changes of a round, written once more by nothing but sqlite3."""
    medians: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "swarm.db"
        with open_store(path):
            pass  # makes the tables
        bare = sqlite3.connect(path, isolation_level=None)
        bare.execute("PRAGMA synchronous = NORMAL")
        bare.execute("INSERT INTO team_runs VALUES ('r1', 0, NULL, 0, 0)")
        for name, changes in place.events.items():
            taken = [_bare(bare, events) for events in changes]
            medians[name] = statistics.median(taken[WARM_UP:]) * 1000
        bare.close()
    return medians


def _bare(bare: sqlite3.Connection, events: Sequence[Event]) -> float:
    began = time.perf_counter()
    bare.execute("BEGIN IMMEDIATE")
    for event in events:
        body = to_json({"says": event.says, "facts": event.facts, "after": event.after})
        head = (event.run, event.seq, event.at, event.actor, event.kind, event.subject)
        bare.execute(_EVENT, (*head, f"key {event.seq}", b"-" * 32, event.subject, len(events), body))
        for image in event.after:
            item = (event.run, image.kind, image.id, True, event.seq, to_json(image.body))
            bare.execute(_ITEM, item)
    bare.execute(_HEAD, (events[-1].seq, events[-1].at, events[-1].run))
    bare.execute("COMMIT")
    return time.perf_counter() - began


if __name__ == "__main__":
    command(measure)
