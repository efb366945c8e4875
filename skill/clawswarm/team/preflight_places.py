"""The places of a team on this machine: where its state goes, the room there, and what earlier runs left."""

import shutil
import tempfile
from pathlib import Path

from clawswarm.config.paths import Paths
from clawswarm.engine.checks import Check
from clawswarm.errors import StoreError
from clawswarm.team import emergency_file
from clawswarm.team.emergency_text import is_ours

ENOUGH = 10_000_000_000
"""Bytes that should be free: 10 GB (operations guide, section 8)."""


def memory(paths: Paths) -> Check:
    """The memory directory: there, and written to for a try."""
    folder = paths.memory
    details = {"path": str(folder), "exists": folder.is_dir(), "writable": False}
    if not folder.exists():
        seen = f"{folder} does not exist"
        return Check(name="memory", status="fail", seen=seen, fix=f"mkdir -p {folder}", details=details)
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".preflight-") as file:
            file.write(b"written")
            file.flush()
    except OSError as error:
        return Check(
            name="memory",
            status="fail",
            seen=f"{folder} cannot be written: {error.strerror}",
            fix=f"check the folder (ls -ld {folder}) and its space, or point SWARM_MEMORY_DIR elsewhere",
            details=details,
        )
    seen = f"{folder} can be written"
    return Check(name="memory", status="ok", seen=seen, details=details | {"writable": True})


def disk(paths: Paths) -> Check:
    """Room where the state is kept."""
    there = nearest(paths.memory)
    return judge_room(there, shutil.disk_usage(there).free)


def judge_room(there: Path, free: int) -> Check:
    """What so many free bytes mean."""
    details = {"path": str(there), "free_bytes": free}
    seen = f"{free / 1e9:.1f} GB free at {there}"
    if free > ENOUGH:
        return Check(name="disk", status="ok", seen=seen, details=details)
    return Check(
        name="disk",
        status="fail",
        seen=f"{seen}: a night needs more than {ENOUGH / 1e9:.0f} GB",
        fix=f"free some space (df -h {there}), or point SWARM_MEMORY_DIR elsewhere",
        details=details,
    )


def leftovers(paths: Paths) -> Check:
    """Alerts that nobody put away, and an emergency.md that nobody took in."""
    alerts = sorted(file.name for file in paths.alerts.glob("ALERT-*.md"))
    letter = paths.memory / emergency_file.PLACE
    waits = _holds_words(letter)
    details = {"alerts": alerts, "emergency": str(letter) if waits else None}
    seen: list[str] = []
    fixes: list[str] = []
    if alerts:
        count = "1 alert lies" if len(alerts) == 1 else f"{len(alerts)} alerts lie"
        seen.append(f"{count} in {paths.alerts}, the newest is {alerts[-1]}")
        fixes.append(f"read them, and move them away: mv {paths.alerts}/ALERT-*.md …")
    if waits:
        seen.append(f"{letter} holds words that nobody has taken in")
        fixes.append(f"if it is an earlier one: rm {letter}; else the open run takes it in")
    if seen:
        fix = "\n".join(fixes)
        return Check(name="leftovers", status="warn", seen="; ".join(seen), fix=fix, details=details)
    seen.append("no alert and no emergency of an earlier run")
    return Check(name="leftovers", status="ok", seen=seen[0], details=details)


def nearest(path: Path) -> Path:
    """`path`, or the nearest folder above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _holds_words(letter: Path) -> bool:
    if not letter.is_file():
        return False
    try:
        with letter.open("rb") as file:
            data = file.read(emergency_file.LARGEST)
    except OSError as error:
        raise StoreError(
            f"{letter} cannot be read: {error.strerror}", hint=f"look at it: ls -l {letter}"
        ) from error
    return bool(data.strip()) and not is_ours(data)
