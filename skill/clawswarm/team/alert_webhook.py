"""The webhook: a POST that somebody's phone hears of (operations guide, section 4, option 3).

It is sent at least once. A crash between its acceptance and the receipt sends it again, with the same
`Idempotency-Key`, by which the receiver knows it. The address may be a secret: no text of ours repeats it.
"""

import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import anyio
import httpx2

from clawswarm.clock import Clock
from clawswarm.config.keys import Key
from clawswarm.config.team import Alerts
from clawswarm.errors import ConfigError, TaskError
from clawswarm.providers.http import Http
from clawswarm.team.alert_channel import Call, Refused
from clawswarm.team.alert_posts import Post, post_of
from clawswarm.types.team import Channel

PATIENCE = 20.0
"""Seconds for one try, answer included."""

SECRET_FILE = "swarm-webhook-secret.txt"  # noqa: S105 - a file's name
LARGEST_SECRET = 4096

_ADVICE = {
    301: "the address has moved: set team.alerts.webhook to the new one",
    302: "the address has moved: set team.alerts.webhook to the new one",
    307: "the address has moved: set team.alerts.webhook to the new one",
    308: "the address has moved: set team.alerts.webhook to the new one",
    401: "check the address and its token",
    403: "check the address and its token",
    404: "check the address: nobody listens there",
    410: "check the address: nobody listens there any more",
    413: "it takes no text of this size",
    429: "it limits how often it is told",
}


class Webhook:
    """Posts alerts to one address.

    Args:
        secret: looks for what signs the body, each time, so that a file can be put right meanwhile.
    """

    def __init__(self, http: Http, settings: Alerts, clock: Clock, secret: Callable[[], Key | None]) -> None:
        self._http = http
        self._settings = settings
        self._clock = clock
        self._secret = secret

    @property
    def name(self) -> Channel:
        return "webhook"

    async def tell(self, call: Call) -> str:
        if self._settings.webhook is None:
            raise Refused("no address is configured here: set team.alerts.webhook")
        post = post_of(
            self._settings.webhook,
            call,
            at=int(self._clock.now().timestamp()),
            secret=self._key(),
            telegram_chat=self._settings.telegram_chat,
        )
        with anyio.CancelScope() as scope:
            timer = self._clock.call_at(self._clock.monotonic() + PATIENCE, scope.cancel)
            try:
                status = await self._status(post)
            finally:
                timer.cancel()
            if 200 <= status < 300:
                return f"HTTP {status}"
            advice = _ADVICE.get(status)
            raise Refused(f"HTTP {status}" + (f": {advice}" if advice else ""))
        raise Refused(f"no answer within {PATIENCE:g} seconds")

    def _key(self) -> Key | None:
        try:
            return self._secret()
        except ConfigError as error:
            raise Refused(f"{error.message}: {error.hint}") from error

    async def _status(self, post: Post) -> int:
        try:
            return (await self._http.post(post.url, httpx2.Headers(dict(post.headers)), post.body)).status
        except TaskError as error:
            raise Refused(_without(error.message, post.url)) from None


def webhook_secret(settings: Alerts, environ: Mapping[str, str], keys: Path) -> Key | None:
    """What signs the body: from the configured variable, else from `swarm-webhook-secret.txt`; None: nothing.

    Raises:
        ConfigError: the file can be read by others, or cannot be read, or is empty.
    """
    variable = settings.webhook_secret_env
    if value := environ.get(variable, "").strip():
        return Key(value, variable)
    path = keys / SECRET_FILE
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(path.stat().st_mode)
            value = file.read(LARGEST_SECRET).decode().strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"secret file {path} cannot be read: {error}", hint="write the secret into it anew"
        ) from error
    if mode & 0o077:
        raise ConfigError(
            f"secret file {path} can be read by other users (mode {mode:04o})", hint=f"run: chmod 600 {path}"
        )
    if not value:
        raise ConfigError(f"secret file {path} is empty", hint="write the secret into it, or remove the file")
    return Key(value, str(path))


def _without(text: str, url: httpx2.URL) -> str:
    """`text` without what of the address may be secret: all but the host."""
    for part in (str(url), url.raw_path.decode("ascii", "replace"), url.path, url.userinfo.decode()):
        if len(part) > 1:
            text = text.replace(part, "…")
    return text
