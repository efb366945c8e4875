"""Writes a key to the file that `keys.find_key` reads: `<provider>-key.txt`, for its owner only."""

import os
import stat
from pathlib import Path

from clawswarm.config.keys import Key, find_key
from clawswarm.config.whole_files import write_whole
from clawswarm.errors import ConfigError, InputError

FOLDER_MODE = 0o700
FILE_MODE = 0o600
LARGEST_KEY = 16 * 1024


def key_file(provider: str, folder: Path) -> Path:
    return folder / f"{provider}-key.txt"


def checked_key(value: str, origin: str) -> Key:
    """`value` as a key, without the spaces and line breaks around it.

    Raises:
        InputError: it is empty, or could not travel in an HTTP header.
    """
    if not value.strip():
        raise InputError(f"the key from {origin} is empty", hint="give the key itself, on one line")
    if len(value) > LARGEST_KEY:
        raise InputError(f"the key from {origin} is too long for one", hint="is it the right file?")
    try:
        key = find_key("", origin, {origin: value}, Path(os.devnull))
    except ConfigError as error:
        raise InputError(error.message, hint=error.hint) from None
    assert key is not None  # noqa: S101 - it is not empty
    return key


def write_key(provider: str, key: Key, folder: Path) -> Path:
    """Keep `key` as the provider's, in place of the one that was there.

    Raises:
        ConfigError: the folder or the file cannot be written.
    """
    path = key_file(provider, folder)
    try:
        make_private(folder)
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        # A link would be followed by whoever reads: the key goes where the link leads, and the link stays.
        write_whole(path.resolve(), f"{key.value}\n".encode(), FILE_MODE)
    except OSError as error:
        raise ConfigError(
            f"key file {path} cannot be written: {error.strerror or error}",
            hint=f"check the owner and the mode of the folder: ls -ld {folder}",
        ) from error
    return path


def make_private(folder: Path) -> None:
    """Make `folder` if needed, and make sure that nobody else can read or change it."""
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    found = folder.stat()
    if stat.S_IMODE(found.st_mode) & 0o077 and found.st_uid == os.geteuid():
        folder.chmod(FOLDER_MODE)
