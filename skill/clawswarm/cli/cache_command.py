"""`swarm cache`: answers that are kept."""

import os
from contextlib import closing
from datetime import UTC, datetime

import typer

from clawswarm.cli.options import AsJson, load_settings
from clawswarm.cli.output import print_json, told
from clawswarm.config.paths import Paths
from clawswarm.store.answers import Answers
from clawswarm.store.connect import connect

app = typer.Typer(no_args_is_help=True, help="Answers that are kept, so that the same question is paid once.")


@app.command(epilog="Example:\n\nswarm cache stats --json")
def stats(as_json: AsJson = False) -> None:
    """How many answers are kept, how large they are, and since when."""
    with told(as_json=as_json):
        settings = load_settings().cache
        path = Paths.of(os.environ).database
        with closing(connect(path)) as store:
            size = Answers(store).size()
    oldest = (
        None
        if size.oldest is None
        else datetime.fromtimestamp(size.oldest, UTC).isoformat(timespec="seconds")
    )
    if as_json:
        print_json(
            {
                "enabled": settings.enabled,
                "answers": size.answers,
                "bytes": size.bytes,
                "oldest": oldest,
                "ttl_hours": settings.ttl_hours,
                "max_mb": settings.max_mb,
                "path": str(path),
            }
        )
        return
    typer.echo(f"Answers: {size.answers}{'' if settings.enabled else '  (the cache is switched off)'}")
    typer.echo(f"Size:    {size.bytes / 1e6:.2f} MB of {settings.max_mb:g} MB")
    typer.echo(f"Oldest:  {oldest or 'none'}, kept for {settings.ttl_hours:g} hours")
    typer.echo(f"File:    {path}")


@app.command(epilog="Example:\n\nswarm cache clear")
def clear(as_json: AsJson = False) -> None:
    """Forget all answers."""
    with told(as_json=as_json), closing(connect(Paths.of(os.environ).database)) as store:
        removed = Answers(store).clear()
    if as_json:
        print_json({"removed": removed})
    else:
        typer.echo(f"Removed {removed} answers.")
