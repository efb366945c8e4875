"""Whether a quote stands in a text. Pure: this is what makes a claim verified."""

import re
import unicodedata

SHORTEST = 15
FEWEST_WORDS = 3
"""Characters and words below which a quote proves nothing: it would be found anywhere."""

_SAME = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′`´", "'"),
        **dict.fromkeys("“”„‟″«»‹›", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        "\u00ad": None,
    }
)
_OMISSION = re.compile(r"\s*(?:\[\s*(?:\.{3}|…)\s*\]|\.{3,}|…)\s*")
_EDGES = " \t\n.,;:!?\"'()[]"


def normal(text: str) -> str:
    """`text` without what differs between a page and its quotation: case, widths, kinds of quotes, dashes
    and spaces."""
    folded = unicodedata.normalize("NFKC", text.translate(_SAME)).translate(_SAME).casefold()
    return " ".join(folded.split())


def stands_in(quote: str, normal_text: str) -> bool:
    """Whether `quote` stands in a text that went through `normal`.

    With omissions ("…") each part has to stand there, in order.
    """
    position = 0
    parts = [normal(part).strip(_EDGES) for part in _OMISSION.split(quote)]
    parts = [part for part in parts if part]
    if not parts or any(not _means_something(part) for part in parts):
        return False
    for part in parts:
        found = normal_text.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    return True


def _means_something(part: str) -> bool:
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in part)
    if wide * 2 > len(part):  # written without spaces; each character is nearly a word
        return len(part) >= SHORTEST // 2
    return len(part) >= SHORTEST and len(part.split()) >= FEWEST_WORDS
