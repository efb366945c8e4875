"""The webhook: what each service is sent, how it is signed, and what a refusal says."""

import hashlib
import hmac
import logging
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import from_json

from clawswarm.config.keys import Key
from clawswarm.config.team import Alerts
from clawswarm.errors import ConfigError
from clawswarm.providers.http import open_http
from clawswarm.team.alert_channel import Call, Refused
from clawswarm.team.alert_posts import Post, post_of
from clawswarm.team.alert_webhook import PATIENCE, Webhook, webhook_secret
from clawswarm.types.alarms import Alert
from clawswarm.types.team import Level
from tests.clock import FakeClock
from tests.team.hooks import Hook

TOKEN = "T0KEN-that-nobody-may-read"
SLACK = f"https://hooks.slack.com/services/T0/B0/{TOKEN}"
DISCORD = f"https://discord.com/api/webhooks/123/{TOKEN}"
TELEGRAM = f"https://api.telegram.org/bot{TOKEN}"
SECRET = Key("a secret", "a test")


def call(body: str = "the disk is on fire", title: str = "Swarm: level 3", level: int = 3) -> Call:
    alert = Alert(
        id="a7",
        emergency="e6",
        level=Level(level),
        at=1769573520.5,
        title=title,
        body=body,
        wanted=("webhook",),
    )
    return Call("r1", alert, "resource")


def post(url: str, told: Call | None = None, **options: Any) -> Post:
    given: dict[str, Any] = {"at": 1769573521, "secret": None, "telegram_chat": "42"} | options
    return post_of(url, told or call(), **given)


def told(url: str, body: str) -> dict[str, Any]:
    return from_json(post(url, call(body)).body)


def test_any_other_service_gets_json() -> None:
    sent = post("https://example.org/hook")
    assert from_json(sent.body) == {
        "id": "a7",
        "run": "r1",
        "level": 3,
        "cause": "resource",
        "title": "Swarm: level 3",
        "text": "the disk is on fire",
        "at": 1769573520.5,
        "emergency": "e6",
    }
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.headers["Idempotency-Key"] == "r1/a7"
    assert "X-Swarm-Signature" not in sent.headers


def test_slack_gets_a_text_that_mentions_nobody() -> None:
    assert told(SLACK, "<!channel> a < b & c") == {
        "text": "Swarm: level 3\n\n&lt;!channel&gt; a &lt; b &amp; c"
    }


@pytest.mark.parametrize("host", ["discord.com", "discordapp.com", "canary.discord.com"])
def test_discord_gets_a_content_that_mentions_nobody(host: str) -> None:
    sent = told(f"https://{host}/api/webhooks/1/x", "@everyone")
    assert sent == {"content": "Swarm: level 3\n\n@everyone", "allowed_mentions": {"parse": []}}


@pytest.mark.parametrize("letter", ["x", "é", "🔥"])
def test_discord_takes_2000_characters(letter: str) -> None:
    content = told(DISCORD, letter * 5000)["content"]
    assert len(content.encode("utf-16-le")) // 2 in (1999, 2000)
    assert content.endswith(f"{letter}…")


@pytest.mark.parametrize("path", ["", "/", "/sendMessage"])
def test_telegram_gets_a_message_for_the_chat(path: str) -> None:
    sent = post(TELEGRAM + path)
    assert str(sent.url) == f"{TELEGRAM}/sendMessage"
    assert from_json(sent.body) == {"chat_id": "42", "text": "Swarm: level 3\n\nthe disk is on fire"}
    with pytest.raises(Refused, match=r"set team\.alerts.telegram_chat"):
        post(TELEGRAM, telegram_chat=None)


@pytest.mark.parametrize(
    "url", ["https://ntfy.sh/topic", "https://ntfy.example.org/t", "http://localhost/ntfy/t"]
)
def test_ntfy_gets_the_text_with_headers(url: str) -> None:
    sent = post(url, call("Es brennt: 80 °C", "Löschen\r\nX-Evil: 1", 4))
    assert sent.body == "Es brennt: 80 °C".encode()
    assert sent.headers["Priority"] == "5"
    title = sent.headers["Title"]
    assert title.isascii()
    assert b64decode(title.removeprefix("=?UTF-8?B?").removesuffix("?=")).decode() == "Löschen X-Evil: 1"
    assert post(url).headers["Title"] == "Swarm: level 3"
    assert post(url).headers["Priority"] == "4"


def test_ntfy_gets_no_more_than_it_takes_and_no_half_character() -> None:
    body = post("https://ntfy.sh/topic", call("é" * 5000)).body
    assert body == "é".encode() * 2000


