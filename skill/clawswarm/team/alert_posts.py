"""An alert as the request that a webhook expects: which one it is, its address says.

Texts are data: nothing in them becomes a mention, a link or a header of its own.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx2
from pydantic_core import to_json

from clawswarm.config.keys import Key
from clawswarm.team.alert_channel import Call, Refused
from clawswarm.types.alarms import Alert
from clawswarm.types.team import Level
from clawswarm.version import __version__

SLACK_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
DISCORD_HOSTS = ("discord.com", "discordapp.com")
TELEGRAM_HOST = "api.telegram.org"

MOST_SLACK = 8_000
MOST_DISCORD = 2_000
MOST_TELEGRAM = 4_096
MOST_NTFY = 4_000
"""Characters (ntfy: bytes) that each takes as one message, with some to spare."""


@dataclass(frozen=True, slots=True)
class Post:
    """A POST that is ready to be sent. Its address may be a secret."""

    url: httpx2.URL = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def post_of(address: str, call: Call, *, at: int, secret: Key | None, telegram_chat: str | None) -> Post:
    """The request that tells of an alert.

    Args:
        at: when it is sent, in seconds since 1970.
        secret: signs the body.

    Raises:
        Refused: Telegram is to be told, and nobody says in which chat.
    """
    url, alert = httpx2.URL(address), call.alert
    kind, body, special = "application/json", b"", dict[str, str]()
    match _service(url):
        case "slack":
            body = to_json({"text": _slack(_words(alert, MOST_SLACK))})
        case "discord":
            words = _words(alert, MOST_DISCORD)
            body = to_json({"content": words, "allowed_mentions": {"parse": list[str]()}})
        case "telegram":
            if telegram_chat is None:
                raise Refused("Telegram needs a chat: set team.alerts.telegram_chat")
            url = url.copy_with(path=f"{url.path.removesuffix('/').removesuffix('/sendMessage')}/sendMessage")
            body = to_json({"chat_id": telegram_chat, "text": _words(alert, MOST_TELEGRAM)})
        case "ntfy":
            kind = "text/plain; charset=utf-8"
            body = alert.body.encode("utf-8", "replace")[:MOST_NTFY].decode("utf-8", "ignore").encode()
            special = {
                "Title": _header(alert.title),
                "Priority": "5" if alert.level >= Level.ABORT else "4",
            }
        case _:
            body = to_json(
                {
                    "id": alert.id, "run": call.run, "level": int(alert.level), "cause": call.cause,
                    "title": alert.title, "text": alert.body, "at": alert.at, "emergency": alert.emergency,
                }
            )  # fmt: skip
    headers = {
        "Content-Type": kind,
        "User-Agent": f"clawswarm/{__version__}",
        "Idempotency-Key": _header(call.id),
        **special,
    }
    if secret is not None:
        headers |= {"X-Swarm-Timestamp": str(at), "X-Swarm-Signature": signature(secret, at, body)}
    return Post(url, headers, body)


def signature(secret: Key, at: int, body: bytes) -> str:
    """What proves where a body comes from, and when: a receiver computes it again and compares."""
    signed = f"{at}.".encode() + body
    return "sha256=" + hmac.new(secret.value.encode(), signed, hashlib.sha256).hexdigest()


def _service(url: httpx2.URL) -> str:
    host, path = url.host.lower(), url.path
    if host in SLACK_HOSTS:
        return "slack"
    if path.startswith("/api/") and "/webhooks/" in path and _below(host, DISCORD_HOSTS):
        return "discord"
    if host == TELEGRAM_HOST and path.startswith("/bot"):
        return "telegram"
    return "ntfy" if "ntfy" in host or "ntfy" in path.lower() else ""


def _below(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _words(alert: Alert, most: int) -> str:
    """Title and text in at most that many characters, as services count them."""
    words = f"{alert.title}\n\n{alert.body}".encode("utf-16-le", "replace")
    if len(words) <= 2 * most:
        return words.decode("utf-16-le")
    return words[: 2 * (most - 1)].decode("utf-16-le", "ignore") + "…"


def _slack(words: str) -> str:
    """Three characters would be a link or a mention."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _header(text: str) -> str:
    """A text that can travel in a header (RFC 2047 where it is not ASCII)."""
    flat = " ".join(text.split())[:200]
    if flat.isascii() and flat.isprintable():
        return flat
    return f"=?UTF-8?B?{base64.b64encode(flat.encode('utf-8', 'replace')).decode()}?="
