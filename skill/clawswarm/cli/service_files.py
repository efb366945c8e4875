"""The texts that make the daemon a service: a systemd user unit, a launchd agent. Pure.

Neither holds a key: files like these are backed up, shown and shared. Keys come from their own files.
"""

import plistlib
from collections.abc import Mapping, Sequence

from clawswarm.errors import InputError

MARK = "Written by: swarm service install"
"""What tells a file of ours from one that somebody wrote."""

UNIT_NAME = "swarm.service"
LABEL = "ai.clawswarm.daemon"

NO_USE_TRYING = (2, 3)
"""Exit statuses after which another start would end the same: wrong usage, not configured."""

_NOT_IN_A_PROGRAM = "\"'\\$"
"""systemd takes these in an argument, but not in the path of what it starts."""


def systemd_unit(command: Sequence[str], variables: Mapping[str, str]) -> str:
    """The unit of a daemon that starts at login and comes back after a crash.

    Raises:
        InputError: a path or a value cannot be written into a unit.
    """
    environment = [f"Environment={_quoted(f'{name}={value}')}" for name, value in variables.items()]
    program, *arguments = command
    if any(character in program for character in _NOT_IN_A_PROGRAM):
        program, arguments = "/usr/bin/env", list(command)
    line = " ".join([_quoted(program), *(_quoted(argument).replace("$", "$$") for argument in arguments)])
    lines = [
        f"# {MARK}",
        "[Unit]",
        "Description=Swarm daemon",
        "# A daemon that cannot start is left alone after five tries in a minute.",
        "StartLimitIntervalSec=60",
        "StartLimitBurst=5",
        "",
        "[Service]",
        "Type=exec",
        f"ExecStart={line}",
        *environment,
        "Restart=on-failure",
        "RestartSec=2",
        f"RestartPreventExitStatus={' '.join(map(str, NO_USE_TRYING))}",
        "",
        "[Install]",
        "WantedBy=default.target",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """`text` as one word of a unit file, in which % and \\ mean something."""
    if not text.isprintable():
        raise InputError(
            f"{text!r} holds a character that no unit file can hold", hint="install Swarm to another folder"
        )
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    plain = escaped == text and text.replace("'", "").isascii() and not any(c in text for c in " ';")
    return text if plain and text else f'"{escaped}"'


def launchd_agent(command: Sequence[str], variables: Mapping[str, str], log: str) -> str:
    """The property list of the same for macOS. launchd waits ten seconds before it starts one again."""
    agent = {
        "Label": LABEL,
        "ProgramArguments": list(command),
        "EnvironmentVariables": dict(variables),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ProcessType": "Background",
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    if not variables:
        del agent["EnvironmentVariables"]
    text = plistlib.dumps(agent, sort_keys=False).decode()
    head, mark, rest = text.partition("<plist")
    return f"{head}<!-- {MARK} -->\n{mark}{rest}"


def is_ours(text: str) -> bool:
    return MARK in text
