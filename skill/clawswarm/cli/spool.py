"""Results on their way to a file: written as they finish, read back in prompt order, never all in memory."""

import tempfile
from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import IO, Any, Self

from pydantic_core import from_json, to_json

from clawswarm.types.result import Failure, Stats, TaskResult

_MISSING = 2**64 - 1


class Spool:
    """Encoded results in a temporary file, with the place of each. Eight bytes of memory a result."""

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

    def lines(self, total: int | None = None) -> Iterator[bytes]:
        """The encoded tasks in prompt order; those that never finished are `cancelled`."""
        self._file.flush()
        for index in range(max(total or 0, len(self._places))):
            place = self._places[index] if index < len(self._places) else _MISSING
            if place == _MISSING:
                yield to_json(_cancelled(index).as_json())
            else:
                self._file.seek(place)
                yield self._file.readline().rstrip(b"\n")
        self._file.seek(0, 2)

    def documents(self, total: int | None = None) -> Iterator[dict[str, Any]]:
        for line in self.lines(total):
            yield from_json(line)

    def as_document(self, stats: Stats, total: int | None = None) -> Iterator[bytes]:
        """The one JSON document of a batch, in pieces."""
        yield b'{"results": ['
        for number, document in enumerate(self.documents(total)):
            yield (b", " if number else b"") + to_json(document["text"])
        yield b'],\n "tasks": ['
        for number, line in enumerate(self.lines(total)):
            yield (b",\n  " if number else b"\n  ") + line
        yield b'],\n "stats": ' + to_json(stats.as_json()) + b"}\n"


def _cancelled(index: int) -> TaskResult:
    return TaskResult(
        index=index,
        ok=False,
        error=Failure(
            code="cancelled", message="the batch was stopped before this task was done", retryable=True
        ),
    )
