"""Messages that are JSON to their sender and none to the protocol's parser, put right before it sees them.

A host in JavaScript cuts a text in the middle of a character and sends the half as `\\ud83d`. The parser
drops such a message without an answer, and the host waits until it gives up on the server.
"""

import json
import re

from pydantic_core import from_json

_ID = re.compile(r'"id"\s*:\s*(-?\d{1,18}|"(?:[^"\\]|\\.){1,200}")')

UNREADABLE = '{{"jsonrpc": "2.0", "id": {}, "method": "unreadable"}}'
"""What stands for a request of which only its id can be read: it is refused, and so answered."""


def mended(message: str) -> str:
    """The message, as the parser takes it; unchanged where that is not needed, or not possible."""
    try:
        from_json(message)
    except ValueError:
        pass
    else:
        return message
    try:
        document = json.loads(message, parse_int=_number)
        return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace").decode()
    except (ValueError, RecursionError):
        found = _ID.search(message)
        return message if found is None else UNREADABLE.format(found[1])


def _number(digits: str) -> int | float:
    return int(digits) if len(digits) < 20 else float(digits)
