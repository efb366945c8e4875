"""Where the results of a batch go, and in which form."""

import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from pydantic_core import to_json

from clawswarm.cli.output import write, write_text
from clawswarm.cli.output_file import open_output
from clawswarm.cli.prompts import Prompts
from clawswarm.cli.spool import Spool
from clawswarm.errors import InputError
from clawswarm.types.events import BatchComplete, BatchEvent, TaskFinished
from clawswarm.types.result import Failure, Stats, TaskResult

TITLE = 72
"""Characters of a prompt that stand above its answer."""


STOPPED = Failure(code="cancelled", message="the batch was stopped before this task was done", retryable=True)


class Form(StrEnum):
    """How results are written."""

    TEXT = "text"
    JSON = "json"
    LINES = "jsonl"
    EVENTS = "ndjson"

    @classmethod
    def of(cls, *, as_json: bool, ndjson: bool, output: Path | None) -> "Form":
        """The form that the options ask for; the ending of the output file decides where they do not.

        Raises:
            InputError: two forms at once.
        """
        if as_json and ndjson:
            raise InputError("--json and --ndjson exclude each other")
        if as_json:
            return cls.JSON
        if ndjson:
            return cls.EVENTS
        endings = {".json": cls.JSON, ".jsonl": cls.LINES, ".ndjson": cls.LINES}
        return cls.TEXT if output is None else endings.get(output.suffix, cls.TEXT)


class Sink:
    """Takes the events of one batch.

    Attributes:
        keep: whether everything was written, so that it may replace what was there before.
    """

    def __init__(self, form: Form, put: Callable[[bytes], object], spool: Spool) -> None:
        self._form = form
        self._put = put
        self._spool = spool
        self.keep = False

    def event(self, event: BatchEvent) -> None:
        """Note an event. With `ndjson` it is written at once, but for the last, which needs all results."""
        if isinstance(event, TaskFinished):
            self._spool.add(event.task)
        if self._form is Form.EVENTS and not isinstance(event, BatchComplete):
            self._put(to_json(event.as_json()) + b"\n")

    def finish(self, stats: Stats, prompts: Prompts, *, worth_keeping: bool = True) -> None:
        """Write what waits for the end, in prompt order."""
        for piece in self._pieces(stats, prompts):
            self._put(piece)
        self.keep = worth_keeping

    def missing(self, prompts: Prompts) -> Iterator[TaskResult]:
        """A result for each task of a stopped batch that has none."""
        for index, task in enumerate(prompts):
            if index not in self._spool:
                yield TaskResult(index=index, id=task.id, ok=False, error=STOPPED)

    def _pieces(self, stats: Stats, prompts: Prompts) -> Iterable[bytes]:
        match self._form:
            case Form.JSON:
                yield from self._spool.as_document(stats)
            case Form.LINES:
                for line in self._spool.lines():
                    yield line + b"\n"
            case Form.TEXT:
                yield from self._as_text(prompts)
            case Form.EVENTS:
                yield b'{"event":"complete","results":['
                for number, document in enumerate(self._spool.documents()):
                    yield (b"," if number else b"") + to_json(document["text"])
                cost = to_json(stats.cost_usd)
                yield b'],"stats":' + to_json(stats.as_json()) + b',"cost":' + cost + b"}\n"

    def _as_text(self, prompts: Prompts) -> Iterable[bytes]:
        for task, document in zip(prompts, self._spool.documents(), strict=True):
            title = " ".join(task.prompt.split())
            title = title if len(title) <= TITLE else title[: TITLE - 1] + "…"
            yield f"── {document['index'] + 1}. {title}\n".encode()
            if document["ok"]:
                yield f"{document['text'].strip()}\n\n".encode()
            else:
                error = document["error"]
                hint = f" ({error['hint']})" if error["hint"] else ""
                yield f"✗ {error['code']}: {error['message']}{hint}\n\n".encode()


def _on_screen(data: bytes) -> None:
    """Answers of models on a terminal, which they shall not steer."""
    write_text(data.decode())


@contextmanager
def open_sink(form: Form, output: Path | None) -> Generator[Sink]:
    """A sink on standard output, or on a file that appears whole, at the end.

    Raises:
        InputError: the file cannot be written; nothing was sent yet.
    """
    with Spool() as spool:
        if output is None:
            plain = form is Form.TEXT and sys.stdout.isatty()
            yield Sink(form, _on_screen if plain else write, spool)
            return
        with open_output(output) as file:
            sink = Sink(form, file.write, spool)
            yield sink
            file.whole = sink.keep
