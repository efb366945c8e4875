"""What the commands of `swarm team` share: who acts, one change, and what it came to."""

import logging
import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import typer

from clawswarm.access.team import Team, open_team
from clawswarm.cli.arguments import as_text
from clawswarm.cli.options import load_settings
from clawswarm.cli.output import print_json, say, show, told, warn
from clawswarm.cli.screen import one_line
from clawswarm.cli.team_alerting import called, in_words
from clawswarm.cli.team_log_lines import event_json
from clawswarm.config.model import Settings
from clawswarm.errors import InputError
from clawswarm.team.board import Done
from clawswarm.team.moments import dated
from clawswarm.team.standing import directive, standing
from clawswarm.types.board import Run
from clawswarm.types.journal import EventKind
from clawswarm.types.team import HUMAN, SYSTEM, Directive, Document, Role

D = TypeVar("D", bound=Document)

As = Annotated[str, typer.Option("--as", metavar="ROLE", help="Who acts: a role, or human.")]
AsAgent = Annotated[
    str | None,
    typer.Option("--as", metavar="ROLE", help="Who acts: a role, or human.", show_default="that agent"),
]
Key = Annotated[
    str | None, typer.Option(help="Your name for this change: with the same one again it happens once.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why.", show_default=False)]
Proof = Annotated[
    list[str] | None,
    typer.Option("--evidence", "-e", metavar="KIND:WHAT", help="file:… command:…=CODE url:… commit:… text:…"),
]

_MADE: frozenset[EventKind] = frozenset(
    {
        "run_opened",
        "message_sent",
        "proposal_opened",
        "finding_made",
        "checkpoint_taken",
        "emergency_raised",
        "alert_made",
    }
)
"""Events that make something which has an id of its own."""

MOST_STDIN = 4_000_000
"""Bytes of standard input that are read for one text: more than any text on the board may have."""


class _Said(logging.Handler):
    """What goes wrong beside a change, such as a file that cannot be written, is a warning to the user."""

    def emit(self, record: logging.LogRecord) -> None:
        warn([one_line(record.getMessage())])


@contextmanager
def the_team(*, silent: bool = False) -> Generator[tuple[Team, Settings]]:
    """The board of this home.

    Args:
        silent: warnings would be written over a screen, and are left out.

    Raises:
        SwarmError: the configuration or the board cannot be used.
    """
    settings = load_settings()
    logger = logging.getLogger("clawswarm")
    handler = logging.NullHandler() if silent else _Said(logging.WARNING)
    logger.addHandler(handler)
    try:
        with open_team(settings, os.environ) as team:
            yield team, settings
    finally:
        logger.removeHandler(handler)


def change(
    make: Callable[[Team], Done[D]],
    *,
    by: str,
    as_json: bool,
    tell: Callable[[D], Sequence[str]] | None = None,
    failed: Callable[[D], bool] | None = None,
) -> None:
    """Make one change, and say what it came to: what the journal now says of it, and what `by` is to do next.

    Args:
        tell: further lines about the document, for people.
        failed: whether what was asked for has come to nothing; the exit status is 1 then.
    """
    with told(as_json=as_json):
        with the_team() as (team, settings):
            done = make(team)
            to_do = what_next(team, by)
            if not as_json:
                _tell(done, to_do, by, tell)
            alerts = called(team, settings, () if done.again else done.events)
        if as_json:
            print_json(came_to(done, to_do) | {"alerts": [dated(alert) for alert in alerts]})
        say(*(line for alert in alerts for line in in_words(alert)))
    if failed is not None and failed(done.value):
        raise typer.Exit(1)


def _tell(
    done: Done[D], to_do: tuple[Directive, str] | None, by: str, tell: Callable[[D], Sequence[str]] | None
) -> None:
    show(*_lines(done), *(tell(done.value) if tell else ()))
    if done.again:
        say("swarm: this had happened before, under the same key: nothing was changed")
    if to_do is not None and to_do[0] != "continue":
        say(f"swarm: {by} is to {to_do[0]}: {one_line(to_do[1])}")


def came_to(done: Done[D], to_do: tuple[Directive, str] | None) -> dict[str, Any]:
    """A change as data. `directive` is what the one who made it is to do next; null for a human."""
    return {
        "kind": done.value.KIND,
        "id": done.value.id,
        "again": done.again,
        "document": dated(done.value),
        "events": [event_json(event) for event in done.events],
        "directive": None if to_do is None else {"do": to_do[0], "why": to_do[1]},
    }


def what_next(team: Team, by: str) -> tuple[Directive, str] | None:
    """Whether the agent goes on, pauses or stops, and why; None for a human."""
    if by.strip().lower() == HUMAN:
        return None
    with team.board.reading() as (head, documents):
        run = documents.get(Run, head.run)
        return None if run is None else directive(standing(documents, run), Role(by.strip().lower()))


def _lines(done: Done[D]) -> list[str]:
    """What the journal says of it; what was made has its id in front."""
    if not done.events:
        return ["there was nothing to change"]
    return [
        f"{event.subject}  {one_line(event.says)}" if event.kind in _MADE else one_line(event.says)
        for event in done.events
        if (event.kind, event.actor)
        != ("message_sent", SYSTEM)  # it repeats to the Director what stands above
    ]


def words(argument: str, name: str) -> str:
    """An argument as text; `-` stands for standard input.

    Raises:
        InputError: it is no UTF-8, or standard input is a terminal or far too large.
    """
    if argument != "-":
        return as_text(argument, name)
    if sys.stdin.isatty():
        raise InputError(
            f"{name} is to come from standard input, which is this terminal", hint="pipe it in: … | swarm"
        )
    data = sys.stdin.buffer.read(MOST_STDIN + 1)
    if len(data) > MOST_STDIN:
        raise InputError(
            f"{name} is larger than {MOST_STDIN // 1_000_000} MB", hint="put it into a file, and name that"
        )
    try:
        return data.decode("utf-8-sig").rstrip("\n")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not UTF-8 (byte {error.start + 1})", hint="convert it: iconv -f latin1 -t utf-8"
        ) from None


def pairs(given: Sequence[str], option: str, example: str) -> dict[str, str]:
    """`NAME=TEXT` options by name.

    Raises:
        InputError: one has no name, or a name is there twice.
    """
    found: dict[str, str] = {}
    for each in given:
        name, equals, text = as_text(each, option).partition("=")
        name = name.strip().lower()
        if not equals or not name:
            raise InputError(
                f"{option} {one_line(each)[:60]!r} has no name", hint=f"such as {option} {example}"
            )
        if name in found:
            raise InputError(f"{option} names {name[:40]!r} twice", hint="once each")
        found[name] = text
    return found
