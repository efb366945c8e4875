"""Text of strangers on a terminal: models and web pages may fill the screen with words, not steer it."""

import os
import re
import sys

from clawswarm.web.injection import visible

LONGEST = 300
"""Characters of a stranger's line that are shown."""

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor, screen
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # titles, clipboard
    r"|\x1b[ -/]*[0-~]"
)
"""Whole sequences, so that their letters do not stay behind as words."""

_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_HALVES = re.compile("[\ud800-\udfff]")
_UNSEEN_IN_JSON = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def on_screen(text: str) -> str:
    """`text` with its line breaks and tabs, without escape sequences and other controls."""
    plain = _SEQUENCE.sub("", _BREAKS.sub("\n", text))
    return _HALVES.sub("\N{REPLACEMENT CHARACTER}", visible(plain))


def one_line(text: str) -> str:
    """`text` on one line of a bounded length, without controls."""
    flat = " ".join(on_screen(text).split())
    return flat if len(flat) <= LONGEST else f"{flat[: LONGEST - 1].rstrip()}…"


def json_on_screen(document: bytes) -> bytes:
    """A JSON text that means the same, with what nobody sees written as an escape."""
    text = document.decode()
    return _UNSEEN_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()


def output_is_screen() -> bool:
    """Whether standard output is a terminal."""
    return sys.stdout.isatty()


def errors_are_screen() -> bool:
    """Whether standard error is a terminal on which lines can be drawn over."""
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")
