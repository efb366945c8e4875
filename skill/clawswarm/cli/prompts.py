"""Prompts from arguments, a file or standard input.

A file is read twice: once to check all of it, so that nothing is sent while a line is wrong, and once to
feed the pool, so that a file of any length takes no memory.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pydantic_core import to_json

from clawswarm.cli.arguments import as_text
from clawswarm.config.model import Daemon
from clawswarm.engine.verdict import validator
from clawswarm.errors import InputError
from clawswarm.modes.parallel import to_task
from clawswarm.providers.shape import is_object
from clawswarm.types.task import Task

IN_MEMORY = 8 * 1024 * 1024
"""Bytes of standard input above which it is kept in a temporary file."""

STDIN = "standard input"

HOW_TO_GIVE = """give them as arguments: swarm parallel "What is AI?" "What is ML?"
or from a file, one a line: swarm parallel --file prompts.txt"""


@dataclass(frozen=True, slots=True)
class Prompts:
    """Checked prompts: how many, and the tasks, read anew at each iteration."""

    total: int
    file: IO[bytes] | None
    tasks: tuple[Task, ...]
    source: str
    as_objects: bool
    defaults: Mapping[str, Any]

    def fit(self, limits: Daemon) -> bool:
        """Whether one request to the daemon may hold them. (As JSON a text can be twice as long.)"""
        size = 0 if self.file is None else self.file.seek(0, os.SEEK_END)
        return self.total <= limits.max_prompts and size * 2 <= limits.max_body_mb * 1_000_000

    def __iter__(self) -> Iterator[Task]:
        if self.file is None:
            yield from self.tasks
            return
        for number, line in _lines(self.file, self.source):
            yield _task(line, number, self.source, self.defaults, as_objects=self.as_objects)


@contextmanager
def open_prompts(arguments: list[str], path: Path | None, defaults: Mapping[str, Any]) -> Generator[Prompts]:
    """The prompts that the command line names, checked.

    Raises:
        InputError: none are there, or one cannot be used; a file's line is named.
    """
    if arguments and path is not None:
        raise InputError("prompts were given both as arguments and with --file", hint="use one of the two")
    if arguments:
        yield _from_arguments(arguments, defaults)
        return
    if path is None and sys.stdin.isatty():
        raise InputError("there are no prompts", hint=HOW_TO_GIVE)
    if path is None or str(path) == "-":
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as spooled:
            shutil.copyfileobj(sys.stdin.buffer, spooled)
            yield _from_file(spooled, STDIN, defaults, jsonl=False)
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(
            f"the prompt file {path} cannot be read: {error.strerror}", hint="check its name and mode"
        ) from error
    with file:
        yield _from_file(file, str(path), defaults, jsonl=path.suffix in (".jsonl", ".ndjson"))


def _from_arguments(arguments: list[str], defaults: Mapping[str, Any]) -> Prompts:
    tasks: list[Task] = []
    for number, argument in enumerate(arguments, 1):
        try:
            tasks.append(to_task(as_text(argument, "the prompt"), defaults))
        except InputError as error:
            raise InputError(f"argument {number}: {error.message}", hint="nothing was sent") from None
    return Prompts(len(tasks), None, tuple(tasks), "the command line", as_objects=False, defaults=defaults)


def _from_file(file: Any, source: str, defaults: Mapping[str, Any], *, jsonl: bool) -> Prompts:
    total = 0
    as_objects = jsonl
    for number, line in _lines(file, source):
        if total == 0:
            as_objects = jsonl or line.lstrip().startswith("{")
        task = _task(line, number, source, defaults, as_objects=as_objects)
        if as_objects and task.schema is not None:
            _check_schema(task, number, source)
        total += 1
    if total == 0:
        how = HOW_TO_GIVE if source == STDIN else "write one a line, or JSON Lines with a 'prompt' each"
        raise InputError(f"{source} holds no prompts", hint=how)
    return Prompts(total, file, (), source, as_objects, defaults)


def _lines(file: IO[bytes], source: str) -> Iterator[tuple[int, str]]:
    """Lines that hold something, numbered from 1, without their ends and without a byte order mark."""
    file.seek(0)
    for number, raw in enumerate(file, 1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{source}, line {number}: not UTF-8 (byte {error.start + 1} is 0x{raw[error.start]:02x})",
                hint=f"convert it, such as: iconv -f latin1 -t utf-8 {source} > fixed.txt",
            ) from None
        if line.strip():
            yield number, line


def _task(line: str, number: int, source: str, defaults: Mapping[str, Any], *, as_objects: bool) -> Task:
    try:
        return to_task(_object(line) if as_objects else line, defaults)
    except InputError as error:
        raise InputError(f"{source}, line {number}: {error.message}", hint="nothing was sent") from None


def _object(line: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line)
        to_json(value)  # half a surrogate pair can be read, but not sent
    except json.JSONDecodeError as error:
        raise InputError(f"broken JSON at column {error.colno} ({error.msg})") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"JSON that cannot be used ({error})") from None
    if not is_object(value):
        raise InputError(f"a JSON object is needed, not {type(value).__name__}")
    return value


def _check_schema(task: Task, number: int, source: str) -> None:
    try:
        validator(task.schema or {})
    except InputError as error:
        raise InputError(f"{source}, line {number}: {error.message}", hint="nothing was sent") from None


def read_schema(text: str | None) -> Mapping[str, Any] | None:
    """The schema that `--schema` names: a file, or JSON itself.

    Raises:
        InputError: it cannot be read, or is no JSON Schema.
    """
    if text is None:
        return None
    try:
        raw = text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8")
        schema = json.loads(raw)
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(
            f"--schema {text[:80]!r} cannot be read: {reason}", hint="name a JSON file"
        ) from None
    if not is_object(schema):
        raise InputError("--schema must be a JSON object")
    validator(schema)
    return schema
