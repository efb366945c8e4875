"""The end of the parent process, as the system tells it: a pipe that somebody else holds open does not."""

import os
import select
import sys

import anyio


async def parent_gone() -> None:
    """Return once the process that started this one has ended; never, where the system cannot tell."""
    parent = os.getppid()
    number = _watched(parent)
    if number is None:
        await anyio.sleep_forever()
        return
    try:
        if os.getppid() == parent:
            await anyio.wait_readable(number)
    finally:
        os.close(number)


def _watched(process: int) -> int | None:
    """Something that becomes readable when the process ends."""
    try:
        if sys.platform == "linux":
            return os.pidfd_open(process)
        if sys.platform == "darwin":
            queue = select.kqueue()
            ends = select.kevent(
                process, select.KQ_FILTER_PROC, select.KQ_EV_ADD | select.KQ_EV_ONESHOT, select.KQ_NOTE_EXIT
            )
            queue.control([ends], 0)
            return os.dup(queue.fileno())
    except OSError:
        return None
    return None
