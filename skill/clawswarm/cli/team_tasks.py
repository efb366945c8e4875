"""`swarm team task`: the run's work, piece by piece."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from clawswarm.cli.output import print_json, show, told
from clawswarm.cli.screen import one_line
from clawswarm.cli.team_acting import As, AsJson, Key, Proof, change, the_team, words
from clawswarm.cli.team_layout import column, padded
from clawswarm.cli.team_plan import read_plan
from clawswarm.cli.team_screen import MARKS
from clawswarm.errors import InputError
from clawswarm.team.draft import role_of
from clawswarm.team.moments import dated
from clawswarm.team.tasks import NewTask, ready
from clawswarm.types.board import Task
from clawswarm.types.team import HUMAN

app = typer.Typer(
    no_args_is_help=True,
    help="The run's work, piece by piece. Done means shown: an agent's word is no evidence.",
    epilog="Example:\n\nswarm team task list",
)

TaskId = Annotated[str, typer.Argument(metavar="TASK", help="Its id, as in: swarm team task list")]
Why = Annotated[str, typer.Argument(metavar="REASON", help="Why.")]

ADD = """Examples:

swarm team task add login "Build the login page" --role builder --needs design --check "pytest tests/login"

swarm team task add --file plan.jsonl --as director"""


@app.command("add", epilog=ADD)
def add_command(
    task: Annotated[str | None, typer.Argument(help="A short id of your choice.", show_default=False)] = None,
    title: Annotated[str | None, typer.Argument(help="What is to be done.", show_default=False)] = None,
    role: Annotated[str | None, typer.Option(metavar="ROLE", help="Who does it.", show_default=False)] = None,
    needs: Annotated[
        list[str] | None, typer.Option(metavar="TASK", help="What has to be done first; again for more.")
    ] = None,
    check: Annotated[str, typer.Option(help="What shows that it is done.", show_default=False)] = "",
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="JSON Lines with id, title, role, needs and check; - is stdin."),
    ] = None,
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Add a task, or a whole plan from a file. A cycle or an unknown need is refused."""
    with told(as_json=as_json):
        new = _new(task, title, role, needs or [], check, file)
    change(lambda team: team.work.add_tasks(by, new=new, key=key), by=by, as_json=as_json)


@app.command("begin", epilog="Example:\n\nswarm team task begin login --as builder")
def begin_command(task: TaskId, by: As = HUMAN, key: Key = None, as_json: AsJson = False) -> None:
    """Begin a task. More than five attempts at one are an emergency."""
    change(lambda team: team.work.begin_task(by, task=task, key=key), by=by, as_json=as_json)


@app.command(
    "done",
    epilog='Example:\n\nswarm team task done login --as builder -e file:login.py -e "command:pytest -q=0"',
)
def done_command(
    task: TaskId,
    evidence: Proof = None,
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Finish a task with what shows it. Without evidence, or with a failed command, it counts as failed.

    Exit status: 0 it is done, 1 it counts as failed.
    """
    change(
        lambda team: team.work.finish_task(by, task=task, evidence=evidence or [], key=key),
        by=by,
        as_json=as_json,
        failed=lambda after: after.status == "failed",
    )


@app.command("fail", epilog='Example:\n\nswarm team task fail login "the API refuses the token" --as builder')
def fail_command(task: TaskId, reason: Why, by: As = HUMAN, key: Key = None, as_json: AsJson = False) -> None:
    """Say that a task failed, and why. It may be begun again."""
    text = partial(words, reason, "the reason")
    change(lambda team: team.work.fail_task(by, task=task, reason=text(), key=key), by=by, as_json=as_json)


@app.command("park", epilog='Example:\n\nswarm team task park login "waits for the design" --as director')
def park_command(task: TaskId, reason: Why, by: As = HUMAN, key: Key = None, as_json: AsJson = False) -> None:
    """Put a task aside: nobody works on it until it is begun again."""
    text = partial(words, reason, "the reason")
    change(lambda team: team.work.park_task(by, task=task, reason=text(), key=key), by=by, as_json=as_json)


@app.command(
    "reassign", epilog='Example:\n\nswarm team task reassign login refactorer "the builder is stuck"'
)
def reassign_command(
    task: TaskId,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="Who does it from now on.")],
    reason: Why,
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Give a task to another agent."""
    text = partial(words, reason, "the reason")
    change(
        lambda team: team.work.reassign(by, task=task, role=role, reason=text(), key=key),
        by=by,
        as_json=as_json,
    )


@app.command("list", epilog="Example:\n\nswarm team task list --role builder")
def list_command(
    role: Annotated[str | None, typer.Option(metavar="ROLE", help="Only this agent's.")] = None,
    ready_only: Annotated[bool, typer.Option("--ready", help="Only what can be begun now.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the tasks: what is done, what can be begun, what waits for what."""
    with told(as_json=as_json):
        whose = None if role is None else role_of(role)
        with the_team() as (team, _), team.board.reading() as (_, documents):
            tasks = documents.all(Task)
            begun = {task.id for task in ready(documents)}
        tasks = [
            task for task in tasks if whose in (None, task.role) and (task.id in begun or not ready_only)
        ]
        if as_json:
            print_json({"tasks": [dated(task) | {"ready": task.id in begun} for task in tasks]})
            return
        show(*(_rows(tasks, begun) or ["No tasks. Add one: swarm team task add ID TITLE --role ROLE"]))


def _rows(tasks: Sequence[Task], begun: set[str]) -> list[str]:
    names = [f"{MARKS[task.status]} {one_line(task.id)}" for task in tasks]
    states = [_state(task, task.id in begun) for task in tasks]
    widths = [column(names, 24), column(states, 30)]
    return [
        f"{padded(name, widths[0])}  {task.role:<10}  {padded(state, widths[1])}  {one_line(task.title)}"
        for name, state, task in zip(names, states, tasks, strict=True)
    ]


def _state(task: Task, can_begin: bool) -> str:
    if task.status == "pending":
        return "ready" if can_begin else "needs " + ", ".join(one_line(need) for need in task.needs)
    return task.status if task.attempts < 2 else f"{task.status} (attempt {task.attempts})"


def _new(
    task: str | None, title: str | None, role: str | None, needs: Sequence[str], check: str, file: Path | None
) -> Sequence[NewTask]:
    """The tasks that the command line names.

    Raises:
        InputError: something is missing or cannot be used.
    """
    if file is not None:
        if task is not None or title is not None or role is not None:
            raise InputError("a task was given both as arguments and with --file", hint="use one of the two")
        return read_plan(file)
    if task is None or title is None or role is None:
        raise InputError(
            "a task needs an id, a title and a --role",
            hint='such as: swarm team task add login "Build the login page" --role builder',
        )
    return [
        NewTask(
            id=words(task, "the id"),
            title=words(title, "the title"),
            role=role_of(role),
            needs=tuple(words(need, "--needs") for need in needs),
            check=words(check, "--check"),
        )
    ]
