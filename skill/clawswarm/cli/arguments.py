"""Arguments as the texts they mean."""

import os

from clawswarm.errors import InputError


def as_text(argument: str, name: str) -> str:
    """An argument as the text it means: UTF-8, whatever the locale took it for.

    Raises:
        InputError: it is something else.
    """
    try:
        return os.fsencode(argument).decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 (byte {error.start + 1})", hint="nothing was sent") from None
