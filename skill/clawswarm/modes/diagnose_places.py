"""What the file system holds: room on the disk, who may read what, and OpenClaw."""

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from clawswarm.config.paths import Paths
from clawswarm.config.token import token_file
from clawswarm.engine.checks import Check
from clawswarm.modes.machine import GIB, size

FULL = 100 * 1024**2
NEARLY_FULL = GIB


def disk(paths: Paths) -> Check:
    """Room where the state is kept."""
    there = _nearest(paths.memory)
    return judge_room(there, shutil.disk_usage(there).free)


def judge_room(there: Path, free: int) -> Check:
    """What so many free bytes mean."""
    details = {"path": str(there), "free_bytes": free}
    seen = f"{size(free)} free at {there}"
    fix = f"free some space (df -h {there}), or point SWARM_MEMORY_DIR elsewhere"
    if free < FULL:
        return Check(name="disk", status="fail", seen=f"{seen}: too little", fix=fix, details=details)
    if free < NEARLY_FULL:
        return Check(name="disk", status="warn", seen=f"{seen}: not much", fix=fix, details=details)
    return Check(name="disk", status="ok", seen=seen, details=details)


def permissions(paths: Paths) -> Check:
    """Whether anybody else may read the keys, or change what Swarm trusts."""
    wrong = [*_wrong_folders(paths), *_wrong_secrets(paths)]
    if not wrong:
        return Check(name="permissions", status="ok", seen="keys, token and state are yours alone")
    return Check(
        name="permissions",
        status="fail" if any(serious for _, _, serious in wrong) else "warn",
        seen="; ".join(words for words, _, _ in wrong),
        fix="run: " + " && ".join(dict.fromkeys(command for _, command, _ in wrong)),
        details={"problems": [words for words, _, _ in wrong]},
    )


Wrong = tuple[str, str, bool]
"""What is wrong, the command that puts it right, and whether it is serious."""


def _wrong_folders(paths: Paths) -> Iterator[Wrong]:
    for folder, what in ((paths.keys, "the configuration folder"), (paths.memory, "the state folder")):
        mode = _mode(folder)
        if mode is None:
            continue
        words, command = f"{what} {folder} (mode {mode:04o})", f"chmod 700 {folder}"
        if mode & 0o022:
            yield f"{words} can be changed by others", command, True
        elif mode & 0o007 and folder == paths.memory:
            yield f"{words} can be read by everybody", command, False
        if not os.access(folder, os.W_OK | os.X_OK):
            yield f"{words} cannot be written by you", f"sudo chown -R {os.getuid()} {folder}", True


def _wrong_secrets(paths: Paths) -> Iterator[Wrong]:
    for file in (*sorted(paths.keys.glob("*-key.txt")), token_file(paths)):
        mode = _mode(file)
        if mode is not None and mode & 0o077:
            yield f"{file} can be read by others (mode {mode:04o})", f"chmod 600 {file}", True


def _mode(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None


def _nearest(path: Path) -> Path:
    """`path`, or the nearest folder above it that exists."""
    return next(folder for folder in (path, *path.parents) if folder.exists())


def openclaw(environ: Mapping[str, str]) -> Check:
    """OpenClaw (formerly Clawdbot), and whether it has the skill."""
    home = Path(environ.get("HOME") or Path.home())
    folders = [folder for folder in (home / ".openclaw", home / ".clawdbot") if folder.is_dir()]
    commands = [shutil.which(name, path=environ.get("PATH")) for name in ("openclaw", "clawdbot")]
    command = next((found for found in commands if found), None)
    skills = [folder / "skills" / "swarm" for folder in (home / ".openclaw", home / ".clawdbot")]
    skill = next((skill for skill in skills if (skill / "SKILL.md").is_file()), None)
    details = {
        "folders": [str(folder) for folder in folders],
        "command": command,
        "skill": None if skill is None else str(skill),
    }
    if not folders and command is None:
        seen = "not found: nothing in ~/.openclaw or ~/.clawdbot, and no openclaw command"
        return Check(name="openclaw", status="skipped", seen=seen, details=details)
    places = ", ".join([*(str(folder) for folder in folders), *([command] if command else [])])
    if skill is not None:
        return Check(name="openclaw", status="ok", seen=f"{places}; skill at {skill}", details=details)
    return Check(
        name="openclaw",
        status="warn",
        seen=f"{places}; the skill is not installed",
        fix="run ./install.sh in your clone of Swarm: it installs the skill and registers the server",
        details=details,
    )
