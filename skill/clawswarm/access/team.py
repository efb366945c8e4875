"""A team's board for its users: names as people write them in, documents out, files brought up to date.

The board lies in a database that many processes may write to, so nobody needs the daemon for a change. What
takes time (retried alerts, deadlines that pass, a file written by hand) is the daemon's.
"""

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from secrets import token_hex

from clawswarm.access.team_changes import Changes
from clawswarm.access.team_meetings import TeamMeetings
from clawswarm.access.team_names import actor_of, one_of
from clawswarm.access.team_work import TeamWork
from clawswarm.clock import Clock, SystemClock
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.config.team import TeamRules
from clawswarm.store.connect import open_store
from clawswarm.store.database import Database
from clawswarm.store.postgres import open_postgres
from clawswarm.team import emergencies, messages, runs
from clawswarm.team.board import Board, Done
from clawswarm.team.draft import Draft, role_of
from clawswarm.team.overview import Overview, collect
from clawswarm.team.team import board_of
from clawswarm.types.alarms import Emergency
from clawswarm.types.board import Message, Run
from clawswarm.types.team import Channel, Level, MessageType, Phase, Priority, Role


class Team:
    """The board of one home. Methods block: call them from a thread.

    Attributes:
        work: reports, tasks, messages.
        meetings: votes, trust, findings, checkpoints.
    """

    def __init__(self, board: Board, settings: Settings, paths: Paths, clock: Clock) -> None:
        self.board = board
        self.publish = (change := Changes(board, paths)).publish
        self.work = TeamWork(change)
        self.meetings = TeamMeetings(change)
        self._change = change
        self._settings = settings
        self._clock = clock

    # The run

    def open(
        self, goal: str, *, by: str = "human", rules: TeamRules | None = None, key: str | None = None
    ) -> Done[Run]:
        """Open a run with these rules (None: those of the configuration); one is open at a time."""
        wanted = rules or self._settings.team.rules
        run_id = f"run-{self._clock.now():%Y%m%d-%H%M%S}-{token_hex(2)}"

        def opening(draft: Draft) -> Run:
            return runs.open_run(draft, run_id=run_id, goal=goal, rules=wanted, channels=self.channels)

        request = {"goal": goal, "rules": rules and rules.model_dump(mode="json")}
        done = self.board.begin(run_id, opening, actor=actor_of(by), key=key, request=request)
        self.publish()
        return done

    @property
    def channels(self) -> tuple[Channel, ...]:
        """How a human is told, as it is configured."""
        alerts = self._settings.team.alerts
        channels: list[Channel] = ["file"]
        if alerts.webhook is not None:
            channels.append("webhook")
        if alerts.desktop:
            channels.append("desktop")
        return tuple(channels)

    def pause(self, by: str, *, reason: str, key: str | None = None) -> Done[Run]:
        return self._change(by, key, runs.pause)(reason=reason)

    def resume(self, by: str, *, reason: str, key: str | None = None) -> Done[Run]:
        return self._change(by, key, runs.resume)(reason=reason)

    def end(self, by: str, *, reason: str, key: str | None = None) -> Done[Run]:
        return self._change(by, key, runs.end)(reason=reason)

    def abort(self, by: str, *, reason: str, key: str | None = None) -> Done[Run]:
        """Raise level 4 and end the run, in one change."""

        def abort(draft: Draft, *, reason: str) -> Run:
            emergencies.raise_emergency(draft, level=Level.ABORT, text=reason)
            return runs.end(draft, reason=reason)

        return self._change(by, key, abort)(reason=reason)

    def answer(
        self, by: str, *, text: str, emergency: str | None = None, key: str | None = None
    ) -> Done[Message]:
        """Tell the Director what the human says; it ends the emergency that asked for it, in one change."""

        def answer(draft: Draft, *, text: str, emergency: str | None) -> Message:
            if emergency is not None:
                emergencies.resolve(draft, emergency=emergency, reason=text)
            response = MessageType.RESPONSE
            return messages.send(draft, to=Role.DIRECTOR, type=response, priority=Priority.HIGH, content=text)

        return self._change(by, key, answer)(text=text, emergency=emergency)

    def move_phase(self, by: str, *, to: str, reason: str, key: str | None = None) -> Done[Run]:
        phase = one_of(Phase, to, "phase")
        return self._change(by, key, runs.move_phase)(to=phase, reason=reason)

    # Emergencies

    def raise_emergency(
        self,
        by: str,
        *,
        level: int,
        text: str,
        agent: str | None = None,
        human: str | None = None,
        key: str | None = None,
    ) -> Done[Emergency]:
        return self._change(by, key, emergencies.raise_emergency)(
            level=level, text=text, agent=None if agent is None else role_of(agent), human=human
        )

    def attempt(self, by: str, *, emergency: str, what: str, key: str | None = None) -> Done[Emergency]:
        return self._change(by, key, emergencies.attempt)(emergency=emergency, what=what)

    def failed(self, by: str, *, emergency: str, reason: str, key: str | None = None) -> Done[Emergency]:
        return self._change(by, key, emergencies.failed)(emergency=emergency, reason=reason)

    def resolve(self, by: str, *, emergency: str, reason: str, key: str | None = None) -> Done[Emergency]:
        return self._change(by, key, emergencies.resolve)(emergency=emergency, reason=reason)

    # What it is now

    def overview(self, run: str | None = None) -> Overview:
        """The open run, or the newest, as it is at this moment."""
        with self.board.reading(run) as (head, documents):
            return collect(documents, head.run, now=self._clock.now().timestamp())


@contextmanager
def open_team(settings: Settings, environ: Mapping[str, str], clock: Clock | None = None) -> Generator[Team]:
    """The board of this home: in the memory directory, or where `team.database` says.

    Raises:
        ConfigError: `team.database` is no address.
        StoreError: it cannot be opened.
    """
    paths, clock = Paths.of(environ), clock or SystemClock()
    with _database(settings, paths) as store:
        yield Team(board_of(store, clock), settings, paths, clock)


def _database(settings: Settings, paths: Paths) -> AbstractContextManager[Database]:
    address = settings.team.database
    return open_store(paths.database) if address is None else open_postgres(address)
