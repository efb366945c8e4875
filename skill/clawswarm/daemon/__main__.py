"""`python -m clawswarm.daemon`: started by `swarm start`, which waits at the other end of a pipe."""

import argparse
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from pydantic_core import to_json

from clawswarm.access.presence import Presence
from clawswarm.config.choice import with_daemon
from clawswarm.config.load import load
from clawswarm.daemon.process import run_daemon
from clawswarm.errors import SwarmError


def main() -> int:
    """Exit status: 0 after an orderly end, else that of the error."""
    parser = argparse.ArgumentParser(prog="clawswarm.daemon")
    parser.add_argument("--port", type=int)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--ready-fd", type=int)
    given = parser.parse_args()

    def tell(document: dict[str, Any]) -> None:
        if given.ready_fd is not None:
            with suppress(BrokenPipeError):  # who started us has left; we are still wanted
                os.write(given.ready_fd, to_json(document) + b"\n")
            os.close(given.ready_fd)

    def ready(presence: Presence) -> None:
        tell({"ready": asdict(presence)})
        if given.ready_fd is None:
            print(f"🐝 Swarm daemon ready on port {presence.port}", file=sys.stderr, flush=True)  # noqa: T201

    try:
        loaded = load(os.environ)
        settings = with_daemon(loaded.settings, port=given.port, workers=given.workers)
        run_daemon(settings, loaded.settings, os.environ, ready)
    except SwarmError as error:
        tell({"error": {"code": error.code, "message": error.message, "hint": error.hint}})
        print(f"swarm: {error.message}", file=sys.stderr)  # noqa: T201
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)  # noqa: T201
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
