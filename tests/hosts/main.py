"""Everything in turn: `tests/hosts/run`."""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio

from clawswarm.access.presence import look
from clawswarm.config.paths import Paths
from clawswarm.config.token import read_token
from tests.hosts.clients import Clients, over_http, over_stdio
from tests.hosts.commands import Place, ProblemError, left_behind, say, swarm
from tests.hosts.door import open_door
from tests.hosts.openclaw import OpenClaw
from tests.hosts.packages import Packages, installed
from tests.hosts.report import Report

GROUPS = ("conformance", "inspector", "mcporter", "openclaw")
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Status 0 when every check passed."""
    parser = argparse.ArgumentParser("tests/hosts/run", description="Swarm under real MCP clients and hosts.")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"all, or some of: {', '.join(GROUPS)}")
    parser.add_argument("--packages", type=Path, help="where the npm packages go, and stay for the next time")
    parser.add_argument("--newest", action="store_true", help="the newest packages, not the known versions")
    given = parser.parse_args()
    if unknown := set(given.groups) - set(GROUPS):
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    groups = tuple(given.groups or GROUPS)
    folder = Path(given.packages or _folder()).absolute()
    report = Report()
    with tempfile.TemporaryDirectory(prefix="swarm-hosts-", ignore_cleanup_errors=True) as made:
        root = Path(made).resolve()
        anyio.run(partial(_until_told, groups, folder, root, report, newest=given.newest))
    say(f"{report.passed} passed, {len(report.failed)} failed")
    return 1 if report.failed else 0


def _folder() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "clawswarm-hosts"


async def _until_told(
    groups: tuple[str, ...], folder: Path, root: Path, report: Report, *, newest: bool
) -> None:
    """All checks, or those until somebody ends this; nothing is left running either way."""
    async with anyio.create_task_group() as group:
        group.start_soon(_ended, group.cancel_scope, report)
        try:
            await _all(groups, folder, root, report, newest=newest)
        except ProblemError as problem:
            report.fail("preparing", problem)
        finally:
            with anyio.CancelScope(shield=True):
                await report.check("nothing is left running", partial(_nothing_left, root))
        group.cancel_scope.cancel()


async def _ended(scope: anyio.CancelScope, report: Report) -> None:
    with anyio.open_signal_receiver(*ENDINGS) as signals:
        async for number in signals:
            report.fail("all checks", f"ended by {number.name}")
            scope.cancel()


async def _all(groups: tuple[str, ...], folder: Path, root: Path, report: Report, *, newest: bool) -> None:
    path = os.environ["PATH"]
    place = Place.made(root / "home", path)
    packages = await installed(folder, place, newest=newest)
    say(" · ".join(f"{name} {version}" for name, version in packages.versions.items()))
    if set(groups) - {"openclaw"}:
        await _clients(groups, packages, place, report)
    if "openclaw" in groups:
        await OpenClaw(packages, Place.made(root / "host", path), report).checks()


async def _clients(groups: tuple[str, ...], packages: Packages, place: Place, report: Report) -> None:
    clients = Clients(packages, place, report)
    async with _daemon(place) as (port, token):
        if "conformance" in groups:
            async with open_door(port, token) as door:
                await clients.conformance(door)
        for target in (over_stdio(), over_http(port, token)):
            if "inspector" in groups:
                await clients.inspector(target)
            if "mcporter" in groups:
                await clients.mcporter(target)


@asynccontextmanager
async def _daemon(place: Place) -> AsyncGenerator[tuple[int, str]]:
    """A daemon in this home: its port and its token."""
    try:
        await place.good(swarm("start"))
        paths = Paths.of({"HOME": str(place.home)})
        presence, token = look(paths), read_token(paths)
        if presence is None or presence.port is None or token is None:
            raise ProblemError("the daemon said that it had started, and is not there")
        yield presence.port, token
    finally:
        with anyio.CancelScope(shield=True):
            await place.run(swarm("stop"))


async def _nothing_left(root: Path) -> str:
    living = await left_behind(root)
    if living is None:
        return "not looked at: this system does not tell"
    if living:
        raise ProblemError(f"still running, and killed: {'; '.join(living)}")
    return "no process"


if __name__ == "__main__":
    sys.exit(main())
