"""An agent's text as a part of a message in Markdown: readable as it is, and it begins and ends nothing.

Code keeps its fences. What could pass for a heading or for a field of the message is escaped, for a reader of
the plain text as well as for a renderer; a fence that was left open is closed.
"""

import re

_BEFORE = r"^([\s>*+\-\d.)]*)"
"""What may stand in front of a block in its line: indentation, quotations, lists."""

_HEADING = re.compile(_BEFORE + "#")
_FIELD = re.compile(r"^([\W_]*(?:FROM|TO|TYPE|PRIORITY|TIMESTAMP)[^\w:]*):", re.IGNORECASE)
_UNDERLINE = re.compile(r"^([\s>*+\d.)]*)(=+|-+)\s*$")
_HTML = re.compile(_BEFORE + "<")
_HTML_HEADING = re.compile(r"(\\*)<(?=/?h[1-6]\b)", re.IGNORECASE)
_FENCE = re.compile(r"^(`{3,}(?=[^`|]*$)|~{3,}(?=[^|]*$))")
"""With a bar in its line some take it for the head of a table."""
_INNER_FENCE = re.compile(_BEFORE + "(?=```|~~~)")


def block(text: str) -> str:
    """`text` for below a heading of ours."""
    fence = ""
    lines: list[str] = []
    for line in text.split("\n"):
        opening = None if fence else _FENCE.match(line)
        plain = line if fence or opening else _unmarked(line)
        lines.append(_FIELD.sub(r"\1\\:", _HEADING.sub(r"\1\\#", plain)))
        if opening:
            fence = opening[1]
        elif fence and _closes(line, fence):
            fence = ""
    return "\n".join([*lines, fence] if fence else lines)


def _closes(line: str, fence: str) -> bool:
    rest = line.rstrip(" \t").lstrip(" ")
    return len(line) - len(line.lstrip(" ")) <= 3 and len(rest) >= len(fence) and not rest.strip(fence[0])


def _unmarked(line: str) -> str:
    """A line outside of code that underlines nothing, and begins neither HTML nor a fence in a list."""
    line = _UNDERLINE.sub(r"\1\\\2", line)
    line = _HTML_HEADING.sub(lambda found: f"{found[1]}{'' if len(found[1]) % 2 else chr(92)}<", line)
    line = _HTML.sub(r"\1\\<", line)
    return _INNER_FENCE.sub(r"\1\\", line)
