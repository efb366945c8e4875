"""The token that opens the daemon: a secret of this user, in a file that only they can read."""

import os
import secrets
import stat
from pathlib import Path

from clawswarm.config.paths import Paths
from clawswarm.errors import ConfigError

BYTES = 32


def token_file(paths: Paths) -> Path:
    """`~/.config/clawdbot/swarm-token` (design, section 7)."""
    return paths.keys / "swarm-token"


def read_token(paths: Paths) -> str | None:
    """The token; None when no daemon was ever started.

    Raises:
        ConfigError: the file can be read by other users, cannot be read, or is empty.
    """
    path = token_file(paths)
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            value = file.read(1024).decode("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the token file {path} cannot be read: {error}", hint=f"remove it and restart: rm {path}"
        ) from error
    if mode & 0o077:
        raise ConfigError(
            f"the token file {path} can be read by other users (mode {mode:04o})",
            hint=f"run: rm {path} && swarm restart",
        )
    if not value:
        raise ConfigError(f"the token file {path} is empty", hint=f"run: rm {path} && swarm restart")
    return value


def make_token(paths: Paths) -> str:
    """The token, made if there is none yet. Two that make one at once get the same.

    Raises:
        ConfigError: the file cannot be written or read.
    """
    if (found := read_token(paths)) is not None:
        return found
    path = token_file(paths)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            os.write(file, secrets.token_urlsafe(BYTES).encode() + b"\n")
        finally:
            os.close(file)
        try:
            os.link(beside, path)  # whole or not at all, and never over somebody else's
        except FileExistsError:
            pass
        finally:
            beside.unlink()
    except OSError as error:
        raise ConfigError(
            f"the token file {path} cannot be written: {error.strerror}", hint="check the folder's owner"
        ) from error
    token = read_token(paths)
    assert token is not None  # noqa: S101 - it was linked above, by us or by somebody faster
    return token
