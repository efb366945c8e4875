"""Options that several commands share, and the settings they make."""

import os
from decimal import Decimal
from typing import Annotated, get_args

import typer

from clawswarm.cli.output import warn
from clawswarm.config.choice import with_limits, with_provider, with_run_cap, without_cache
from clawswarm.config.load import load
from clawswarm.config.model import ProviderName, Settings
from clawswarm.errors import InputError

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


def load_settings(
    *,
    provider: str | None = None,
    model: str | None = None,
    concurrency: int | None = None,
    timeout: float | None = None,
    cache: bool = True,
    max_spend: Decimal | None = None,
) -> Settings:
    """The user's settings, changed by the options of a command.

    Raises:
        ConfigError: the configuration cannot be used.
        InputError: an option cannot be used.
    """
    if provider is not None and provider not in PROVIDERS:
        raise InputError(f"unknown provider {provider!r}", hint=f"known are {', '.join(PROVIDERS)}")
    loaded = load(os.environ)
    warn(loaded.warnings)
    settings = with_provider(loaded.settings, provider, model)
    settings = with_limits(settings, concurrency=concurrency, timeout=timeout)
    settings = with_run_cap(settings, max_spend)
    return settings if cache else without_cache(settings)
