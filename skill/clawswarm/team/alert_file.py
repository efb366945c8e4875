"""One file an alert, in the folder that a human looks at in the morning (operations guide, section 4).

Its name tells when and which alert it is: however often it is asked for, there is one, and it is whole.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

from clawswarm.errors import StoreError
from clawswarm.team.alert_channel import Call
from clawswarm.team.files import open_folder
from clawswarm.team.moments import iso

LOCK = ".alerts.lock"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def alert_name(call: Call) -> str:
    at = datetime.fromtimestamp(call.alert.at, UTC)
    return f"ALERT-{at:%Y%m%dT%H%M%SZ}-{_UNSAFE.sub('_', call.run)}-{call.alert.id}.md"


def write_alert(folder: Path, call: Call) -> str:
    """Make the file, unless it is there; returns its name.

    Raises:
        StoreError: it cannot be written.
    """
    name = alert_name(call)
    try:
        with open_folder(folder) as alerts, alerts.locked(LOCK):
            if alerts.create(name, _text(call).encode("utf-8", "replace")):
                alerts.sync()
    except OSError as error:
        raise StoreError(
            f"the alert {name} cannot be written to {folder}: {error.strerror or error}",
            hint=f"check the folder (ls -ld {folder}) and its space (df -h {folder}), "
            "or point SWARM_ALERTS_DIR elsewhere",
        ) from error
    return name


def _text(call: Call) -> str:
    return f"# {call.alert.title}\n\n{call.alert.body}\n\nAlert {call.id}, {iso(call.alert.at)}\n"
