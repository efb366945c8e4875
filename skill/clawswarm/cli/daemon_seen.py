"""The daemon as a check sees it."""

from collections.abc import Mapping

from clawswarm.access.connect import digest
from clawswarm.access.presence import look
from clawswarm.config.load import load
from clawswarm.config.paths import Paths
from clawswarm.errors import ConfigError
from clawswarm.modes.diagnose_self import Daemon


def running_daemon(environ: Mapping[str, str]) -> Daemon | None:
    """The daemon that runs here, and whether it knows the configuration as it is now."""
    presence = look(Paths.of(environ))
    if presence is None:
        return None
    try:
        outdated = presence.settings != digest(load(environ).settings)
    except ConfigError:
        outdated = None
    return Daemon(pid=presence.pid, port=presence.port, version=presence.version, outdated=outdated)
