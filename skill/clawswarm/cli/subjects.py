"""The subjects of a research, from arguments and from a file with one a line."""

import sys
from pathlib import Path

from clawswarm.cli.arguments import as_text
from clawswarm.errors import InputError

MOST_BYTES = 1_000_000
"""More than the longest list that is accepted."""

HOW_TO_GIVE = """give them as arguments: swarm research OpenAI Anthropic --topic "AI safety"
or from a file, one a line: swarm research --file subjects.txt --topic "AI safety\""""


def given_subjects(arguments: list[str], path: Path | None) -> list[str]:
    """Subjects of the command line, then those of the file; empty lines are none.

    Raises:
        InputError: there are none, or one cannot be read.
    """
    subjects: list[str] = []
    for number, argument in enumerate(arguments, 1):
        subjects.append(as_text(argument, f"subject {number}"))
        if not argument.strip():
            raise InputError(f"subject {number} is empty", hint="nothing was sent")
    if path is not None:
        source = "standard input" if str(path) == "-" else str(path)
        lines = [line for line in _text(_read(path), source).splitlines() if line.strip()]
        if not lines:
            raise InputError(f"{source} holds no subjects", hint="write one a line")
        subjects += lines
    if not subjects:
        raise InputError("there are no subjects", hint=HOW_TO_GIVE)
    return subjects


def _read(path: Path) -> bytes:
    try:
        if str(path) == "-":
            data = sys.stdin.buffer.read(MOST_BYTES + 1)
        else:
            with path.open("rb") as file:
                data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(
            f"the file of subjects {path} cannot be read: {error.strerror}", hint="check its name and mode"
        ) from error
    if len(data) > MOST_BYTES:
        raise InputError(f"{path} is too large for a list of subjects", hint="write one a line, 100 at most")
    return data


def _text(data: bytes, source: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{source}, line {line}: not UTF-8",
            hint=f"convert it, such as: iconv -f latin1 -t utf-8 {source} > fixed.txt",
        ) from None
