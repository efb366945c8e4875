"""`swarm research`: many subjects side by side, with claims that were checked."""

import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic_core import to_json

from clawswarm.access.connect import Way, connect
from clawswarm.cli.arguments import as_text
from clawswarm.cli.asking import telling
from clawswarm.cli.hand_over import hand_over
from clawswarm.cli.interrupts import Interrupted, interrupted
from clawswarm.cli.options import (
    Concurrency,
    Model,
    Provider,
    Timeout,
    UseDaemon,
    load_settings,
    run_options,
)
from clawswarm.cli.output import error_status, run, say, told, write
from clawswarm.cli.output_file import open_output
from clawswarm.cli.research_course import ResearchCourse
from clawswarm.cli.research_summary import how_far, summary
from clawswarm.cli.research_tree import show_tree
from clawswarm.cli.results import Form
from clawswarm.cli.screen import errors_are_screen, json_on_screen, on_screen, output_is_screen
from clawswarm.cli.subjects import given_subjects
from clawswarm.clock import SystemClock
from clawswarm.config.model import Settings
from clawswarm.errors import DaemonError
from clawswarm.modes.requests import DEPTHS, read_research
from clawswarm.types.requests import ResearchRequest
from clawswarm.types.research import ResearchEvent, ResearchResult

app = typer.Typer(add_completion=False)

EXAMPLES = """Examples:

swarm research OpenAI Anthropic Mistral --topic "products and pricing" --output report.md

swarm research --file companies.txt --topic "AI safety" --depth quick --json"""


@app.command(epilog=EXAMPLES)
def research(
    subjects: Annotated[
        list[str] | None, typer.Argument(help="What to research, each by itself.", show_default=False)
    ] = None,
    topic: Annotated[str, typer.Option("--topic", "-t", help="What about them.", show_default=False)] = "",
    depth: Annotated[
        str, typer.Option(metavar="|".join(DEPTHS), help="How many searches and pages a subject gets.")
    ] = "standard",
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Subjects, one a line; - is standard input.")
    ] = None,
    provider: Provider = None,
    model: Model = None,
    concurrency: Concurrency = None,
    timeout: Timeout = None,
    max_spend: Annotated[float | None, typer.Option(min=0, help="Most US$ that this run may cost.")] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Hand the research to the daemon as a job, and leave.")
    ] = False,
    daemon: UseDaemon = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Ask every question anew.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
    ndjson: Annotated[bool, typer.Option("--ndjson", help="One JSON event a line, as it happens.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write it there: .json, .ndjson, or else the report."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary.")] = False,
) -> None:
    """Research subjects on the web, side by side: a report with sources, and claims that were checked.

    Exit status: 0 all well, 1 some subjects failed, 2 wrong usage, 3 not configured, 130 interrupted.
    """
    with told(as_json=as_json, as_event=ndjson):
        form = Form.of(as_json=as_json, ndjson=ndjson, output=output)
        asked = read_research(
            {
                "subjects": given_subjects(subjects or [], file),
                "topic": as_text(topic, "--topic"),
                "depth": depth,
            }
        )
        settings = load_settings()
        options = run_options(
            provider=provider, model=model, concurrency=concurrency, timeout=timeout, cache=not no_cache,
            max_spend=max_spend,
        )  # fmt: skip
        request = replace(asked, options=options)
        with ExitStack() as stack:
            if detach:
                status = run(partial(hand_over, settings, request, "subjects", as_json=as_json or ndjson))
            elif output is None:
                status = run(_Research(settings, request, form, write, daemon, quiet, output_is_screen()).run)
            else:
                target = stack.enter_context(open_output(output))
                status = run(_Research(settings, request, form, target.write, daemon, quiet, False).run)
                target.whole = True
    raise typer.Exit(status)


@dataclass(frozen=True, slots=True)
class _Research:
    """One research of the command line.

    Attributes:
        put: takes what is asked for, as it is written.
        on_screen: it goes to a terminal.
    """

    settings: Settings
    request: ResearchRequest
    form: Form
    put: Callable[[bytes], object]
    use_daemon: bool | None
    quiet: bool
    on_screen: bool

    @property
    def _as_events(self) -> bool:
        return self.form in (Form.EVENTS, Form.LINES)

    async def run(self) -> int:
        course = ResearchCourse(self.request.subjects, SystemClock())
        async with connect(
            self.settings, os.environ, self.request.options, use_daemon=self.use_daemon
        ) as way:
            with telling(way, quiet=self.quiet):
                async with interrupted() as stop:
                    with stop:
                        await self._ask(way, course)
        if (result := course.result) is None:
            ended = "interrupted" if stop.cancelled_caught else "the research ended"
            raise Interrupted(f"{ended} {how_far(course)}; there is no report")
        apart = [""] if errors_are_screen() else []
        if self.on_screen and not self.quiet and not self._as_events:
            say(*apart)
        self._write(result)
        if not self.quiet:
            say(*apart, *summary(course, result))
        return error_status(result.stats.failed)

    async def _ask(self, way: Way, course: ResearchCourse) -> None:
        """Have it done, with the display; events are written as they come, where they are asked for."""
        request = replace(self.request, options=way.options)
        live = errors_are_screen() and not (self.on_screen and self._as_events)
        try:
            async with show_tree(course, quiet=self.quiet, live=live) as tell:

                async def emit(event: ResearchEvent) -> None:
                    tell(event)
                    if self._as_events:
                        self.put(self._encoded(event.as_json()) + b"\n")

                await way.api.research(request, emit)
        except DaemonError:
            say(f"swarm: the research ended {how_far(course)}; there is no report")
            raise

    def _write(self, result: ResearchResult) -> None:
        match self.form:
            case Form.TEXT:
                report = on_screen(result.report) if self.on_screen else result.report
                self.put(report.encode(errors="replace"))
            case Form.JSON:
                self.put(self._encoded(result.as_json(), indent=2) + b"\n")
            case Form.EVENTS | Form.LINES:
                pass  # they were written as they came

    def _encoded(self, document: dict[str, Any], indent: int | None = None) -> bytes:
        """JSON; half a surrogate pair, which no encoding can carry, is escaped."""
        try:
            text = to_json(document, indent=indent)
        except ValueError:
            text = json.dumps(document, indent=indent).encode()
        return json_on_screen(text) if self.on_screen else text
