"""Room for as many sockets as calls run at once.

A process may open 1,024 files on most Linux systems and 256 on macOS until it asks for more; each call on its
way is one of them.
"""

import resource

SPARE = 128
"""Files beside the sockets: the database, pipes, libraries, what the caller has open."""


def make_room(sockets: int) -> str | None:
    """Raise this process's soft limit on open files, if `sockets` calls at once need it.

    Returns:
        A warning when even the hard limit is too low; None when there is room.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = sockets + SPARE
    if soft == resource.RLIM_INFINITY or soft >= need:
        return None
    allowed = need if hard == resource.RLIM_INFINITY else min(need, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    except (ValueError, OSError):  # macOS refuses more than its kernel allows, whatever the hard limit says
        allowed = soft
    if allowed >= need:
        return None
    return (
        f"this process may open {allowed} files, too few for {sockets} calls at once: "
        f"lower the concurrency to {max(1, allowed - SPARE)}, or raise the limit (ulimit -n {need})"
    )
