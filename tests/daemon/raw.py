"""Bytes over a socket: requests that no HTTP library would send."""

from dataclasses import dataclass

import anyio
from anyio.abc import SocketStream


@dataclass(frozen=True)
class RawAnswer:
    """An answer as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


async def exchange(port: int, head: str, body: bytes = b"") -> RawAnswer:
    """Send a request line with headers, one a line, and read the answer. `{port}` stands for the port."""
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        lines = head.strip().replace("{port}", str(port)).splitlines()
        await stream.send("\r\n".join([line.strip() for line in lines] + ["", ""]).encode() + body)
        return await read_answer(stream, with_body=not head.startswith("HEAD"))


async def read_answer(stream: SocketStream, *, with_body: bool = True) -> RawAnswer:
    """One answer with a Content-Length; without its body, where the method was HEAD."""
    data = b""
    with anyio.fail_after(25):
        while b"\r\n\r\n" not in data:
            data += await stream.receive()
        head, _, body = data.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        while with_body and len(body) < int(headers.get("content-length", "0")):
            body += await stream.receive()
    return RawAnswer(int(first.split()[1]), headers, body)
