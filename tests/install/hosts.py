"""The command of a host, replaced by one that keeps a list of MCP servers and notes how it was called."""

import json
import sys
from pathlib import Path
from typing import Any

SCRIPT = """\
#!{python}
import json, pathlib, sys

place = pathlib.Path({place!r})
kept = json.loads(place.read_text())
words = sys.argv[1:]
kept["calls"].append(words)
said, status = "", 0
if kept["broken"] or words[:1] != ["mcp"]:
    said, status = kept["broken"] or "error: unknown command " + words[0], 1
elif words[1] == "show":
    server = kept["servers"].get(words[2])
    print(json.dumps(server or {{"ok": False}}, indent=2))
    status = 0 if server else 1
elif words[1] == "unset":
    status = 0 if kept["servers"].pop(words[2], None) else 1
elif words[1] == "add" and words[2] in kept["servers"]:
    said, status = "MCP server already exists.", 1
elif words[1] == "add":
    values = dict(zip(words[3::2], words[4::2]))
    server = {{"command": values["--command"], "args": [values["--arg"]]}}
    kept["servers"][words[2]] = server | {{"supportsParallelToolCalls": words[-1] == "--parallel"}}
place.write_text(json.dumps(kept))
print(said, file=sys.stderr)
sys.exit(status)
"""


class FakeHost:
    """`openclaw`, or `clawdbot`, as far as the installer calls it.

    Attributes:
        folder: goes onto the PATH.
    """

    def __init__(self, folder: Path, name: str = "openclaw", *, broken: str = "") -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self._kept = folder / f"{name}.json"
        self._write({"calls": [], "servers": {}, "broken": broken})
        program = folder / name
        program.write_text(SCRIPT.format(python=sys.executable, place=str(self._kept)))
        program.chmod(0o755)

    @property
    def servers(self) -> dict[str, Any]:
        return self._read()["servers"]

    @property
    def calls(self) -> list[str]:
        """The calls since the last look: what was to be done."""
        kept = self._read()
        self._write(kept | {"calls": []})
        return [" ".join(call[:2]) for call in kept["calls"]]

    def register(self, command: str) -> None:
        """What somebody registered before."""
        self._write(self._read() | {"servers": {"swarm": {"command": command, "args": ["mcp"]}}})

    def _read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._kept.read_text())
        return found

    def _write(self, kept: dict[str, Any]) -> None:
        self._kept.write_text(json.dumps(kept))
