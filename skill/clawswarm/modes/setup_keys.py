"""Where the key of a setup comes from: a flag, what is found already, or nobody."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from clawswarm.config.key_files import LARGEST_KEY, checked_key
from clawswarm.config.keys import Key, find_key
from clawswarm.config.model import ProviderName, Service
from clawswarm.config.section import VARIABLE_NAME
from clawswarm.errors import ConfigError, InputError
from clawswarm.providers.address import PLACES

LONGEST_VARIABLE = 64
"""A longer name is more likely the key itself, which must not be repeated in a message."""

_SEARCH_KEYS = {"brave": "BRAVE_API_KEY", "ollama": "OLLAMA_API_KEY", "gemini": "GEMINI_API_KEY"}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFlags:
    """The ways to name a key without writing it on the command line, where every user could read it."""

    file: Path | None
    variable: str | None
    stdin: bool

    def check(self) -> None:
        """Refuse what does not go together.

        Raises:
            InputError: two ways at once, or a variable's name that is none.
        """
        if sum((self.file is not None, self.variable is not None, self.stdin)) > 1:
            raise InputError(
                "--key-file, --key-env and --key-stdin exclude each other", hint="use one of the three"
            )
        name = self.variable
        if name is not None and (not re.fullmatch(VARIABLE_NAME, name) or len(name) > LONGEST_VARIABLE):
            raise InputError(
                "--key-env needs the name of a variable (not shown: it may be the key itself)",
                hint="such as --key-env GEMINI_API_KEY; a key itself goes into --key-stdin or --key-file",
            )

    @property
    def given(self) -> bool:
        return self.file is not None or self.variable is not None or self.stdin

    def read(self, stdin: TextIO) -> Key | None:
        """The key to store; None where there is none, or where it stays in its variable.

        Raises:
            InputError: it cannot be read, or is none.
        """
        if self.stdin:
            return checked_key(stdin.read(LARGEST_KEY + 1), "standard input")
        if self.file is None:
            return None
        try:
            with self.file.open(encoding="utf-8") as file:
                text = file.read(LARGEST_KEY + 1)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise InputError(
                f"--key-file {self.file} cannot be read: {reason}", hint="check its name and mode"
            ) from None
        return checked_key(text, str(self.file))


def usual_variable(name: ProviderName, service: Service) -> str | None:
    """The variable in which the provider's key is looked for first."""
    return service.api_key_env or PLACES[name].key_variable


def found_key(
    name: ProviderName, service: Service, environ: Mapping[str, str], folder: Path
) -> tuple[Key | None, str | None]:
    """The key that is there already, and what is wrong with the one that is."""
    try:
        return find_key(name, usual_variable(name, service), environ, folder), None
    except ConfigError as error:
        return None, error.message


def search_without_key(search: str | None, environ: Mapping[str, str], folder: Path) -> str | None:
    """A warning where a web search is chosen whose key is nowhere."""
    variable = _SEARCH_KEYS.get(search or "")
    if search is None or variable is None:
        return None
    try:
        found = find_key(search, variable, environ, folder)
    except ConfigError as error:
        return error.message
    if found is not None:
        return None
    where = folder / f"{search}-key.txt"
    return f"web search by {search} has no key yet: set {variable}, or write it to {where} (mode 0600)"


def hidden_by(name: ProviderName, service: Service, environ: Mapping[str, str], key: Key) -> str | None:
    """A warning where a variable hides the key that is stored in a file."""
    variable = usual_variable(name, service)
    value = environ.get(variable or "", "").strip()
    if not value or value == key.value:
        return None
    return f"{variable} is set to another key, which wins over the file: unset it, or correct it"
