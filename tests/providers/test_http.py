"""The shared HTTP client: what it reads, what it refuses, and what it calls a failure."""

import gzip
import socket
import ssl
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import anyio
import anyio.abc
import httpx2
import pytest

from clawswarm.errors import TaskError
from clawswarm.providers.bounded import MAX_REPLY_BYTES
from clawswarm.providers.http import Http, open_http
from tests.fakes.openai import FakeOpenAI
from tests.providers.wires import ANTHROPIC, LOCAL, OLLAMA, WIRES, Wire, every_wire, one, opened, swarm_on

pytestmark = pytest.mark.anyio

Serve = Callable[[anyio.abc.ByteStream], Awaitable[None]]
NO_HEADERS = httpx2.Headers()


@asynccontextmanager
async def served(serve: Serve) -> AsyncGenerator[str]:
    """A server that does with each connection what it is told; its base URL."""

    async def handle(stream: anyio.abc.ByteStream) -> None:
        async with stream:
            with suppress(anyio.BrokenResourceError, anyio.EndOfStream, anyio.ClosedResourceError):
                await serve(stream)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, handle)
        yield f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}"  # noqa: S610
        group.cancel_scope.cancel()


def says(*pieces: bytes, read: bool = True) -> Serve:
    async def serve(stream: anyio.abc.ByteStream) -> None:
        if read:
            await stream.receive()
        for piece in pieces:
            await stream.send(piece)

    return serve


def answer(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def failed(http: Http, url: str) -> TaskError:
    with pytest.raises(TaskError) as caught:
        await http.get(httpx2.URL(url), NO_HEADERS)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("wire", WIRES, ids=lambda w: w.id)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_refused_connection_costs_nothing_and_may_be_tried_again(wire: Wire, stream: bool) -> None:
    async with opened(wire, base_url=f"http://127.0.0.1:{free_port()}", stream=stream) as line:
        error = await line.refused()
    assert (error.code, error.retryable, error.billed, error.status) == (
        "connection_failed",
        True,
        False,
        None,
    )
    assert "no connection" in error.message
    assert "127.0.0.1" in error.message
    assert error.hint is not None
    assert "server runs" in error.hint


@every_wire
async def test_a_server_that_is_down_costs_a_task_nothing(wire: Wire) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with wire.make() as fake, swarm_on(wire, fake, base_url=url) as swarm:
        result = await one(swarm)
    assert result.cost_pico == 0
    assert result.usage is not None
    assert result.usage.input_tokens == 0


@every_wire
async def test_a_server_that_closes_at_once_may_have_worked(wire: Wire) -> None:
    async with served(says(read=False)) as url, opened(wire, base_url=url) as line:
        error = await line.refused()
    assert (error.code, error.retryable, error.billed) == ("connection_failed", True, None)


@every_wire
async def test_a_server_that_speaks_no_http_is_no_provider(wire: Wire) -> None:
    async with served(says(b"220 mail.example.org ESMTP\r\n")) as url, opened(wire, base_url=url) as line:
        error = await line.refused()
    assert error.code in ("connection_failed", "invalid_reply")


@every_wire
async def test_tls_to_a_plain_port_is_not_tried_again(wire: Wire) -> None:
    async with wire.make() as fake:
        url = fake.url.replace("http://", "https://")
        async with swarm_on(wire, fake, base_url=url, limits={"max_retries": 3}) as swarm:
            result = await one(swarm)
    assert result.error is not None
    assert (result.error.code, result.error.retryable, result.attempts) == ("connection_failed", False, 1)
    assert "no secure connection" in result.error.message
    assert result.error.hint is not None
    assert "http or https" in result.error.hint


async def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    async with open_http({}) as http, served(says()) as url:
        error = await failed(http, url.replace("http", "https"))
    assert error.code == "connection_failed"
    assert isinstance(ssl.create_default_context(), ssl.SSLContext)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_packed_reply_is_unpacked(encoding: str) -> None:
    text = '{"text": "déjà vu"}' * 1
    packed = gzip.compress(text.encode()) if encoding == "gzip" else zlib.compress(text.encode())
    reply = answer(packed, f"Content-Encoding: {encoding}", "Content-Type: application/json")
    async with served(says(reply)) as url, open_http({}) as http:
        assert (await http.get(httpx2.URL(url), NO_HEADERS)).json() == {"text": "déjà vu"}


async def test_a_packed_reply_that_is_not_packed_is_unreadable() -> None:
    reply = answer(b"plain text", "Content-Encoding: gzip")
    async with served(says(reply)) as url, open_http({}) as http:
        error = await failed(http, url)
    assert (error.code, error.retryable, error.billed) == ("invalid_reply", False, None)


async def test_a_packed_bomb_is_not_unpacked_to_its_end() -> None:
    packed = gzip.compress(b"\0" * (MAX_REPLY_BYTES + 10**6), compresslevel=1)
    async with served(says(answer(packed, "Content-Encoding: gzip"))) as url, open_http({}) as http:
        error = await failed(http, url)
    assert (error.code, error.billed) == ("invalid_reply", None)
    assert "32 MiB" in error.message


@pytest.mark.parametrize("wire", [LOCAL, OLLAMA, ANTHROPIC], ids=lambda w: w.id)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_reply_without_end_is_given_up(wire: Wire, stream: bool) -> None:
    kinds = {"ollama": "application/x-ndjson"} if stream else {}
    kind = kinds.get(wire.name, "text/event-stream" if stream else "application/json")
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode()

    async def serve(connection: anyio.abc.ByteStream) -> None:
        await connection.receive()
        await connection.send(head)
        while True:
            await connection.send(b"x" * 2**20 + b"\n\n")

    async with served(serve) as url, opened(wire, base_url=url, stream=stream) as line:
        error = await line.refused()
    assert error.code == "invalid_reply"
    assert "32 MiB" in error.message or "byte limit" in error.message or "not JSON" in error.message
    assert error.hint


async def test_lines_end_at_line_feeds_only() -> None:
    pieces = (b'{"a": "x\xe2\x80', b'\xa8y\xc2\x85"}\r\n\n', b'{"b": 1}', b'\n{"c"', b": 2}")
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    async with (
        served(says(head, *pieces)) as url,
        open_http({}) as http,
        http.stream("GET", httpx2.URL(url), NO_HEADERS) as stream,
    ):
        lines = [line async for line in stream.lines()]
    assert lines == ['{"a": "x\u2028y\x85"}'.encode(), b'{"b": 1}', b'{"c": 2}']


async def test_a_thousand_calls_share_one_client() -> None:
    async with FakeOpenAI("local") as fake, open_http({}) as http:
        url = httpx2.URL(f"{fake.url}/health")
        async with anyio.create_task_group() as group:
            for _ in range(200):
                group.start_soon(http.get, url, NO_HEADERS)
        assert len(fake.seen) == 200


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "http:///x", "nothing"])
async def test_an_address_that_is_none_is_a_bad_request(url: str) -> None:
    async with open_http({}) as http:
        error = await failed(http, url)
    assert (error.code, error.retryable) == ("bad_request", False)


async def test_a_proxy_is_used_only_when_the_environment_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(says(answer(b"from the proxy", "Content-Type: text/plain"))) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("no_proxy", "")
        target = httpx2.URL("http://127.0.0.1:9/x")
        async with open_http({"HTTP_PROXY": proxy}) as http:
            assert (await http.get(target, NO_HEADERS)).body == b"from the proxy"
        async with open_http({}) as http:
            assert (await failed(http, str(target))).code == "connection_failed"
