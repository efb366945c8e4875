"""The MCP server in place of this process: it keeps number, streams and parent. Imports little."""

import os
import sys
from typing import NoReturn

COMMAND = ("-P", "-m", "clawswarm_mcp")
"""`-P` keeps the working directory off Python's path."""


def serve_mcp() -> NoReturn:
    """Become the server."""
    os.execv(sys.executable, [sys.executable, *COMMAND])  # noqa: S606 - our own module
