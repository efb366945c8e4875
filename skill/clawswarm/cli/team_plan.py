"""A plan as a file: tasks as JSON Lines, checked line by line."""

import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from clawswarm.errors import InputError
from clawswarm.team.draft import role_of
from clawswarm.team.tasks import NewTask

MOST_BYTES = 4_000_000
"""Bytes of a plan that are read."""

EXAMPLE = 'such as: {"id": "login", "title": "Build the login page", "role": "builder", "needs": ["design"]}'


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    id: str
    title: str
    role: str
    needs: tuple[str, ...] = ()
    check: str = ""


def read_plan(path: Path) -> list[NewTask]:
    """The tasks of a file, one a line; `-` is standard input.

    Raises:
        InputError: it cannot be read, or a line is no task; the line is named.
    """
    source = "standard input" if str(path) == "-" else str(path)
    tasks: list[NewTask] = []
    for number, line in enumerate(_read(path, source).splitlines(), 1):
        if line.strip():
            tasks.append(_task(line, f"{source}, line {number}"))
    if not tasks:
        raise InputError(f"{source} holds no tasks", hint=f"one a line, {EXAMPLE}")
    return tasks


def _task(line: bytes, where: str) -> NewTask:
    try:
        found = _Line.model_validate_json(line)
        return NewTask(
            id=found.id, title=found.title, role=role_of(found.role), needs=found.needs, check=found.check
        )
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{where}: {place and f'{place}: '}{first['msg']}", hint=EXAMPLE) from None
    except InputError as error:
        raise InputError(f"{where}: {error.message}", hint=error.hint) from None


def _read(path: Path, source: str) -> bytes:
    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"the plan {path} cannot be read: {error.strerror}", hint="check its name and mode"
        ) from error
    if len(data) > MOST_BYTES:
        raise InputError(f"{source} is too large for a plan", hint=f"at most {MOST_BYTES // 1_000_000} MB")
    return data.removeprefix(b"\xef\xbb\xbf")