@pytest.mark.parametrize(
    "url",
    [
        "https://slack.com.evil.example/x",
        "https://evil.example/?hooks.slack.com",
        "https://notdiscord.com/api/webhooks/1",
    ],
)
def test_a_service_is_known_by_its_host(url: str) -> None:
    assert "emergency" in from_json(post(url).body)


def test_the_signature_proves_body_and_time() -> None:
    sent = post("https://example.org/hook", secret=SECRET)
    signed = b"1769573521." + sent.body
    assert sent.headers["X-Swarm-Timestamp"] == "1769573521"
    assert sent.headers["X-Swarm-Signature"] == (
        "sha256=" + hmac.new(b"a secret", signed, hashlib.sha256).hexdigest()
    )


def test_a_post_that_is_printed_shows_no_address() -> None:
    assert TOKEN not in repr(post(SLACK))


# Sending.


async def tell(url: str | None, clock: FakeClock, secret: Key | None = SECRET) -> str:
    async with open_http({}) as http:
        return await Webhook(http, Alerts(webhook=url), clock, lambda: secret).tell(call())


@pytest.mark.anyio
async def test_what_is_accepted_comes_with_its_status(clock: FakeClock) -> None:
    async with Hook(204) as hook:
        assert await tell(hook.url, clock) == "HTTP 204"
    (heard,) = hook.heard
    at = int(clock.now().timestamp())
    assert heard.headers["X-Swarm-Timestamp"] == str(at)
    signed = f"{at}.".encode() + heard.body
    assert heard.headers["X-Swarm-Signature"] == (
        "sha256=" + hmac.new(b"a secret", signed, hashlib.sha256).hexdigest()
    )
    assert heard.json()["id"] == "a7"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "says"),
    [
        (503, "HTTP 503"),
        (404, "HTTP 404: check the address: nobody listens there"),
        (401, "HTTP 401: check the address and its token"),
        (302, "HTTP 302: the address has moved"),
    ],
)
async def test_what_is_refused_says_why_and_redirects_are_not_followed(
    status: int, says: str, clock: FakeClock
) -> None:
    async with Hook(status) as hook:
        with pytest.raises(Refused) as caught:
            await tell(hook.url, clock)
    assert caught.value.reason.startswith(says)
    assert [heard.path for heard in hook.heard] == ["/hook"]


@pytest.mark.anyio
async def test_nobody_listens_and_the_reason_keeps_the_address(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with Hook() as hook:
        base = hook.base
    with pytest.raises(Refused) as caught:
        await tell(f"{base.replace('//', f'//user:{TOKEN}@')}/{TOKEN}?key={TOKEN}", clock)
    assert "no connection" in caught.value.reason
    assert TOKEN not in caught.value.reason
    assert TOKEN not in caplog.text


@pytest.mark.anyio
async def test_who_does_not_answer_is_given_up(clock: FakeClock) -> None:
    async with Hook() as hook, clock.auto():
        hook.hanging = True
        with pytest.raises(Refused, match="no answer within 20 seconds"):
            await tell(hook.url, clock)
    assert clock.elapsed == PATIENCE


@pytest.mark.anyio
async def test_without_an_address_nobody_is_told(clock: FakeClock) -> None:
    with pytest.raises(Refused, match=r"set team\.alerts\.webhook"):
        await tell(None, clock)


@pytest.mark.anyio
async def test_a_secret_that_cannot_be_read_is_a_refusal_that_says_so(
    clock: FakeClock, tmp_path: Path
) -> None:
    path = tmp_path / "swarm-webhook-secret.txt"
    path.write_text("hush")
    path.chmod(0o644)
    async with Hook() as hook, open_http({}) as http:
        settings = Alerts(webhook=hook.url)
        webhook = Webhook(http, settings, clock, lambda: webhook_secret(settings, {}, tmp_path))
        with pytest.raises(Refused, match=r"can be read by other users.*chmod 600"):
            await webhook.tell(call())
        path.chmod(0o600)
        assert await webhook.tell(call()) == "HTTP 200"
    assert "X-Swarm-Signature" in hook.heard[0].headers


def test_where_the_secret_comes_from(tmp_path: Path) -> None:
    settings = Alerts(webhook_secret_env="HOOK_KEY")
    assert webhook_secret(settings, {}, tmp_path) is None
    path = tmp_path / "swarm-webhook-secret.txt"
    path.write_text("from the file\n")
    path.chmod(0o600)
    assert webhook_secret(settings, {}, tmp_path) == Key("from the file", str(path))
    assert webhook_secret(settings, {"HOOK_KEY": " from there "}, tmp_path) == Key("from there", "HOOK_KEY")
    path.write_text(" \n")
    with pytest.raises(ConfigError, match="is empty"):
        webhook_secret(settings, {}, tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        webhook_secret(settings, {}, tmp_path)
