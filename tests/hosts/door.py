"""A loopback proxy that adds the token, for a client that cannot send one.

It hides nothing from the daemon's door: what the client says in `Host` and `Origin` is passed on as it is.
Only the proxy's own port, which the client has to name, becomes the daemon's.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"}
)
NAMES = ("127.0.0.1", "localhost", "[::1]")


@asynccontextmanager
async def open_door(port: int, token: str) -> AsyncGenerator[int]:
    """A port on loopback behind which the daemon at `port` gets every request with its token."""
    here = 0
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:

        def passed_on(name: str, value: str) -> str:
            if name.lower() not in ("host", "origin"):
                return value
            for own in NAMES:
                for form in (f"{own}:{here}", f"http://{own}:{here}"):
                    if value == form:
                        return form.removesuffix(str(here)) + str(port)
            return value

        def kept(headers: Mapping[str, str]) -> list[tuple[str, str]]:
            return [(name, value) for name, value in headers.items() if name.lower() not in HOP]

        async def forward(request: web.Request) -> web.StreamResponse:
            headers = [(name, passed_on(name, value)) for name, value in kept(request.headers)]
            headers.append(("Authorization", f"Bearer {token}"))
            url = f"http://127.0.0.1:{port}{request.path_qs}"
            body = await request.read()
            async with session.request(request.method, url, headers=headers, data=body or None) as answer:
                response = web.StreamResponse(status=answer.status, headers=dict(kept(answer.headers)))
                await response.prepare(request)
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
                await response.write_eof()
                return response

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", forward)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.5)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            here = int(runner.addresses[0][1])
            yield here
        finally:
            await runner.cleanup()
