"""What agents write, before it goes on the board: without control characters, and not too long.

It stays data all the same: whoever shows it makes it harmless where it is shown (`markdown`).
"""

import re

from clawswarm.errors import InputError

MOST_SAID = 200
"""Characters of an agent's text that one line of the journal quotes."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # C0 and C1, without what ends a line
    "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Control characters, and those that turn the direction of a text or take no room in it."""
_NEWLINE = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")


def clean(name: str, value: str, most: int, *, required: bool = False) -> str:
    """`value` as it goes on the board.

    Args:
        name: what it is, for the message.
        most: bytes that it may have.
        required: there has to be something.

    Raises:
        InputError: it is too long, or there is nothing.
    """
    text = harmless(value).strip()
    if required and not text:
        raise InputError(f"{name} is empty", hint="say it in words")
    if (size := len(text.encode())) > most:
        raise InputError(
            f"{name} has {size:,} bytes; at most {most:,} are allowed",
            hint="say it shorter, or put it into a file and name the file",
        )
    return text


def line(name: str, value: str, most: int, *, required: bool = False) -> str:
    """As `clean`, on one line."""
    return clean(name, " ".join(harmless(value).split()), most, required=required)


def harmless(value: str) -> str:
    """`value` without characters that cannot be seen; its lines end in a newline, half a character is "?"."""
    whole = value.encode(errors="replace").decode()
    return _NEWLINE.sub("\n", _UNSEEN.sub("", whole))


def said(text: str, most: int = MOST_SAID) -> str:
    """`text` on one line of at most `most` characters, for the journal."""
    words = " ".join(harmless(text).split())
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"
