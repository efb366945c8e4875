"""`swarm setup`: provider, key, workers, web search and cap, by questions or by flags."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from clawswarm.access.presence import look
from clawswarm.cli import setup_questions as questions
from clawswarm.cli.options import PROVIDERS, AsJson, Model
from clawswarm.cli.options import Provider as ProviderOption
from clawswarm.cli.output import print_json, say, show, told, warn
from clawswarm.cli.setup_answers import Flags, Interview, Outcome
from clawswarm.cli.streams import INTERRUPTED
from clawswarm.config.edit import write
from clawswarm.config.key_files import write_key
from clawswarm.config.load import PREFIX
from clawswarm.config.model import ProviderName, SearchName
from clawswarm.config.paths import Paths
from clawswarm.errors import InputError, SwarmError
from clawswarm.modes.setup import Auto
from clawswarm.modes.setup_keys import KeyFlags, hidden_by, search_without_key
from clawswarm.providers.ollama_settings import how_to_set

app = typer.Typer(add_completion=False)

EXAMPLES = """Examples:

swarm setup

swarm setup --provider gemini --key-stdin --daily-cap 5 < key.txt

swarm setup --provider ollama --workers 2 --yes"""


@app.command("setup", epilog=EXAMPLES)
def setup_command(
    provider: ProviderOption = None,
    model: Model = None,
    base_url: Annotated[str | None, typer.Option(help="Where the provider answers.")] = None,
    key_file: Annotated[Path | None, typer.Option(help="Read the key from this file, and store it.")] = None,
    key_env: Annotated[str | None, typer.Option(help="Leave the key in this variable.")] = None,
    key_stdin: Annotated[
        bool, typer.Option("--key-stdin", help="Read the key from standard input, and store it.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Prompts at once; for Ollama its slots.")
    ] = None,
    search: Annotated[
        str | None, typer.Option(help=f"Web search: one of {', '.join(questions.SEARCHES)}.")
    ] = None,
    searxng_url: Annotated[str | None, typer.Option(help="Address of your own SearXNG.")] = None,
    daily_cap: Annotated[str | None, typer.Option(help="Most US$ a day, or none.")] = None,
    no_test: Annotated[bool, typer.Option("--no-test", help="Store the key without a real call.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", "--non-interactive", help="Ask nothing; flags say it all.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Choose a provider, store and test its key, and write the configuration.

    Without a terminal, or with --yes, nothing is asked. What the configuration holds besides stays as it is,
    comments too. Keys go to files that only you can read; they are never arguments.

    Exit status: 0 all well, 1 the test failed, 2 wrong usage, 3 the configuration cannot be used.
    """
    with told(as_json=as_json):
        if provider is not None and provider not in PROVIDERS:
            raise InputError(f"unknown provider {provider!r}", hint=f"known are {', '.join(PROVIDERS)}")
        if search is not None and search not in questions.SEARCHES:
            known = ", ".join(questions.SEARCHES)
            raise InputError(f"unknown web search {search!r}", hint=f"known are {known}")
        keys = KeyFlags(file=key_file, variable=key_env, stdin=key_stdin)
        keys.check()
        flags = Flags(
            provider=cast("ProviderName | None", provider),
            model=model,
            base_url=base_url,
            keys=keys,
            workers=workers,
            search=cast("SearchName | Auto | None", search),
            searxng_url=searxng_url,
            daily_cap=None if daily_cap is None else questions.read_cap(daily_cap),
            test=not no_test,
            asking=not yes and sys.stdin.isatty() and sys.stderr.isatty(),
            as_json=as_json,
        )
        try:
            _set_up(flags)
        except KeyboardInterrupt:
            say("", "swarm: interrupted; nothing was changed")
            raise typer.Exit(INTERRUPTED) from None


def _set_up(flags: Flags) -> None:
    environ = dict(os.environ)
    interview = Interview(flags, environ)
    outcome = interview.hold()
    warnings = [*outcome.planned.warnings, *_warnings(outcome, environ)]
    if outcome.planned.changes:
        say("", f"Changes in {outcome.planned.path}:")
        say(*(f"  {change}" for change in outcome.planned.changes))
    if flags.asking and (outcome.planned.changes or outcome.key) and not questions.yes("Write this?"):
        raise SwarmError("nothing was changed", hint="start again: swarm setup")
    stored = None
    if outcome.key is not None:
        stored = write_key(outcome.answers.provider, outcome.key, Paths.of(environ).keys)
    write(outcome.planned)
    if flags.as_json:
        print_json(_as_json(outcome, stored, warnings))
        return
    warn(warnings)
    show(*_told(outcome, stored))


def _warnings(outcome: Outcome, environ: Mapping[str, str]) -> list[str]:
    """What will make less of the new settings than they say."""
    found = list(outcome.trial.warnings) if outcome.trial else []
    found += [
        f"{name} is set, and wins over the file"
        for name in sorted(environ)
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).partition("__")[0] in _SECTIONS
    ]
    if outcome.key is not None:
        hidden = hidden_by(outcome.answers.provider, outcome.service, environ, outcome.key)
        found += [hidden] if hidden else []
    stored = outcome.answers.provider if outcome.key is not None else None
    search = outcome.answers.search
    if search != stored and (missing := search_without_key(search, environ, Paths.of(environ).keys)):
        found.append(missing)
    if not outcome.planned.settings.enabled:
        found.append("Swarm is switched off in the configuration: set node_scaling.enabled: true")
    return found


_SECTIONS = ("ENABLED", "PROVIDER", "LIMITS", "RESEARCH", "COST")
"""The parts of the configuration that a setup writes."""


def _told(outcome: Outcome, stored: Path | None) -> list[str]:
    path = outcome.planned.path
    changed = len(outcome.planned.changes)
    lines = [f"Wrote {path}" if changed else f"Nothing to change in {path}"]
    if stored is not None and outcome.key is not None:
        lines.append(f"Stored the key {outcome.key.masked} in {stored}, for you alone")
    variables = outcome.ollama.advice.variables if outcome.ollama else {}
    if variables:
        steps = how_to_set(variables, sys.platform).splitlines()
        lines += ["For Ollama on this machine, these settings suit:", *(f"  {step}" for step in steps)]
    if changed and look(Paths.of(os.environ)) is not None:
        lines.append("A daemon runs with what was set before; to give it this: swarm restart")
    return [*lines, 'Next: swarm diagnose, then swarm parallel "What is AI?" "What is ML?"']


def _as_json(outcome: Outcome, stored: Path | None, warnings: list[str]) -> dict[str, Any]:
    trial, key = outcome.trial, outcome.key or (outcome.trial.key if outcome.trial else None)
    return {
        "path": str(outcome.planned.path),
        "provider": outcome.answers.provider,
        "changes": [
            {"key": change.key, "old": change.old, "new": change.new} for change in outcome.planned.changes
        ],
        "key": None
        if key is None
        else {"masked": key.masked, "stored": None if stored is None else str(stored)},
        "test": None
        if trial is None
        else {
            "answered": trial.answered,
            "model": trial.model,
            "duration_ms": trial.milliseconds if trial.sent else None,
            "code": trial.failure.code if trial.failure else None,
        },
        "ollama": outcome.ollama.advice.variables if outcome.ollama else None,
        "warnings": warnings,
    }
