"""Two files of one folder change names at once, where the system can do that."""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

_LINUX = ("renameat2", 2)  # RENAME_EXCHANGE
_MACOS = ("renameatx_np", 2)  # RENAME_SWAP
_UNABLE = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})
"""What a kernel or a file system answers that does not know how."""

Exchange = Callable[[int, str, str], bool]


def exchange(folder: int, one: str, other: str) -> bool:
    """Let `one` and `other` in the open folder change names; False where that cannot be done at once.

    Raises:
        OSError: one of them does not exist, or the folder cannot be written.
    """
    call = _call()
    if call is None:
        return False
    flag = (_MACOS if sys.platform == "darwin" else _LINUX)[1]
    if call(folder, os.fsencode(one), folder, os.fsencode(other), flag) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNABLE:
        return False
    raise OSError(number, os.strerror(number), one)


@cache
def _call() -> Any:
    """The C library's function; None where it has none."""
    function = getattr(
        ctypes.CDLL(None, use_errno=True), (_MACOS if sys.platform == "darwin" else _LINUX)[0], None
    )
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return function
