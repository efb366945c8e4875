"""A notification on the desktop, where the system offers one. Its text is an argument, and never a script."""

import html
import os
import shutil
from collections.abc import Mapping
from subprocess import DEVNULL

import anyio

from clawswarm.clock import Clock
from clawswarm.team.alert_channel import Call, Refused
from clawswarm.types.team import Channel, Level

PATIENCE = 10.0
"""Seconds that the program may take."""

MOST = 300
"""Characters of a text that a notification has room for."""

_APPLESCRIPT = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)


class Desktop:
    """Shows alerts with the system's own program."""

    def __init__(self, environ: Mapping[str, str], clock: Clock, *, enabled: bool = True) -> None:
        self._environ = environ
        self._enabled = enabled
        self._clock = clock

    @property
    def name(self) -> Channel:
        return "desktop"

    async def tell(self, call: Call) -> str:
        if not self._enabled:
            raise Refused("it is switched off here: team.alerts.desktop", final=True)
        path = self._environ.get("PATH", os.defpath)
        for program, command in (("notify-send", _notify_send), ("osascript", _osascript)):
            if found := shutil.which(program, path=path):
                await self._show(program, [found, *command(call)])
                return f"{program}: exit code 0"
        raise Refused("neither notify-send nor osascript is here", final=True)

    async def _show(self, program: str, command: list[str]) -> None:
        with anyio.CancelScope() as scope:
            timer = self._clock.call_at(self._clock.monotonic() + PATIENCE, scope.cancel)
            try:
                done = await anyio.run_process(
                    command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, check=False, env=self._environ
                )
            except OSError as error:
                raise Refused(f"{program} cannot be run: {error.strerror}") from error
            finally:
                timer.cancel()
            if done.returncode == 0:
                return
            raise Refused(f"{program}: exit code {done.returncode}")
        raise Refused(f"{program} did not end within {PATIENCE:g} seconds")


def _notify_send(call: Call) -> list[str]:
    """It reads the text as a little HTML."""
    title, text = _texts(call)
    return ["--urgency=critical", "--app-name=Swarm", "--", title, html.escape(text, quote=False)]


def _osascript(call: Call) -> list[str]:
    script = [word for line in _APPLESCRIPT for word in ("-e", line)]
    return [*script, *_texts(call)]


def _texts(call: Call) -> tuple[str, str]:
    """Title and text. No option begins like the title, and what follows it is none."""
    alert = call.alert
    level = "stop" if alert.level >= Level.ABORT else "a human is needed"
    return f"Swarm: {level}", _cut(f"{alert.title}\n{alert.body}")


def _cut(text: str) -> str:
    plain = "".join(sign for sign in text if sign == "\n" or sign.isprintable())
    return plain if len(plain) <= MOST else f"{plain[: MOST - 1]}…"
