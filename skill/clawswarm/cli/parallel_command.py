"""`swarm parallel`: many prompts at once."""

import os
import signal
from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer

from clawswarm.access.local import open_local
from clawswarm.cli.options import Concurrency, Model, Provider, Timeout, load_settings
from clawswarm.cli.output import error_status, run, say, told, warn
from clawswarm.cli.progress import show_progress, summary
from clawswarm.cli.prompts import Prompts, as_text, open_prompts, read_schema
from clawswarm.cli.results import Form, Sink, open_sink
from clawswarm.cli.streams import INTERRUPTED
from clawswarm.config.model import Settings
from clawswarm.lifetimes import background_tasks
from clawswarm.modes.parallel import Batch, open_parallel
from clawswarm.providers.registry import Backend
from clawswarm.types.events import BatchComplete, BatchStarted, TaskFinished
from clawswarm.types.result import Failure, TaskResult

app = typer.Typer(add_completion=False)

EXAMPLES = """Examples:

swarm parallel "What is AI?" "What is ML?"

swarm parallel --file questions.txt --output answers.jsonl

git log --format=%s | swarm parallel --system "Rewrite this commit subject as a question." --json"""


@app.command(epilog=EXAMPLES)
def parallel(
    prompts: Annotated[list[str] | None, typer.Argument(help="One prompt each.", show_default=False)] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="Prompts, one a line, or JSON Lines; - is standard input."),
    ] = None,
    provider: Provider = None,
    model: Model = None,
    concurrency: Concurrency = None,
    timeout: Timeout = None,
    system: Annotated[str | None, typer.Option(help="System prompt of every task.")] = None,
    schema: Annotated[
        str | None, typer.Option(help="JSON Schema (a file, or JSON) that every reply must satisfy.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Most tokens of one reply.")] = None,
    max_spend: Annotated[float | None, typer.Option(min=0, help="Most US$ that this run may cost.")] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Ask every prompt anew.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    ndjson: Annotated[bool, typer.Option("--ndjson", help="One JSON event a line, as it happens.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the results there: .json, .jsonl, or text.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary.")] = False,
) -> None:
    """Ask many prompts at once. Results come in prompt order.

    Exit status: 0 all well, 1 some tasks failed, 2 wrong usage, 3 not configured, 130 interrupted.
    """
    with told(as_json=as_json, as_event=ndjson):
        settings = load_settings(
            provider=provider, model=model, concurrency=concurrency, timeout=timeout, cache=not no_cache,
            max_spend=None if max_spend is None else Decimal(str(max_spend)),
        )  # fmt: skip
        if system is not None:
            system = as_text(system, "--system")
        defaults = {"system": system, "max_tokens": max_tokens, "schema": read_schema(schema)}
        form = Form.of(as_json=as_json, ndjson=ndjson, output=output)
        with ExitStack() as stack:
            found = stack.enter_context(open_prompts(prompts or [], file, _given(defaults)))
            sink = stack.enter_context(open_sink(form, output))
            in_sight = form is Form.TEXT and output is None
            status = run(_Job(settings, found, sink, quiet=quiet, in_sight=in_sight).run)
    raise typer.Exit(status)


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


@dataclass(frozen=True, slots=True)
class _Job:
    """One batch of the command line.

    Attributes:
        in_sight: the results come as text on standard output, each failure with its words.
    """

    settings: Settings
    prompts: Prompts
    sink: Sink
    quiet: bool
    in_sight: bool
    failures: dict[str, Failure] = field(default_factory=dict[str, Failure])

    async def run(self) -> int:
        async with open_local(self.settings, os.environ) as swarm:
            warn(swarm.warnings)
            async with interrupted() as stop:
                async with open_parallel(swarm.engine, self.prompts, total=self.prompts.total) as batch:
                    with stop:
                        await self._consume(batch, swarm.engine.primary)
                done = batch.tally.done
                if stop.cancelled_caught:
                    for result in self.sink.missing(self.prompts):
                        batch.tally.add(result)
                        self._take(result)
                stats = batch.stats
            self.sink.event(BatchComplete(stats=stats, result=None))
            self.sink.finish(stats, self.prompts, worth_keeping=done > 0)
            warn(swarm.engine.troubles)
        if not self.quiet:
            say(*summary(batch, None if self.in_sight else self.failures))
        if stop.cancelled_caught:
            say(f"swarm: interrupted: {done} of {self.prompts.total} were done")
            return INTERRUPTED
        return error_status(batch.tally.failed)

    async def _consume(self, batch: Batch, primary: Backend) -> None:
        self.sink.event(BatchStarted(total=batch.total, provider=primary.name, model=primary.model))
        async with show_progress(batch, quiet=self.quiet):
            async for result in batch:
                self._take(result)

    def _take(self, result: TaskResult) -> None:
        self.sink.event(TaskFinished(task=result))
        if result.error is not None:
            self.failures.setdefault(result.error.code, result.error)


@asynccontextmanager
async def interrupted() -> AsyncGenerator[anyio.CancelScope]:
    """A scope that Ctrl-C (or SIGTERM) cancels; a second one leaves at once."""
    scope = anyio.CancelScope()

    async def watch() -> None:
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                if scope.cancel_called:
                    os._exit(INTERRUPTED)
                scope.cancel()

    async with background_tasks() as group:
        group.start_soon(watch)
        yield scope
