"""The preflight: the operations guide's checklist (section 8), run for real before a team is left alone."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

import anyio.to_thread

from clawswarm.clock import Clock
from clawswarm.config.keys import find_key
from clawswarm.config.model import Settings
from clawswarm.config.paths import Paths
from clawswarm.engine.checks import Check, Question, Report, answer
from clawswarm.engine.redact import Redactor
from clawswarm.errors import ConfigError
from clawswarm.providers.http import open_http
from clawswarm.providers.registry import Surroundings
from clawswarm.team import preflight_around as around_it
from clawswarm.team import preflight_board, preflight_places
from clawswarm.team.overview import Overview
from clawswarm.team.preflight_models import Models, director_service, director_variable

Ask = Callable[[], Awaitable[Check]]

MODEL_SECONDS = 45.0
GATEWAY_SECONDS = 30.0
CALL_SECONDS = 90.0
"""Seconds that a question may take. A model of twenty gigabytes may have to be loaded for the call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Who asks, and where; and what only the layers above can see.

    Attributes:
        system: as `sys.platform` names it.
        board: the run that is open or was last, None where there was none; called in a thread.
        daemon: whether one runs here.
        call: asks the local model something small; None where it may not be called.
    """

    settings: Settings
    environ: Mapping[str, str]
    system: str
    clock: Clock
    board: Callable[[], Overview | None]
    daemon: Ask
    call: Ask | None = None


async def go_through(situation: Situation) -> Report:
    """Look at everything, in the guide's order. Never raises for what is wrong: that is what is asked for."""
    settings, environ = situation.settings, situation.environ
    paths, clock, alerts = Paths.of(environ), situation.clock, settings.team.alerts
    async with open_http(environ) as http:
        surroundings = Surroundings(environ=environ, paths=paths, http=http, clock=clock)
        models = Models(settings, surroundings, situation.system)
        questions = [
            Question("ollama", models.workers, MODEL_SECONDS),
            _one("director", models.director, MODEL_SECONDS),
            _one("gateway", partial(around_it.gateway, environ), GATEWAY_SECONDS),
            _read("memory", partial(preflight_places.memory, paths)),
            Question("state", partial(_board, situation, paths)),
            _one("simple command", situation.call or _not_called, CALL_SECONDS),
            _read("disk", partial(preflight_places.disk, paths)),
            _read("leftovers", partial(preflight_places.leftovers, paths)),
            _one("awake", partial(around_it.awake, environ, situation.system)),
            _read("alerts", partial(around_it.alerts, alerts, environ, paths)),
            _one("daemon", situation.daemon),
        ]
        return Report(await answer(questions, Redactor(_secrets(settings, environ, paths))))


async def _board(situation: Situation, paths: Paths) -> list[Check]:
    """The run, and the agents in it."""
    team, overview = situation.settings.team, None
    if team.database is not None or paths.database.exists():  # to look must not make one
        overview = await anyio.to_thread.run_sync(situation.board, abandon_on_cancel=True)
    state = preflight_board.state(overview, paths, situation.clock.now())
    return [state, preflight_board.agents(overview, team.rules)]


async def _not_called() -> Check:
    return Check(
        name="simple command",
        status="unknown",
        seen="not tried: nothing was asked of a model",
        fix="swarm team preflight --call asks the local model one short question",
        details={"called": False},
    )


def _secrets(settings: Settings, environ: Mapping[str, str], paths: Paths) -> list[str]:
    try:
        variable = director_variable(director_service(settings))
        key = find_key("anthropic", variable, environ, paths.keys)
    except ConfigError:
        return []
    return [] if key is None else [key.value]


def _one(name: str, ask: Ask, seconds: float = 15.0) -> Question:
    async def asked() -> list[Check]:
        return [await ask()]

    return Question(name, asked, seconds)


def _read(name: str, check: Callable[[], Check]) -> Question:
    """A check of the file system, in a thread: a network drive may hang."""

    async def asked() -> list[Check]:
        return [await anyio.to_thread.run_sync(check, abandon_on_cancel=True)]

    return Question(name, asked)
