"""`swarm cache`: answers that are kept."""

import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import typer

from clawswarm.cli.options import AsJson, load_settings
from clawswarm.cli.output import print_json, show, told
from clawswarm.config.model import Cache
from clawswarm.config.paths import Paths
from clawswarm.store.answers import Answers, AnswersSize
from clawswarm.store.connect import connect

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Answers that are kept, so that the same question is paid once.",
    epilog="Example:\n\nswarm cache stats",
)


@app.command(epilog="Example:\n\nswarm cache stats --json")
def stats(as_json: AsJson = False) -> None:
    """How many answers are kept, how large they are, and since when."""
    with told(as_json=as_json):
        settings = load_settings().cache
        path = Paths.of(os.environ).database
        with closing(connect(path)) as store:
            size = Answers(store).size()
        if as_json:
            print_json(_figures(settings, size, path))
            return
        show(
            f"Answers: {size.answers}{'' if settings.enabled else '  (the cache is switched off)'}",
            f"Size:    {size.bytes / 1e6:.2f} MB of {settings.max_mb:g} MB",
            f"Oldest:  {_time(size.oldest) or 'none'}  (kept for {settings.ttl_hours:g} hours)",
            f"File:    {path}",
        )


def _figures(settings: Cache, size: AnswersSize, path: Path) -> dict[str, object]:
    return {
        "enabled": settings.enabled,
        "answers": size.answers,
        "bytes": size.bytes,
        "oldest": _time(size.oldest),
        "ttl_hours": settings.ttl_hours,
        "max_mb": settings.max_mb,
        "path": str(path),
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


@app.command(epilog="Example:\n\nswarm cache clear")
def clear(as_json: AsJson = False) -> None:
    """Forget all answers."""
    with told(as_json=as_json), closing(connect(Paths.of(os.environ).database)) as store:
        removed = Answers(store).clear()
        if as_json:
            print_json({"removed": removed})
        else:
            show(f"Removed {removed} answers.")
