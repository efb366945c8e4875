"""`swarm bench`: how fast prompts run side by side."""

import os
from functools import partial
from typing import Annotated

import typer

from clawswarm.access.connect import connect
from clawswarm.cli.asking import ask, telling
from clawswarm.cli.course import Course
from clawswarm.cli.options import (
    AsJson,
    Concurrency,
    Model,
    Provider,
    Timeout,
    UseDaemon,
    load_settings,
    run_options,
)
from clawswarm.cli.output import error_status, print_json, run, say, show, told
from clawswarm.cli.progress import cost, failures
from clawswarm.config.model import Settings
from clawswarm.modes.bench import BenchResult, bench_tasks
from clawswarm.types.events import BatchEvent, BatchStarted
from clawswarm.types.requests import BatchRequest, RunOptions

DEMO_LATENCY = 0.5
"""Seconds of the demo provider: about what a small model takes for a short answer."""

app = typer.Typer(add_completion=False)


@app.command("bench", epilog="Example:\n\nswarm bench --tasks 30 --provider demo")
def bench_command(
    tasks: Annotated[int, typer.Option("--tasks", "-n", min=1, help="How many prompts.")] = 30,
    provider: Provider = None,
    model: Model = None,
    concurrency: Concurrency = None,
    timeout: Timeout = None,
    latency: Annotated[
        float, typer.Option(min=0, max=900, help="Seconds an answer of the demo provider takes.")
    ] = DEMO_LATENCY,
    daemon: UseDaemon = None,
    as_json: AsJson = False,
) -> None:
    """Measure: total, per task, throughput, speed-up, and the ratio to a pool without any overhead.

    With a real provider every prompt is a real, short, paid call.
    """
    with told(as_json=as_json):
        settings = load_settings()
        if (provider or settings.provider.name) == "demo" and model is None:
            model = f"demo-{latency * 1000:.0f}ms"
        options = run_options(
            provider=provider, model=model, concurrency=concurrency, timeout=timeout, cache=False
        )
        status = run(partial(_bench, settings, options, tasks, daemon, as_json=as_json))
    raise typer.Exit(status)


async def _bench(
    settings: Settings,
    options: RunOptions,
    tasks: int,
    use_daemon: bool | None,
    *,
    as_json: bool,
) -> int:
    course = Course(tasks)

    def introduce(event: BatchEvent) -> None:
        if isinstance(event, BatchStarted):
            who = f"{event.provider}, {event.model}"
            say(f"⚡ Benchmark: {tasks} parallel tasks, {event.workers} at once ({who})")

    async with connect(settings, os.environ, options, use_daemon=use_daemon) as way:
        request = BatchRequest(tasks=bench_tasks(tasks), total=tasks, options=way.options)
        with telling(way):
            last = await ask(way.api, request, course, take=introduce)
    assert last is not None and last.result is not None and course.started is not None  # noqa: S101, PT018
    result = BenchResult.of(last.result, course.started.workers)
    if as_json:
        print_json(_figures(result))
    else:
        _print(result, course)
    return error_status(result.batch.stats.failed)


def _figures(result: BenchResult) -> dict[str, object]:
    stats = result.batch.stats
    return {
        "tasks": stats.total,
        "concurrency": result.concurrency,
        "successful": stats.successful,
        "failed": stats.failed,
        "total_ms": stats.total_duration_ms,
        "per_task_ms": round(result.per_task_ms, 2),
        "throughput_per_s": None if result.throughput is None else round(result.throughput, 2),
        "speedup": stats.speedup,
        "ideal_ms": result.ideal_ms,
        "ratio_to_ideal": None if result.ratio_to_ideal is None else round(result.ratio_to_ideal, 4),
        "cost_usd": stats.cost_usd,
    }


def _print(result: BenchResult, course: Course) -> None:
    stats = result.batch.stats
    rows = [
        ("Total time", f"{stats.total_duration_ms} ms  ({stats.successful}/{stats.total} succeeded)"),
        ("Per task", f"{result.per_task_ms:.1f} ms"),
        ("Throughput", _known(result.throughput, "{:.1f} tasks/s")),
        ("Speed-up", _known(stats.speedup, "{:.1f}x over one after another")),
        ("Ideal", _known(result.ideal_ms, "{} ms for calls of these durations")),
        ("Ratio", _known(result.ratio_to_ideal, "{:.3f} of the ideal")),
        ("Cost", cost(course.tally)),
    ]
    show(*(f"   {name + ':':<13}{value}" for name, value in rows))
    say(*failures(course))


def _known(value: float | None, form: str) -> str:
    return "unknown" if value is None else form.format(value)
