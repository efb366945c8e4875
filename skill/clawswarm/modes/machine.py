"""What this machine has: memory and processors, read from the system itself."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

GIB = 1024**3

_SYSCTL = "/usr/sbin/sysctl"
_VM_STAT = "/usr/bin/vm_stat"
_CGROUP = Path("/sys/fs/cgroup")
_MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Bytes of memory and number of processors; None is not known.

    Attributes:
        total: all memory, or what this container may use of it.
        free: what can be had without pushing anything out.
    """

    system: str
    total: int | None
    free: int | None
    processors: int


def this_machine() -> Machine:
    """Read what the system says now."""
    if sys.platform == "darwin":
        total, free = macos_memory(_output(_SYSCTL, "-n", "hw.memsize"), _output(_VM_STAT))
    else:
        total, free = linux_memory(
            _text(_MEMINFO),
            _text(_CGROUP / "memory.max"),
            current=_text(_CGROUP / "memory.current"),
            stat=_text(_CGROUP / "memory.stat"),
        )
    return Machine(system=sys.platform, total=total, free=free, processors=_processors())


def linux_memory(
    meminfo: str, limit: str, *, current: str = "", stat: str = ""
) -> tuple[int | None, int | None]:
    """Total and free memory out of /proc/meminfo and the limit of the control group ("max" is none).

    Args:
        current: bytes that the control group uses.
        stat: what they are; of those for files that nobody uses now the kernel takes back what is needed.
    """
    found = {key: int(value) * 1024 for key, value in re.findall(r"^(\w+):\s+(\d+) kB", meminfo, re.M)}
    total, free = found.get("MemTotal"), found.get("MemAvailable")
    if limit.strip().isdigit():
        most = int(limit)
        total = most if total is None else min(total, most)
        left = most - int(current) + _inactive_files(stat) if current.strip().isdigit() else most
        free = None if free is None else max(0, min(free, left, most))
    return total, free


def _inactive_files(stat: str) -> int:
    found = re.search(r"^inactive_file (\d+)$", stat, re.M)
    return int(found[1]) if found else 0


def macos_memory(memsize: str, vm_stat: str) -> tuple[int | None, int | None]:
    """Total and free memory out of `sysctl -n hw.memsize` and `vm_stat`."""
    total = int(memsize) if memsize.strip().isdigit() else None
    size = re.search(r"page size of (\d+) bytes", vm_stat)
    pages = {name: int(count) for name, count in re.findall(r"^Pages (\w+):\s+(\d+)\.", vm_stat, re.M)}
    if size is None or "free" not in pages:
        return total, None
    given_up_first = ("free", "inactive", "speculative", "purgeable")
    return total, int(size[1]) * sum(pages.get(name, 0) for name in given_up_first)


def size(count: int | None) -> str:
    """Bytes in words."""
    if count is None:
        return "unknown"
    if count < GIB:
        return f"{count / 1024**2:.0f} MiB"
    return f"{count / GIB:.1f} GiB"


def variable(environ: Mapping[str, str], name: str) -> str | None:
    """What a variable says, None where it says nothing."""
    return environ.get(name, "").strip() or None


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _output(*command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed path of the system, no shell
            command, capture_output=True, timeout=5, check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout
