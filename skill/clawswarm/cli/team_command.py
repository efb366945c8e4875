"""`swarm team`: seven agents, one board. The module of each command is loaded when it is called."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

PARTS = {
    "preflight": ("team_preflight", "The checklist before a night; whatever fails names its fix."),
    "open": ("team_run", "Open a run."),
    "status": ("team_status", "How the run stands."),
    "watch": ("team_watch", "The same, live."),
    "log": ("team_log", "The journal: everything that happened."),
    "task": ("team_tasks", "The run's work, piece by piece."),
    "agent": ("team_agents", "Report what an agent does, or show it."),
    "call": ("team_agents", "Note a call that an agent made, for the guards."),
    "spend": ("team_agents", "Note what a call cost."),
    "message": ("team_messages", "Write to an agent, or to ALL."),
    "inbox": ("team_messages", "What an agent has not acknowledged yet."),
    "propose": ("team_votes", "Put a question to the vote."),
    "vote": ("team_votes", "Vote, or show how a vote stands."),
    "decide": ("team_votes", "Decide as the Director, or as a human."),
    "finding": ("team_trust", "Record what a review found."),
    "trust": ("team_trust", "Change how far an agent is trusted, or show why."),
    "checkpoint": ("team_checkpoints", "Write down how it stands, with the whole board."),
    "checkpoints": ("team_checkpoints", "List the checkpoints."),
    "restore": ("team_checkpoints", "Put the board back to a checkpoint."),
    "emergency": ("team_alarms", "Raise the alarm."),
    "attempt": ("team_alarms", "Try to end an emergency, or say that it failed."),
    "resolve": ("team_alarms", "End an emergency."),
    "phase": ("team_run", "Move the run to another phase."),
    "pause": ("team_run", "Let all agents pause."),
    "resume": ("team_run", "Let them go on."),
    "end": ("team_run", "End the run."),
}
"""Commands in the order of a night: the module of each, and its line in `swarm team --help`."""

GROUPS = frozenset({"task"})
"""Those that are groups themselves."""


class Parts(TyperGroup):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(PARTS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in PARTS:
            return None
        module, line = PARTS[cmd_name]
        group: Any = typer.main.get_group(import_module(f"clawswarm.cli.{module}").app)
        command = group if cmd_name in GROUPS else group.commands[cmd_name]
        command.name, command.short_help = cmd_name, line
        return command


app = typer.Typer(
    cls=Parts,
    add_completion=False,
    no_args_is_help=True,
    epilog='Example:\n\nswarm team open "Add a login page"',
)


@app.callback()
def _team() -> None:  # pyright: ignore[reportUnusedFunction] - what it says is the help
    """A team of agents on one board: tasks, messages, votes, trust, checkpoints, alarms."""
