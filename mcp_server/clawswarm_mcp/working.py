"""Everything behind the server, in one piece: loaded and opened when a client asks for something."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp_types import CallToolResult, InputRequiredResult

from clawswarm.access.kept import Kept
from clawswarm.access.local import LocalSwarm
from clawswarm.clock import Clock
from clawswarm.errors import NotFound, SwarmError
from clawswarm_mcp import doing, reading
from clawswarm_mcp.catalog import Entry
from clawswarm_mcp.faults import in_words
from clawswarm_mcp.session import Session, open_session
from clawswarm_mcp.subscribers import Subscribers
from clawswarm_mcp.watching import Watch


@dataclass(frozen=True, slots=True)
class Working:
    """What the server has its clients' wishes fulfilled by."""

    session: Session

    async def do(
        self, entry: Entry, arguments: Mapping[str, Any], context: Context[Any, Any]
    ) -> CallToolResult | InputRequiredResult:
        """Answer a call of a tool."""
        return await doing.do(self.session, entry, arguments, context)

    async def read(self, uri: str) -> ReadResourceContents:
        """A resource.

        Raises:
            ResourceNotFoundError: there is none of that address.
            ResourceError: it cannot be read; in words.
        """
        try:
            text, mime_type = await reading.read(self.session, uri)
        except NotFound as error:
            raise ResourceNotFoundError(in_words(error)) from error
        except SwarmError as error:
            raise ResourceError(in_words(error)) from error
        return ReadResourceContents(content=text, mime_type=mime_type)

    def watch(self, subscribers: Subscribers) -> Watch:
        """Somebody who looks at what is subscribed to; he has to be run."""
        return Watch(self.session, subscribers)


@asynccontextmanager
async def open_working(
    kept: Kept, environ: Mapping[str, str], *, inside: LocalSwarm | None = None, clock: Clock | None = None
) -> AsyncGenerator[Working]:
    """Arguments as for `open_session`."""
    async with open_session(kept, environ, inside=inside, clock=clock) as session:
        yield Working(session)
