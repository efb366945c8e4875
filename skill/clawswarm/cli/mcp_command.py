"""`swarm mcp`: the MCP server on standard input and output."""

import typer

from clawswarm.cli.mcp_process import serve_mcp

app = typer.Typer(add_completion=False)

EXAMPLES = """Example: what OpenClaw is told once

openclaw mcp add swarm --command "$(command -v swarm)" --arg mcp --parallel

Any other client takes the command and the argument of: swarm mcp"""


@app.command("mcp", epilog=EXAMPLES)
def mcp_command() -> None:
    """Serve an MCP client on standard input and output, until it leaves.

    It uses the daemon when one runs. Keys may come from their files: the environment needs none.
    """
    serve_mcp()
