"""`swarm demo`: the main job, without any key or model."""

import os
from functools import partial
from typing import Annotated

import typer

from clawswarm.access.connect import connect
from clawswarm.cli.asking import ask, telling
from clawswarm.cli.course import Course
from clawswarm.cli.options import AsJson, load_settings
from clawswarm.cli.output import print_json, run, say, show, told
from clawswarm.cli.progress import summary
from clawswarm.config.model import Settings
from clawswarm.providers.demo import DemoProvider
from clawswarm.types.events import BatchEvent, BatchStarted
from clawswarm.types.requests import BatchRequest, RunOptions
from clawswarm.types.task import Task

app = typer.Typer(add_completion=False)

QUESTIONS = (
    "What does OpenAI sell, and to whom?",
    "What does Anthropic sell, and to whom?",
    "What does Google DeepMind publish that others build on?",
    "Which models does Mistral release with open weights?",
    "How does a mixture-of-experts model save compute?",
    "What is speculative decoding, and when does it help?",
    "Why do long contexts cost more memory than short ones?",
    "Compare retrieval and fine-tuning for a support desk.",
    "What should a code review look for first?",
    "How do I back up a SQLite database that is in use?",
    "What makes a good incident report?",
    "Which questions should I ask before signing a cloud contract?",
    "Explain exponential backoff with jitter to a new colleague.",
    "What can go wrong when two cron jobs overlap?",
    "How do I estimate the cost of a million tokens?",
    "Name three ways to test code that waits for the network.",
    "What is a circuit breaker in software?",
    "How does rate limiting by token bucket work?",
    "Why do distributed systems need idempotent operations?",
    "What is the difference between latency and throughput?",
    "When is a queue better than a direct call?",
    "How do I read a flame graph?",
    "What is a lease, and what happens when it expires?",
    "Why should secrets not be in log files?",
)


@app.command(epilog="Example:\n\nswarm demo")
def demo(
    latency: Annotated[float, typer.Option(min=0, help="Mean seconds that the demo provider takes.")] = 0.6,
    as_json: AsJson = False,
) -> None:
    """Ask two dozen questions of the built-in demo provider, with the live display.

    No model is asked, nothing leaves this machine, and every answer says so.
    """
    with told(as_json=as_json):
        settings = load_settings()
        status = run(partial(_demo, settings, latency, as_json=as_json))
    raise typer.Exit(status)


async def _demo(settings: Settings, latency: float, *, as_json: bool) -> int:
    course = Course(len(QUESTIONS))
    options = RunOptions(provider="demo", cache=False)

    def introduce(event: BatchEvent) -> None:
        if isinstance(event, BatchStarted):
            say(f"🐝 Swarm demo: {course.total} questions, {event.workers} at once, no model is asked")

    async with connect(settings, os.environ, options, demo=DemoProvider(latency=latency)) as way:
        tasks = [Task(prompt=question) for question in QUESTIONS]
        with telling(way):
            last = await ask(way.api, BatchRequest(tasks=tasks, total=len(tasks)), course, take=introduce)
    assert last is not None and last.result is not None  # noqa: S101, PT018 - asked for, and not stopped
    result = last.result
    if as_json:
        print_json(result.as_json())
    else:
        show(*(f"── {task.index + 1}. {QUESTIONS[task.index]}\n{task.text}\n" for task in result.tasks[:3]))
        show(f"… and {len(result.tasks) - 3} more.\n")
    say(*summary(course))
    say('Next: export GEMINI_API_KEY=…, then: swarm parallel "What is AI?" "What is ML?"')
    return 1 if result.stats.failed else 0
