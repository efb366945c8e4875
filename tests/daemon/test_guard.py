"""The door: a web page on another origin, or another program's guess, cannot drive the daemon."""

from collections.abc import AsyncIterator

import pytest

from tests.daemon.raw import RawAnswer, exchange
from tests.daemon.served import TOKEN, Served, serve, settings_of

pytestmark = pytest.mark.anyio

WITH_TOKEN = f"Authorization: Bearer {TOKEN}"
HOST = "Host: 127.0.0.1:{port}"
ASK = b'{"prompts":["hello"]}'
POST = f"POST /parallel HTTP/1.1\nContent-Type: application/json\nContent-Length: {len(ASK)}\n"


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with serve(settings_of(), home=tmp_path_factory.mktemp("home")) as served:
        yield served


def assert_shut(answer: RawAnswer, *statuses: int) -> None:
    """Refused, with nothing that would let a page of another origin read the answer or send the next one."""
    assert answer.status in statuses, answer
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert TOKEN not in answer.text


async def test_the_daemon_answers_who_has_the_token_by_each_of_its_names(served: Served) -> None:
    for host in ("127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"):
        answer = await exchange(served.port, f"GET /status HTTP/1.1\nHost: {host}\n{WITH_TOKEN}")
        assert answer.status == 200
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",  # another server's, on port 80
        "127.0.0.1:1",
        "127.0.0.1:{port}0",
        "127.0.0.1.evil.example:{port}",
        "localhost.:{port}",
        "user@127.0.0.1:{port}",
        "127.1:{port}",
        "0.0.0.0:{port}",
        "[::ffff:127.0.0.1]:{port}",
        "",
        "127.0.0.1:{port}, evil.example",
        "127.0.0.1:{port}/",
        "l\u00f6calhost:{port}",
    ],
)
async def test_a_host_that_is_not_ours_is_refused_even_with_the_token(served: Served, host: str) -> None:
    for path in ("/health", "/status"):
        assert_shut(await exchange(served.port, f"GET {path} HTTP/1.1\nHost: {host}\n{WITH_TOKEN}"), 403)


async def test_a_request_without_a_host_is_refused(served: Served) -> None:
    for version in ("1.0", "1.1"):
        assert_shut(await exchange(served.port, f"GET /status HTTP/{version}\n{WITH_TOKEN}"), 403)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "http://127.0.0.1",
        "http://localhost:3000",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:{port}.evil.example",
        "file://",
        "http://127.0.0.1:{port} https://evil.example",
    ],
)
async def test_another_origin_is_refused_even_with_the_token(served: Served, origin: str) -> None:
    head = f"{POST}{HOST}\nOrigin: {origin}\n{WITH_TOKEN}"
    assert_shut(await exchange(served.port, head, ASK), 403)
    assert served.serving.observer.requests == 0


async def test_the_daemons_own_origin_passes(served: Served) -> None:
    head = f"GET /status HTTP/1.1\n{HOST}\nOrigin: http://127.0.0.1:{{port}}\n{WITH_TOKEN}"
    assert (await exchange(served.port, head)).status == 200


