"""Where Swarm keeps its files (design, section 7). The environment is passed in, never read at import."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """Every path of one user.

    Attributes:
        config: the configuration file; `SWARM_CONFIG` names another.
        keys: the folder of `<provider>-key.txt` files.
        memory: shared state; `SWARM_MEMORY_DIR` moves it.
        alerts: one file an alert; `SWARM_ALERTS_DIR` moves it.
    """

    config: Path
    keys: Path
    memory: Path
    alerts: Path

    @property
    def database(self) -> Path:
        return self.memory / "swarm.db"

    @property
    def log(self) -> Path:
        """The daemon's log; older ones lie beside it."""
        return self.memory / "logs" / "daemon.log"

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Paths":
        home = Path(environ.get("HOME") or Path.home())
        settings = home / ".config" / "clawdbot"
        return cls(
            config=_path(environ, "SWARM_CONFIG", settings / "node-scaling.yaml"),
            keys=settings,
            memory=_path(environ, "SWARM_MEMORY_DIR", home / "clawd" / "memory"),
            alerts=_path(environ, "SWARM_ALERTS_DIR", home / "clawd" / "alerts"),
        )


def _path(environ: Mapping[str, str], name: str, default: Path) -> Path:
    """The path in variable `name`, with `~` read as the home of this environment."""
    value = environ.get(name, "")
    if not value:
        return default
    if value == "~" or value.startswith("~/"):
        return Path(environ.get("HOME") or Path.home()) / value[2:]
    return Path(value).absolute()
