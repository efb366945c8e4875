"""The `swarm` command. Each command's module is loaded when it is called: start-up time is interface."""

import sys
from importlib import import_module
from typing import Any

from clawswarm.cli.mcp_process import serve_mcp
from clawswarm.cli.streams import INTERRUPTED, mend, nobody_reads
from clawswarm.version import __version__

COMMANDS = {
    "start": "Start the daemon: warm workers in the background.",
    "stop": "Stop the daemon.",
    "status": "Show what the daemon is doing.",
    "restart": "Stop the daemon, and start it anew.",
    "logs": "Show the last lines of the daemon's log.",
    "parallel": "Ask many prompts at once.",
    "research": "Research many subjects on the web.",
    "jobs": "Work that goes on by itself.",
    "bench": "Measure how fast prompts run side by side.",
    "demo": "See it work, without any key or model.",
    "savings": "What was spent, and what was saved.",
    "cache": "Answers that are kept.",
    "config": "Show the configuration, and where each value comes from.",
    "setup": "Choose a provider, test its key, write it down.",
    "diagnose": "What works here, what does not, and the fix.",
    "service": "Start the daemon at login, and after a crash.",
    "team": "A team of agents on one board.",
    "mcp": "Serve an MCP client, such as OpenClaw.",
    "openclaw": "Set up OpenClaw, which the team's agents may live in.",
}
"""Name of each command and its line in `swarm --help`; the module of the same name holds it."""


def main() -> None:
    """Entry point of the `swarm` command."""
    mend()
    if sys.argv[1:] in (["--version"], ["version"]):
        try:
            print(f"swarm {__version__}", flush=True)  # noqa: T201 - before anything heavy is imported
        except BrokenPipeError:
            sys.exit(nobody_reads())
        return
    if sys.argv[1:] == ["mcp"]:
        serve_mcp()  # a host waits for it: without the parser
    try:
        sys.exit(_group()(standalone_mode=True, prog_name="swarm"))
    except KeyboardInterrupt:  # while modules were still being loaded
        sys.exit(INTERRUPTED)


def _group() -> Any:
    import typer
    from typer.core import TyperGroup

    class Lazy(TyperGroup):
        """A group whose commands are imported when they are asked for."""

        def list_commands(self, ctx: Any) -> list[str]:
            return list(COMMANDS)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            if cmd_name not in COMMANDS:
                return None
            module = import_module(f"clawswarm.cli.{cmd_name}_command")
            command = typer.main.get_command(module.app)
            command.name = cmd_name
            command.short_help = COMMANDS[cmd_name]
            return command

    app = typer.Typer(
        cls=Lazy,
        help="Swarm: many prompts at once, on cheap or local models.\n\nTry: swarm demo",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def _top(  # pyright: ignore[reportUnusedFunction]
        version: bool = typer.Option(False, "--version", help="Print the version and leave."),
    ) -> None:
        if version:
            print(f"swarm {__version__}")  # noqa: T201
            raise typer.Exit

    return typer.main.get_command(app)


if __name__ == "__main__":
    main()
