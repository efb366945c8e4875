"""Whether a quote stands in a text. Pure: this is what makes a claim verified."""

import re
import unicodedata

SHORTEST = 15
FEWEST_WORDS = 3
"""Characters and words below which a quote proves nothing: it would be found anywhere."""

_SAME = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʼ`´", "'"),
        **dict.fromkeys("“”„‟«»‹›", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        "\u00ad": None,
    }
)
_OMISSION = re.compile(r"\[ ?(?:\.{3}|…) ?\]|\.{3,}|…")
_EDGES = " \t\n.,;:!?\"'()[]"


def normal(text: str) -> str:
    """`text` without what differs between a page and its quotation: case, widths, kinds of quotes, dashes
    and spaces."""
    folded = unicodedata.normalize("NFKC", text.translate(_SAME)).translate(_SAME).casefold()
    return " ".join(folded.replace("''", '"').split())


def stands_in(quote: str, normal_text: str) -> bool:
    """Whether `quote` stands, in whole words, in a text that went through `normal`.

    With omissions ("…") each part has to stand there, in order.
    """
    flat = " ".join(quote.split())
    return _stand_in([flat], normal_text) or _stand_in(_OMISSION.split(flat), normal_text)


def _stand_in(quotes: list[str], text: str) -> bool:
    """Whether all of `quotes` stand in `text`, in order; none of them may be too short."""
    parts = [part for quote in quotes if (part := normal(quote).strip(_EDGES))]
    position = 0
    for part in parts:
        found = _place(part, text, position) if _means_something(part) else -1
        if found < 0:
            return False
        position = found + len(part)
    return bool(parts)


def _place(part: str, text: str, position: int) -> int:
    """Where `part` stands from `position` on without cutting a word or a number; -1 if nowhere."""
    found = text.find(part, position)
    while found >= 0 and (_inside(text, found) or _inside(text, found + len(part))):
        found = text.find(part, found + 1)
    return found


def _inside(text: str, at: int) -> bool:
    """Whether the place before `at` lies inside a word or a number: "unable", "15 percent", "1.5"."""
    before, after = text[max(0, at - 2) : at], text[at : at + 2]
    if not before or not after:
        return False
    if before[-1].isalnum() and after[0].isalnum():
        return not (_is_wide(before[-1]) or _is_wide(after[0]))
    separated = before[-1:] in (".", ",") and before[:1].isdigit() and after[0].isdigit()
    return separated or (before[-1].isdigit() and after[0] in ".," and after[1:].isdigit())


def _means_something(part: str) -> bool:
    wide = sum(map(_is_wide, part))
    if wide * 2 > len(part):  # written without spaces; each character is nearly a word
        return len(part) >= SHORTEST // 2
    return len(part) >= SHORTEST and len(part.split()) >= FEWEST_WORDS


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
