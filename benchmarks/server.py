"""A chat-completions server on loopback, in a process of its own, as cheap as Python allows.

It answers every POST with the same small reply after a fixed delay, and every GET with the number of POSTs
that it has answered. It shares the machine with the client that is measured, so it parses no more of a
request than where it ends.
"""

import asyncio
import json
import resource
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

MODEL = "gpt-6-luna"
ANSWER = "Paris is the capital of France."
BACKLOG = 4096
_BODY = json.dumps(
    {
        "id": "chatcmpl-benchmark",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": ANSWER, "refusal": None, "annotations": []},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 14,
            "completion_tokens": 8,
            "total_tokens": 22,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        },
    }
).encode()


def _response(body: bytes, kind: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (kind, len(body), body)


_REPLY = _response(_BODY, b"application/json")


@dataclass(slots=True)
class _Served:
    count: int = 0


class _Connection(asyncio.Protocol):
    """One keep-alive connection; requests on it come one after another."""

    def __init__(self, delay: float, served: _Served) -> None:
        self._delay = delay
        self._served = served
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._request_end()) is not None:
            is_post = self._buffer.startswith(b"POST")
            self._buffer = self._buffer[end:]
            if not is_post:
                self._write(_response(str(self._served.count).encode(), b"text/plain"))
            elif self._delay:
                self._loop.call_later(self._delay, self._answer)
            else:
                self._answer()

    def _request_end(self) -> int | None:
        """Where the first request in the buffer ends; None while it is incomplete."""
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return None
        head = self._buffer[:head_end].lower()
        at = head.find(b"\r\ncontent-length:")
        length = 0 if at < 0 else int(head[at + 17 :].split(b"\r\n", 1)[0])
        end = head_end + 4 + length
        return end if len(self._buffer) >= end else None

    def _answer(self) -> None:
        self._served.count += 1
        self._write(_REPLY)

    def _write(self, response: bytes) -> None:
        if self._transport is not None:  # else the client has gone meanwhile
            self._transport.write(response)


async def _serve(delay: float) -> None:
    """Serve until standard input closes, which it does when the parent ends, however it ends."""
    loop = asyncio.get_running_loop()
    served = _Served()
    server = await loop.create_server(lambda: _Connection(delay, served), "127.0.0.1", 0, backlog=BACKLOG)
    print(server.sockets[0].getsockname()[1], flush=True)
    closed = asyncio.Event()
    loop.add_reader(sys.stdin, closed.set)
    await closed.wait()


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, as a client sees it."""

    root: str

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its base URL."""
        return f"{self.root}/v1"

    def served(self) -> int:
        """How many calls it has answered so far."""
        with urllib.request.urlopen(self.root, timeout=10) as response:  # noqa: S310 - our own address
            return int(response.read())


@contextmanager
def running(delay_ms: int) -> Generator[Server]:
    """A server that answers after `delay_ms`, on a free port."""
    raise_file_limit()
    command = [sys.executable, "-m", "benchmarks.server", str(delay_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Server(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.stdin.close()


def raise_file_limit() -> None:
    """Allow this process and its children as many sockets as the system grants."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if most == resource.RLIM_INFINITY else min(most, 65_536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]) / 1000))
