"""`swarm bench`: how fast prompts run side by side."""

import os
from functools import partial
from typing import Annotated

import typer

from clawswarm.access.local import open_local
from clawswarm.cli.options import AsJson, Concurrency, Model, Provider, Timeout, load_settings
from clawswarm.cli.output import error_status, print_json, run, say, show, told, warn
from clawswarm.cli.progress import cost, failures, show_progress
from clawswarm.config.model import Settings
from clawswarm.modes.bench import BenchResult, bench
from clawswarm.providers.demo import DemoProvider
from clawswarm.types.result import Failure, Tally

app = typer.Typer(add_completion=False)


@app.command("bench", epilog="Example:\n\nswarm bench --tasks 30 --provider demo")
def bench_command(
    tasks: Annotated[int, typer.Option("--tasks", "-n", min=1, help="How many prompts.")] = 30,
    provider: Provider = None,
    model: Model = None,
    concurrency: Concurrency = None,
    timeout: Timeout = None,
    latency: Annotated[
        float,
        typer.Option(min=0, help="Seconds an answer of the demo provider takes."),
    ] = 0.5,
    as_json: AsJson = False,
) -> None:
    """Measure: total, per task, throughput, speed-up, and the ratio to a pool without any overhead.

    With a real provider every prompt is a real, short, paid call.
    """
    with told(as_json=as_json):
        settings = load_settings(provider=provider, model=model, concurrency=concurrency, timeout=timeout)
        status = run(partial(_bench, settings, tasks, latency, as_json=as_json))
    raise typer.Exit(status)


async def _bench(settings: Settings, tasks: int, latency: float, *, as_json: bool) -> int:
    demo = DemoProvider(latency=latency, jitter=False)
    async with open_local(settings, os.environ, demo=demo) as swarm:
        warn(swarm.warnings)
        primary = swarm.engine.primary
        slots = min(settings.limits.max_nodes, primary.slots * len(primary.connections))
        say(f"⚡ Benchmark: {tasks} parallel tasks, {slots} at once ({primary.name}, {primary.model})")
        result = await bench(swarm.engine, tasks, slots, display=show_progress)
        warn(swarm.engine.troubles)
    if as_json:
        print_json(_figures(result))
    else:
        _print(result)
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


def _print(result: BenchResult) -> None:
    stats = result.batch.stats
    tally = Tally()
    first: dict[str, Failure] = {}
    for task in result.batch.tasks:
        tally.add(task)
        if task.error is not None:
            first.setdefault(task.error.code, task.error)
    rows = [
        ("Total time", f"{stats.total_duration_ms} ms  ({stats.successful}/{stats.total} succeeded)"),
        ("Per task", f"{result.per_task_ms:.1f} ms"),
        ("Throughput", _known(result.throughput, "{:.1f} tasks/s")),
        ("Speed-up", _known(stats.speedup, "{:.1f}x over one after another")),
        ("Ideal", _known(result.ideal_ms, "{} ms for calls of these durations")),
        ("Ratio", _known(result.ratio_to_ideal, "{:.3f} of the ideal")),
        ("Cost", cost(tally)),
    ]
    show(*(f"   {name + ':':<13}{value}" for name, value in rows))
    say(*failures(tally, first))


def _known(value: float | None, form: str) -> str:
    return "unknown" if value is None else form.format(value)
