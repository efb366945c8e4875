"""Failures below HTTP as `TaskError`s: a server that is not there, a connection that broke, unreadable bytes.

The transport's own exceptions do not tell these apart (a refused connection comes out as a timeout), so what
counts is the exception underneath.
"""

from collections.abc import Iterator

import aiohttp
import httpx2

from clawswarm.errors import TaskError
from clawswarm.providers.refusals import short

FAILURES = (httpx2.HTTPError, httpx2.InvalidURL, aiohttp.ClientError, OSError)
"""What the shared client may raise."""

_INSECURE = (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError)
_UNREACHED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, httpx2.ConnectError)


def failure(error: Exception) -> TaskError:
    """One of `FAILURES`, or an exception caused by one, in Swarm's words."""
    chain = list(_causes(error))
    told = next((cause for cause in chain if isinstance(cause, aiohttp.ClientError)), chain[-1])
    words = short(str(told) or type(told).__name__)
    if _any(chain, _INSECURE):
        return TaskError(
            "connection_failed",
            f"no secure connection: {words}",
            hint="check the base URL (http or https), the server's certificate, and this machine's clock",
        )
    if _any(chain, _UNREACHED):
        return TaskError(
            "connection_failed",
            f"no connection: {words}",
            hint="check that the server runs and that the base URL and port are right",
            retryable=True,
        )
    if _any(chain, (httpx2.DecodingError, httpx2.SSEError)):
        return TaskError(
            "invalid_reply",
            f"the reply cannot be read: {words}",
            hint="check that the base URL leads to this provider's API",
            billed=None,
        )
    if _any(chain, (httpx2.UnsupportedProtocol, httpx2.InvalidURL)):
        return TaskError(
            "bad_request",
            f"the base URL cannot be used: {words}",
            hint="it should look like http://127.0.0.1:11434 or https://example.org/v1",
        )
    return TaskError(
        "connection_failed",
        f"the connection broke before the reply was complete: {words}",
        hint="the server or a proxy closed it; this is tried again by itself",
        retryable=True,
        billed=None,
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """`error` and what caused it, down to the first cause that has none."""
    while error is not None:
        yield error
        error = error.__cause__


def _any(chain: list[BaseException], kinds: tuple[type[BaseException], ...]) -> bool:
    return any(isinstance(error, kinds) for error in chain)
