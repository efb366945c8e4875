"""Results on their way to a file: written as they finish, read back in prompt order, never all in memory."""

import tempfile
from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import IO, Any, Self

from pydantic_core import from_json, to_json

from clawswarm.types.result import Stats, TaskResult

_MISSING = 2**64 - 1


class Spool:
    """Encoded results in a temporary file, with the place of each. Eight bytes of memory a result.

    Where it is read, every result up to the last one must have been added.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._file: IO[bytes]
        self._places = array("Q")
        self._end = 0

    def __enter__(self) -> Self:
        self._file = self._stack.enter_context(tempfile.TemporaryFile())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def add(self, result: TaskResult) -> None:
        while len(self._places) <= result.index:
            self._places.append(_MISSING)
        line = to_json(result.as_json()) + b"\n"
        self._places[result.index] = self._end
        self._end += len(line)
        self._file.write(line)

    def __contains__(self, index: int) -> bool:
        return index < len(self._places) and self._places[index] != _MISSING

    def lines(self) -> Iterator[bytes]:
        """The encoded tasks in prompt order."""
        self._file.flush()
        for place in self._places:
            self._file.seek(place)
            yield self._file.readline().rstrip(b"\n")
        self._file.seek(0, 2)

    def documents(self) -> Iterator[dict[str, Any]]:
        for line in self.lines():
            yield from_json(line)

    def as_document(self, stats: Stats) -> Iterator[bytes]:
        """The one JSON document of a batch, in pieces."""
        yield b'{"results": ['
        for number, document in enumerate(self.documents()):
            yield (b", " if number else b"") + to_json(document["text"])
        yield b'],\n "tasks": ['
        for number, line in enumerate(self.lines()):
            yield (b",\n  " if number else b"\n  ") + line
        yield b'],\n "stats": ' + to_json(stats.as_json()) + b"}\n"
