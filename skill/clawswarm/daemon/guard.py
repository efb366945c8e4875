"""The door: who may talk to the daemon, and how much they may say. Checked before anything is read.

A web page that the user visits can send requests to 127.0.0.1, and can point a name of its own at it (DNS
rebinding). So the `Host` must be ours, an `Origin` must be ours, and every request but `GET /health` needs
the token, in a header that no other origin's page can set without asking first. There is nothing to ask:
no CORS header is ever sent.
"""

import hmac
from collections.abc import Mapping
from typing import Any

import anyio
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clawswarm.daemon.errors import details

OPEN = frozenset({"/health"})
"""Paths that need no token, for GET."""

NAMES = ("127.0.0.1", "localhost", "[::1]")

BODY_TIMEOUT = 30.0
"""Seconds in which a body must have arrived: everybody is on this machine."""


class Guard:
    """Lets through what comes from this machine's user, whole and not too large."""

    def __init__(self, app: ASGIApp, *, token: str, max_body: int) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        if (refusal := self._refusal(scope)) is not None:
            await refusal(scope, receive, send)
            return
        body = await self._body(scope, receive)
        if isinstance(body, JSONResponse):
            await body(scope, receive, send)
        elif body is not None:
            await self._app(scope, _replay(body, receive), send)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in (b"host", b"origin", b"authorization") and name in headers:
                return _refused(400, "bad_request", f"there are two {name.decode()} headers")
            headers[name] = value
        port = (scope.get("server") or ("", 0))[1]
        ours = {f"{name}:{port}" for name in NAMES}
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if host not in ours:
            return _refused(
                403, "foreign_host", "this host name is not the daemon's", f"use {NAMES[0]}:{port}"
            )
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1").lower() not in {f"http://{name}" for name in ours}:
            return _refused(403, "foreign_origin", "pages of other origins may not talk to the daemon")
        if scope["method"] in ("GET", "HEAD") and scope["path"] in OPEN:
            return None
        given = headers.get(b"authorization", b"")
        if not hmac.compare_digest(given, self._expected):
            hint = 'send "Authorization: Bearer $(cat ~/.config/clawdbot/swarm-token)"'
            what = "the token is wrong" if given else "the token is missing"
            return _refused(401, "unauthorized", what, hint, {"WWW-Authenticate": "Bearer"})
        return None

    async def _body(self, scope: Scope, receive: Receive) -> bytes | JSONResponse | None:
        """The whole body; a refusal if it is too large or too slow; None when the client has left."""
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._max_body:
            return self._too_large()
        chunks: list[bytes] = []
        size = 0
        with anyio.move_on_after(BODY_TIMEOUT):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                chunks.append(message.get("body", b""))
                size += len(chunks[-1])
                if size > self._max_body:
                    return self._too_large()
                if not message.get("more_body", False):
                    return b"".join(chunks)
        return _refused(408, "too_slow", f"the body did not arrive within {BODY_TIMEOUT:g} s")

    def _too_large(self) -> JSONResponse:
        return _refused(
            413,
            "too_large",
            f"the body is larger than {self._max_body / 1_000_000:g} MB",
            "send fewer prompts at once, or raise daemon.max_body_mb",
            {"Connection": "close"},
        )


def _refused(
    status: int,
    code: str,
    message: str,
    hint: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    return JSONResponse({"error": details(code, message, hint)}, status, headers)


def _replay(body: bytes, receive: Receive) -> Receive:
    """`receive` that hands out the body that was read already, then goes on with what comes after it."""
    first: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return first.pop() if first else await receive()

    return replay
