"""The npm packages that are tried, in a folder outside of the tree, and a Node new enough for them."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.hosts.commands import Place, ProblemError, say

NODE = ("node", "24.21.0")

PACKAGES: dict[str, tuple[str, str]] = {
    "conformance": ("@modelcontextprotocol/conformance", "0.1.16"),
    "mcp-inspector": ("@modelcontextprotocol/inspector", "2.12.0"),
    "mcporter": ("mcporter", "0.12.3"),
    "openclaw": ("openclaw", "2026.9.6"),
}
"""By the command that each brings: the package, and the version that is known to pass."""

PATIENCE = 600
"""Seconds for one `npm install`; OpenClaw alone is over half a gigabyte."""


@dataclass(frozen=True)
class Packages:
    """What is installed, each package in a folder of its own."""

    folder: Path
    versions: dict[str, str]

    def command(self, name: str) -> str:
        """The absolute path of a command."""
        return str(self._bin(name) / name)

    @property
    def path(self) -> str:
        """The folders of Node and of the host, as a PATH begins."""
        return f"{self._bin('node')}:{self._bin('openclaw')}"

    def _bin(self, name: str) -> Path:
        return self.folder / name / "node_modules" / ".bin"


async def installed(folder: Path, place: Place, *, newest: bool) -> Packages:
    """Install what is missing.

    Args:
        newest: what npm calls the latest, in place of the known versions. Node stays.
    """
    if shutil.which("npm") is None:
        raise ProblemError("npm is needed: install Node.js, any version that brings npm")
    versions: dict[str, str] = {}
    for name, (package, known) in {"node": NODE, **PACKAGES}.items():
        wanted = "latest" if newest and name != "node" else known
        versions[name] = await _install(folder, place, name, package, wanted)
    return Packages(folder, versions)


async def _install(folder: Path, place: Place, name: str, package: str, wanted: str) -> str:
    about = folder / name / "node_modules" / package / "package.json"
    if _version(about) != wanted:
        say(f"installing {package}@{wanted}")
        (folder / name).mkdir(parents=True, exist_ok=True)
        line = ["npm", "install", "--no-audit", "--no-fund", "--no-save"]
        prefix = ["--prefix", str(folder / name), f"{package}@{wanted}"]
        path = f"{folder / 'node' / 'node_modules' / '.bin'}:{place.path}"
        done = await place.run([*line, *prefix], own=True, patience=PATIENCE, PATH=path)
        if done.status:
            raise ProblemError(f"npm could not install {package}: {done.last}")
    return _version(about)


def _version(about: Path) -> str:
    if not about.is_file():
        return ""
    return str(json.loads(about.read_text(encoding="utf-8"))["version"])
