"""`swarm team agent`, `call`, `spend`: what agents report of themselves and of their calls."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, get_args

import typer

from clawswarm.access.team import Team
from clawswarm.cli.output import print_json, show, told
from clawswarm.cli.screen import one_line
from clawswarm.cli.team_acting import AsAgent, AsJson, Key, change, the_team, words
from clawswarm.cli.team_times import ago
from clawswarm.clock import SystemClock
from clawswarm.errors import InputError, NotFound
from clawswarm.team.board import Done
from clawswarm.team.draft import role_of
from clawswarm.team.moments import dated
from clawswarm.team.standing import directive, standing
from clawswarm.types.board import Agent, Delivery, Run, Task
from clawswarm.types.money import to_pico
from clawswarm.types.team import HUMAN, AgentStatus, Role

app = typer.Typer()

MOST_USD = 9_000_000

STATUSES: tuple[AgentStatus, ...] = get_args(AgentStatus)

AGENT = """Examples:

swarm team agent builder --status working --task "login page" --say "the form is there, the checks are next"

swarm team agent builder

swarm team agent builder --restart "three calls without progress" --as director"""

CALL = """Examples:

swarm team call builder pytest --with "-q tests/login" --changed

swarm team call builder pytest --with "-q tests/login" --error "3 failed" """


@app.command("agent", epilog=AGENT)
def agent_command(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="Which.")],
    status: Annotated[str | None, typer.Option(metavar="|".join(STATUSES), help="What it does.")] = None,
    task: Annotated[str | None, typer.Option(help="What it works on, in words.")] = None,
    sentence: Annotated[str | None, typer.Option("--say", help="Its report, in one sentence.")] = None,
    restart: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Give it a fresh start; the Director or a human does."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="ROLE", help="Who acts.", show_default="that agent; human for --restart"
        ),
    ] = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Report what an agent does; without options show it, and whether it is to go on, pause or stop."""
    reports = status is not None or task is not None or sentence is not None
    if not reports and restart is None:
        with told(as_json=as_json):
            _show(role_of(role), as_json=as_json)
        return

    def act(team: Team) -> Done[Agent]:
        if restart is None:
            return team.work.report(
                by or role,
                role=role,
                status=None if status is None else _status(status),
                task=None if task is None else words(task, "--task"),
                sentence=None if sentence is None else words(sentence, "--say"),
                key=key,
            )
        if reports:
            raise InputError("a fresh start is no report", hint="use --restart alone")
        return team.work.restart(by or HUMAN, role=role, reason=words(restart, "--restart"), key=key)

    change(act, by=by or (role if restart is None else HUMAN), as_json=as_json)


def _status(name: str) -> AgentStatus:
    for status in STATUSES:
        if status == name.strip().lower():
            return status
    raise InputError(f"there is no status {name[:40]!r}", hint=f"it is one of: {', '.join(STATUSES)}")


@app.command("call", epilog=CALL)
def call_command(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="Whose.")],
    tool: Annotated[str, typer.Argument(help="What was called.")],
    arguments: Annotated[
        str,
        typer.Option(
            "--with",
            metavar="TEXT",
            help="Its arguments, of which only a digest is kept; - reads stdin.",
            show_default=False,
        ),
    ] = "",
    changed: Annotated[bool, typer.Option("--changed", help="The work has come further by it.")] = False,
    error: Annotated[
        str | None, typer.Option(metavar="TEXT", help="It failed, with this error.", show_default=False)
    ] = None,
    duration_ms: Annotated[int | None, typer.Option(help="Milliseconds it took.", show_default=False)] = None,
    by: AsAgent = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Note a call that an agent made: by these the guards see who is stuck, or runs in a loop."""
    change(
        lambda team: team.work.note_call(
            by or role,
            role=role,
            tool=words(tool, "the tool"),
            arguments=words(arguments, "--with"),
            ok=error is None,
            error=words(error or "", "--error"),
            changed=changed,
            duration_ms=duration_ms,
            key=key,
        ),
        by=by or role,
        as_json=as_json,
    )


@app.command(
    "spend", epilog="Example:\n\nswarm team spend builder 0.02 --input-tokens 5000 --output-tokens 800"
)
def spend_command(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="Whose.")],
    usd: Annotated[str, typer.Argument(metavar="USD|unknown", help="What the call cost.")],
    input_tokens: Annotated[int, typer.Option(min=0, help="Tokens of the prompt.")] = 0,
    output_tokens: Annotated[int, typer.Option(min=0, help="Tokens of the answer.")] = 0,
    by: AsAgent = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Note what a call cost. Above the run's cap it is an emergency."""
    with told(as_json=as_json):
        cost = _pico(usd)
    change(
        lambda team: team.work.note_spend(
            by or role,
            role=role,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cost_pico=cost,
            key=key,
        ),
        by=by or role,
        as_json=as_json,
    )


def _pico(usd: str) -> int | None:
    if usd.strip().lower() == "unknown":
        return None
    try:
        amount = Decimal(usd.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal(-1)
    if not 0 <= amount <= MOST_USD:
        raise InputError(f"{one_line(usd)[:40]!r} is no amount of US$", hint="such as 0.02, or: unknown")
    return to_pico(amount)


def _show(role: Role, *, as_json: bool) -> None:
    """An agent at this moment, and what it is to do."""
    with the_team() as (team, _), team.board.reading() as (head, documents):
        agent, run = documents.get(Agent, role.value), documents.get(Run, head.run)
        if agent is None or run is None:
            raise NotFound(f"there is no {role.value} on the board", hint="see: swarm team status")
        do, why = directive(standing(documents, run), role)
        tasks = [task for task in documents.all(Task, open_only=True) if task.role is role]
        waiting = documents.count(Delivery, open_only=True, prefix=f"{role.value}/")
    if as_json:
        print_json({
            "agent": dated(agent),
            "directive": {"do": do, "why": why},
            "tasks": [dated(task) for task in tasks],
            "waiting_messages": waiting,
        })  # fmt: skip
        return
    rows = [
        ("Status", agent.status),
        ("Works on", one_line(agent.task) or "-"),
        ("Says", one_line(agent.sentence) or "-"),
        ("Trust", "carries none" if agent.trust is None else f"{agent.trust}/10"),
        ("Seen", "never" if agent.seen is None else f"{ago(SystemClock().now().timestamp() - agent.seen)}"),
        ("Tasks", ", ".join(f"{one_line(task.id)} ({task.status})" for task in tasks) or "-"),
        ("Inbox", f"{waiting} waiting" if waiting else "empty"),
        ("Is to", f"{do}: {one_line(why)}"),
    ]
    show(f"{role.value}", *(f"   {f'{name}:':<11}{value}" for name, value in rows))
