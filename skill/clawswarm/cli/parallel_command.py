"""`swarm parallel`: many prompts at once."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from clawswarm.access.connect import Way, connect
from clawswarm.cli.arguments import as_text
from clawswarm.cli.asking import ask, telling
from clawswarm.cli.course import Course
from clawswarm.cli.hand_over import hand_over
from clawswarm.cli.interrupts import interrupted
from clawswarm.cli.options import (
    Concurrency,
    Model,
    Provider,
    Timeout,
    UseDaemon,
    load_settings,
    run_options,
)
from clawswarm.cli.output import error_status, run, say, told
from clawswarm.cli.progress import summary
from clawswarm.cli.prompts import Prompts, open_prompts, read_schema
from clawswarm.cli.results import Form, Sink, open_sink
from clawswarm.cli.streams import INTERRUPTED
from clawswarm.config.model import Settings
from clawswarm.errors import DaemonError
from clawswarm.types.events import BatchComplete, BatchEvent, TaskFinished
from clawswarm.types.requests import BatchRequest, RunOptions

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
    detach: Annotated[
        bool, typer.Option("--detach", help="Hand the prompts to the daemon as a job, and leave.")
    ] = False,
    daemon: UseDaemon = None,
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
        settings = load_settings()
        options = run_options(
            provider=provider, model=model, concurrency=concurrency, timeout=timeout, cache=not no_cache,
            max_spend=max_spend,
        )  # fmt: skip
        if system is not None:
            system = as_text(system, "--system")
        defaults = {"system": system, "max_tokens": max_tokens, "schema": read_schema(schema)}
        form = Form.of(as_json=as_json, ndjson=ndjson, output=output)
        with ExitStack() as stack:
            found = stack.enter_context(open_prompts(prompts or [], file, _given(defaults)))
            if detach:
                request = BatchRequest(tasks=list(found), total=found.total, options=options)
                status = run(partial(hand_over, settings, request, "prompts", as_json=as_json or ndjson))
            else:
                sink = stack.enter_context(open_sink(form, output))
                in_sight = form is Form.TEXT and output is None
                batch = _Batch(settings, options, found, sink, daemon, quiet=quiet, in_sight=in_sight)
                status = run(batch.run)
    raise typer.Exit(status)


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


@dataclass(frozen=True, slots=True)
class _Batch:
    """One batch of the command line.

    Attributes:
        in_sight: the results come as text on standard output, each failure with its words.
    """

    settings: Settings
    options: RunOptions
    prompts: Prompts
    sink: Sink
    use_daemon: bool | None
    quiet: bool
    in_sight: bool

    async def run(self) -> int:
        course = Course(self.prompts.total)
        lost: DaemonError | None = None
        use_daemon = self.use_daemon
        if use_daemon is None and not self.prompts.fit(self.settings.daemon):
            use_daemon = False  # more than one request may hold; here they take no memory
        async with connect(self.settings, os.environ, self.options, use_daemon=use_daemon) as way:
            with telling(way, quiet=self.quiet):
                async with interrupted() as stop:
                    with stop:
                        lost = await self._ask(way, course)
                done = course.tally.done
                if stop.cancelled_caught or lost is not None:
                    for result in self.sink.missing(self.prompts):
                        course.add(result)
                        self.sink.event(TaskFinished(task=result))
                self.sink.event(BatchComplete(stats=course.stats, result=None))
                self.sink.finish(course.stats, self.prompts, worth_keeping=done > 0)
        if not self.quiet:
            say(*summary(course, with_words=not self.in_sight))
        if stop.cancelled_caught:
            say(f"swarm: interrupted: {done} of {self.prompts.total} were done")
            return INTERRUPTED
        if lost is not None:
            say(f"swarm: {lost.message}", f"  {lost.hint}")
        return error_status(course.tally.failed)

    async def _ask(self, way: Way, course: Course) -> DaemonError | None:
        """Ask; the error, where the daemon was lost on the way and some results are there."""
        tasks = self.prompts if way.daemon is None else list(self.prompts)
        request = BatchRequest(tasks=tasks, total=self.prompts.total, options=way.options, keep_results=False)
        try:
            await ask(way.api, request, course, quiet=self.quiet, take=self._take)
        except DaemonError as error:
            if not course.tally.done:
                raise
            return error
        return None

    def _take(self, event: BatchEvent) -> None:
        if not isinstance(event, BatchComplete):
            self.sink.event(event)
