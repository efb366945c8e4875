"""Options that several commands share, and the settings they make."""

import os
from decimal import Decimal
from typing import Annotated, get_args

import typer

from clawswarm.cli.output import warn
from clawswarm.config.load import load
from clawswarm.config.model import ProviderName, Settings
from clawswarm.errors import InputError
from clawswarm.types.requests import RunOptions

PROVIDERS: tuple[str, ...] = get_args(ProviderName)

Provider = Annotated[
    str | None, typer.Option("--provider", "-p", help=f"One of {', '.join(PROVIDERS)}.", show_default=False)
]
Model = Annotated[str | None, typer.Option("--model", "-m", help="The model's name at the provider.")]
Concurrency = Annotated[
    int | None,
    typer.Option("--concurrency", "-c", min=1, help="Prompts at once; Ollama keeps its slots."),
]
Timeout = Annotated[float | None, typer.Option(min=0.001, help="Seconds a task may take, waits included.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


UseDaemon = Annotated[
    bool | None,
    typer.Option(
        "--daemon/--no-daemon", help="Insist on the daemon, or do without it.", show_default="if it runs"
    ),
]


def load_settings() -> Settings:
    """The user's settings; what is odd about them is told.

    Raises:
        ConfigError: the configuration cannot be used.
    """
    loaded = load(os.environ)
    warn(loaded.warnings)
    return loaded.settings


def run_options(
    *,
    provider: str | None = None,
    model: str | None = None,
    concurrency: int | None = None,
    timeout: float | None = None,
    cache: bool = True,
    max_spend: float | None = None,
) -> RunOptions:
    """The options of a command as those of its request.

    Raises:
        InputError: one cannot be used.
    """
    if provider is not None and provider not in PROVIDERS:
        raise InputError(f"unknown provider {provider!r}", hint=f"known are {', '.join(PROVIDERS)}")
    return RunOptions(
        provider=provider,
        model=model,
        concurrency=concurrency,
        timeout=timeout,
        cache=cache,
        max_spend=None if max_spend is None else Decimal(str(max_spend)),
    )
