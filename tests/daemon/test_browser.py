"""A web page in a real browser, on another origin, tries to drive the daemon."""

import json
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from aiohttp import web

from tests.daemon.served import Served, serve, settings_of

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome-headless-shell")
BROWSER = next((path for name in BROWSERS if (path := shutil.which(name))), None)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow(reason="starts a browser"),
    pytest.mark.timeout(60),
    pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on this machine"),
]

PAGE = """<!doctype html><script>
const daemon = "http://127.0.0.1:PORT";
const ask = (path, options) => fetch(daemon + path, options).then(
  answer => answer.type === "opaque" ? "opaque" : "read " + answer.status, () => "refused");
const body = JSON.stringify({prompts: ["from a page"]});
const token = {"Authorization": "Bearer guess", "Content-Type": "application/json"};
const socket = () => new Promise(done => {
  const opened = new WebSocket("ws://127.0.0.1:PORT/parallel");
  opened.onopen = () => done("open"); opened.onerror = () => done("refused");
});
(async () => {
  const found = [
    await ask("/health"), await ask("/status"), await ask("/parallel", {method: "POST", body}),
    await ask("/parallel", {method: "POST", headers: token, body}),
    await ask("/parallel", {method: "POST", mode: "no-cors", body}), await socket(),
  ];
  await fetch("/report", {method: "POST", body: JSON.stringify(found)});
})();
</script><form></form>"""


@asynccontextmanager
async def page_of(served: Served, reports: list[list[str]], told: anyio.Event) -> AsyncGenerator[str]:
    """Another origin, with a page that means harm."""

    async def show(_: web.Request) -> web.Response:
        return web.Response(text=PAGE.replace("PORT", str(served.port)), content_type="text/html")

    async def report(request: web.Request) -> web.Response:
        reports.append(json.loads(await request.text()))
        told.set()
        return web.Response()

    app = web.Application()
    app.router.add_get("/", show)
    app.router.add_post("/report", report)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://localhost:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def test_a_page_of_another_origin_reads_nothing_and_starts_nothing(tmp_path: Path) -> None:
    assert BROWSER is not None
    reports, told = list[list[str]](), anyio.Event()
    async with serve(settings_of()) as served, page_of(served, reports, told) as url:
        line = [
            BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            f"--user-data-dir={tmp_path}", "--remote-debugging-port=0", url,
        ]  # fmt: skip
        process = await anyio.open_process(line, stdout=None, stderr=None)
        try:
            with anyio.fail_after(45):
                await told.wait()
        finally:
            process.kill()
            await process.aclose()
        assert reports == [["refused"] * 4 + ["opaque", "refused"]]
        assert served.serving.observer.requests == 0
        assert served.serving.observer.tasks == 0
