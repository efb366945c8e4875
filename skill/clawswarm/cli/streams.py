"""Standard streams as a shell may leave them: closed, or with nobody at the other end. Imports little."""

import os
import signal
import sys
from typing import IO

INTERRUPTED = 128 + signal.SIGINT
"""Exit status of a command that Ctrl-C ended."""


def mend() -> None:
    """Give closed streams somewhere to go, so that nothing else has to think of them.

    In order, so that no socket or database gets the number of a standard stream.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - stays open to the end


def divert(stream: IO[str]) -> None:
    """Send what is still to be written to nowhere: the interpreter would fail on it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def nobody_reads() -> int:
    """Whoever read our output has left (`swarm … | head`): nothing is wrong, and nobody is left to tell.

    Returns:
        The exit status of a command that such a pipe ends.
    """
    divert(sys.stdout)
    return 128 + signal.SIGPIPE