@pytest.mark.parametrize(
    "given",
    [
        "X-None: 1",
        "Authorization: Bearer wrong",
        "Authorization: Bearer",
        "Authorization:",
        f"Authorization: Basic {TOKEN}",
        f"Authorization: {TOKEN}",
        f"Authorization: Bearer {TOKEN[:-1]}",
        f"Authorization: Bearer {TOKEN}x",
        f"Authorization: Bearer {TOKEN.upper()}",
        f"Authorization: Bearer {TOKEN} {TOKEN}",
        "Authorization: Bearer \u00fc\u00e9",
        f"Cookie: token={TOKEN}",
        f"X-Authorization: Bearer {TOKEN}",
    ],
)
async def test_without_the_right_token_nothing_is_told_and_nothing_is_done(
    served: Served, given: str
) -> None:
    answer = await exchange(served.port, f"{POST}{HOST}\n{given}", ASK)
    assert_shut(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert served.serving.observer.requests == 0


@pytest.mark.parametrize(
    "path", ["/status", "/jobs", "/capabilities", "/metrics", "/openapi.json", "/none", "/"]
)
async def test_everything_but_health_needs_the_token(served: Served, path: str) -> None:
    assert_shut(await exchange(served.port, f"GET {path} HTTP/1.1\n{HOST}"), 401)


async def test_a_token_in_the_query_string_is_no_token(served: Served) -> None:
    for name in ("token", "access_token", "authorization"):
        path = f"/status?{name}={TOKEN}"
        assert_shut(await exchange(served.port, f"GET {path} HTTP/1.1\n{HOST}"), 401)


async def test_health_needs_no_token_and_says_no_more_than_that(served: Served) -> None:
    answer = await exchange(served.port, f"GET /health HTTP/1.1\n{HOST}")
    assert answer.status == 200
    assert answer.text.startswith('{"status":"ok","version":')
    assert_shut(await exchange(served.port, f"POST /health HTTP/1.1\n{HOST}\nContent-Length: 0"), 401)


@pytest.mark.parametrize("twice", [HOST, WITH_TOKEN, "Origin: http://127.0.0.1:{port}"])
async def test_a_header_that_decides_may_come_only_once(served: Served, twice: str) -> None:
    others = "\n".join(line for line in (HOST, WITH_TOKEN) if line != twice)
    head = f"GET /status HTTP/1.1\n{others}\n{twice}\n{twice}"
    assert_shut(await exchange(served.port, head), 400)


async def test_a_preflight_gets_no_leave_to_ask(served: Served) -> None:
    asked = "Access-Control-Request-Method: POST\nAccess-Control-Request-Headers: authorization"
    for origin in ("https://evil.example", "null", "http://127.0.0.1:{port}"):
        head = f"OPTIONS /parallel HTTP/1.1\n{HOST}\nOrigin: {origin}\n{asked}"
        assert_shut(await exchange(served.port, head), 401, 403)
    head = f"OPTIONS /parallel HTTP/1.1\n{HOST}\n{asked}\n{WITH_TOKEN}\nOrigin: http://127.0.0.1:{{port}}"
    assert_shut(await exchange(served.port, head), 405)


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "DELETE", "HEAD", "PROPFIND"])
async def test_other_methods_are_refused_and_echo_nothing(served: Served, method: str) -> None:
    assert_shut(await exchange(served.port, f"{method} /parallel HTTP/1.1\n{HOST}"), 401)
    assert_shut(await exchange(served.port, f"{method} /parallel HTTP/1.1\n{HOST}\n{WITH_TOKEN}"), 405)


@pytest.mark.parametrize(
    "target",
    ["http://evil.example/status", "http://127.0.0.1:{port}/status"],
)
async def test_a_request_as_to_a_proxy_needs_the_same(served: Served, target: str) -> None:
    foreign = f"GET {target} HTTP/1.1\nHost: evil.example\n{WITH_TOKEN}"
    assert_shut(await exchange(served.port, foreign), 403)
    assert_shut(await exchange(served.port, f"GET {target} HTTP/1.1\n{HOST}"), 401)


@pytest.mark.parametrize(
    "line",
    [
        "CONNECT 127.0.0.1:{port} HTTP/1.1",
        "CONNECT evil.example:443 HTTP/1.1",
        "GET status HTTP/1.1",
        "hello",
    ],
)
async def test_what_is_no_request_to_a_server_is_refused(served: Served, line: str) -> None:
    assert_shut(await exchange(served.port, f"{line}\n{HOST}\n{WITH_TOKEN}"), 400)


async def test_an_upgrade_to_a_web_socket_gets_no_further_without_the_token(served: Served) -> None:
    upgrade = "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: x\nSec-WebSocket-Version: 13"
    assert_shut(await exchange(served.port, f"GET /parallel HTTP/1.1\n{HOST}\n{upgrade}"), 401)
