"""Where API keys are found, and how they are kept out of sight.

A key comes from the variable that `api_key_env` names (else the provider's usual one), else from
`~/.config/clawdbot/<provider>-key.txt`, which only its owner may read (mode 0600).
"""

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clawswarm.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Key:
    """A secret with the place it came from. Printing it shows the place only."""

    value: str = field(repr=False)
    origin: str

    def __str__(self) -> str:
        return f"key from {self.origin}"

    @property
    def masked(self) -> str:
        """Enough to tell two keys apart, too little to use one."""
        return f"{self.value[:4]}…{self.value[-2:]}" if len(self.value) >= 16 else "…"


def find_key(provider: str, variable: str | None, environ: Mapping[str, str], folder: Path) -> Key | None:
    """The key of `provider`, or None where there is none.

    Raises:
        ConfigError: a key file exists that others can read, or that cannot be read, or holds no key.
    """
    if variable and (value := environ.get(variable, "").strip()):
        return Key(_checked(value, variable), variable)
    path = folder / f"{provider}-key.txt"
    try:
        mode = path.stat().st_mode
        if stat.S_IMODE(mode) & 0o077:
            raise ConfigError(
                f"key file {path} can be read by other users (mode {stat.S_IMODE(mode):04o})",
                hint=f"run: chmod 600 {path}",
            )
        value = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"key file {path} cannot be read: {error}", hint="write the key into it anew"
        ) from error
    if not value:
        raise ConfigError(f"key file {path} is empty", hint="write the key into it, or remove the file")
    return Key(_checked(value, str(path)), str(path))


def _checked(value: str, origin: str) -> str:
    """`value`, if it can travel in an HTTP header."""
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigError(
            f"the key from {origin} holds a space, a line break or a character outside ASCII",
            hint="copy the key again, without quotes or line breaks",
        )
    return value
