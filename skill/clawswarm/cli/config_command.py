"""`swarm config`: what is configured, and where each value comes from."""

import os

import typer

from clawswarm.cli.options import AsJson
from clawswarm.cli.output import print_json, show, told, warn
from clawswarm.clock import SystemClock
from clawswarm.config.describe import as_json as config_as_json
from clawswarm.config.describe import rows, schema
from clawswarm.config.keys import Key, find_key
from clawswarm.config.load import load
from clawswarm.config.model import ProviderName, Settings
from clawswarm.config.paths import Paths
from clawswarm.errors import ConfigError
from clawswarm.providers.address import KEYED, PLACES
from clawswarm.providers.models import retirement_warning

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Show the configuration, and where each value comes from.",
    epilog="Example:\n\nswarm config show",
)


@app.command("show", epilog="Example:\n\nswarm config show --json")
def show_command(as_json: AsJson = False) -> None:
    """Every setting with its value and its origin; keys masked."""
    with told(as_json=as_json):
        loaded = load(os.environ)
        keys = _keys(loaded.settings)
        warnings = [*loaded.warnings, *_retired(loaded.settings)]
        if as_json:
            document = config_as_json(loaded) | {"keys": keys, "warnings": warnings}
            print_json(document)
            return
        warn(warnings)
        table = [(row.key, row.value, row.origin) for row in rows(loaded)]
        table += [(f"key {name}", entry["key"], entry["origin"]) for name, entry in keys.items()]
        widths = [max(len(line[column]) for line in table) for column in (0, 1)]
        show(*(f"{key:<{widths[0]}}  {value:<{widths[1]}}  {origin}" for key, value, origin in table))


@app.command("schema", epilog="Example:\n\nswarm config schema > node-scaling.schema.json")
def schema_command() -> None:
    """The JSON Schema of the configuration file, for editors and for checks."""
    with told():
        print_json(schema())


@app.command(epilog='Example:\n\n$EDITOR "$(swarm config path)"')
def path(as_json: AsJson = False) -> None:
    """Where the configuration file is, or would be."""
    with told(as_json=as_json):
        place = Paths.of(os.environ).config
        if as_json:
            print_json({"path": str(place), "exists": place.exists()})
        else:
            show(str(place))


def _keys(settings: Settings) -> dict[str, dict[str, str]]:
    """Each provider's key, masked, with the place it was found in."""
    folder = Paths.of(os.environ).keys
    variables: dict[ProviderName, str | None] = {name: PLACES[name].key_variable for name in KEYED}
    for service in (settings.provider, *settings.provider.fallback):
        if service.name is not None and service.api_key_env is not None:
            variables[service.name] = service.api_key_env
    found: dict[str, dict[str, str]] = {}
    for name, variable in variables.items():
        try:
            key: Key | None = find_key(name, variable, os.environ, folder)
        except ConfigError as error:
            found[name] = {"key": "unusable", "origin": error.message}
            continue
        if key is not None:
            found[name] = {"key": key.masked, "origin": key.origin}
    return found


def _retired(settings: Settings) -> list[str]:
    today = SystemClock().now().date()
    found: list[str] = []
    for service in (settings.provider, *settings.provider.fallback):
        if service.name is not None and service.model is not None:
            warning = retirement_warning(service.name, service.model, today)
            found += [warning] if warning else []
    return found
