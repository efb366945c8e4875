"""`swarm savings`: what was spent, and what was saved."""

import os
from contextlib import closing
from datetime import timedelta
from typing import Annotated

import typer

from clawswarm.cli.options import AsJson, load_settings
from clawswarm.cli.output import print_json, show, told
from clawswarm.clock import SystemClock, local_day
from clawswarm.config.paths import Paths
from clawswarm.modes.savings import REFERENCE, Savings, reference_sheet, savings
from clawswarm.store.connect import connect
from clawswarm.store.ledger import DayTotal, Ledger
from clawswarm.types.money import show_usd, to_pico, to_usd

app = typer.Typer(add_completion=False)


@app.command("savings", epilog="Example:\n\nswarm savings --days 7")
def savings_command(
    days: Annotated[int, typer.Option(min=1, help="How many days back, today included.")] = 30,
    against: Annotated[str, typer.Option(help="The model that the same tokens are priced at.")] = REFERENCE,
    as_json: AsJson = False,
) -> None:
    """What was spent, what the same tokens cost elsewhere, what the cache and working side by side saved."""
    with told(as_json=as_json):
        now = SystemClock().now()
        settings = load_settings()
        sheet = reference_sheet(against, now)
        since = local_day(now - timedelta(days=days - 1))
        with closing(connect(Paths.of(os.environ).database)) as store:
            ledger = Ledger(store)
            found = savings(ledger.usage(since), sheet)
            today = ledger.total(local_day(now))
        cap = settings.cost.max_daily_spend
        cap_pico = None if cap is None else to_pico(cap)
        if as_json:
            print_json(_as_json(found, today, cap_pico, since, against))
        else:
            _print(found, today, cap_pico, days, against)


def _as_json(found: Savings, today: DayTotal, cap: int | None, since: str, against: str) -> dict[str, object]:
    return {
        "since": since,
        "tasks": found.tasks,
        "failed": found.failed,
        "cached": found.cached,
        "input_tokens": found.input_tokens,
        "output_tokens": found.output_tokens,
        "cost_usd": None if found.unknown_cost else to_usd(found.known_cost),
        "known_cost_usd": to_usd(found.known_cost),
        "tasks_of_unknown_cost": found.unknown_cost,
        "reference_model": against,
        "reference_cost_usd": to_usd(found.reference_cost),
        "cache_saved_usd": to_usd(found.reused),
        "calls_ms": found.busy_ms,
        "elapsed_ms": found.wall_ms,
        "today": {
            "spent_usd": to_usd(today.spent),
            "uncertain_usd": to_usd(today.uncertain),
            "reserved_usd": to_usd(today.held),
            "cap_usd": to_usd(cap),
        },
    }


def _print(found: Savings, today: DayTotal, cap: int | None, days: int, against: str) -> None:
    least = "at least " if found.unknown_cost else ""
    spent_today = show_usd(today.spent)
    if today.uncertain:
        spent_today += f" (and up to {show_usd(today.uncertain)} for calls whose end nobody saw)"
    rows = [
        ("Tasks", f"{found.tasks} in {days} days, {found.failed} failed, {found.cached} answered from cache"),
        ("Tokens", f"{found.input_tokens} in, {found.output_tokens} out"),
        ("Spent", f"{least}{show_usd(found.known_cost)}"),
        ("Elsewhere", f"{show_usd(found.reference_cost)} for the same tokens on {against}"),
        ("Cache", f"{show_usd(found.reused)} not paid again"),
        ("Time", f"{found.wall_ms / 1000:.1f} s for calls that took {found.busy_ms / 1000:.1f} s in all"),
        ("Today", f"{spent_today}, {'no daily cap' if cap is None else f'of a cap of {show_usd(cap)}'}"),
    ]
    show(*(f"{name + ':':<11}{value}" for name, value in rows))
