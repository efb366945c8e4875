"""What somebody wrote into emergency.md: how bad it is, who says so, and in which words.

The operations guide's message format is understood (section 5), and so are plain words in any encoding that a
text editor writes. Nothing in it can be wrong: what is not understood is words.
"""

import codecs
import re
from dataclasses import dataclass
from hashlib import sha256

from clawswarm.team.texts import harmless
from clawswarm.types.team import Level, Role

LONGEST = 4_000
"""Characters of a text that go to the board. All of it is kept in a file."""

SEAL = "<!-- written by swarm: {} -->"
"""The last line of what Swarm writes there itself, with a digest of all above."""

_SEALED = re.compile(re.escape(SEAL).replace(re.escape("{}"), "([0-9a-f]{64})") + r"[^\S\n]*\n?")
_MARKUP = r"(?:[^\w\n]|_){0,20}"
_HEADER = f"^{_MARKUP}%s{_MARKUP}[:=]{_MARKUP}"
_FROM = re.compile(_HEADER % "FROM" + r"([A-Za-z]+)", re.MULTILINE | re.IGNORECASE)
_AGENT = re.compile(_HEADER % "AGENT" + r"([A-Za-z]+)", re.MULTILINE | re.IGNORECASE)
_LEVEL = re.compile(_HEADER % "LEVEL" + r"(\d{1,9})\b", re.MULTILINE | re.IGNORECASE)
_IN_WORDS = re.compile(r"\blevel[ \t:=]{0,5}([1-4])\b", re.IGNORECASE)
_CONTENT = re.compile(
    r"^#{1,6}[^\S\n]*Content[^\S\n]*$(.*?)(?=^#{1,6}[^\S\n]|\Z)", re.M | re.S | re.IGNORECASE
)
_ABORT = re.compile(r"\W*(?:abort|stop)\W*", re.IGNORECASE)

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An emergency by hand.

    Attributes:
        sender: the role it says it is from; None for a human.
        agent: whom it is about, at level 1.
    """

    level: Level
    sender: Role | None
    agent: Role | None
    text: str


def sealed(view: str) -> bytes:
    """What Swarm writes into emergency.md: recognised later without any note of it."""
    body = f"{view.rstrip()}\n\n"
    return f"{body}{SEAL.format(_digest(body))}\n".encode("utf-8", "replace")


def is_ours(data: bytes) -> bool:
    """Whether this is what Swarm wrote, to the last byte."""
    return _after_ours(data.decode("utf-8", "replace")) == ""


def read_letter(data: bytes, view: str) -> Letter | None:
    """What somebody says there; None where they say nothing.

    Args:
        view: what Swarm shows there: where somebody wrote into that, its lines are not theirs.
    """
    words = _theirs(_decoded(data), view).strip()
    if not words:
        return None
    sender, agent = _role(_FROM, words), _role(_AGENT, words)
    level = _level(words)
    if level is Level.AGENT and (agent := agent or sender) is None:
        level = Level.COORDINATION  # one agent is in trouble, and nobody says which
    content = _CONTENT.search(words)
    text = content[1].strip() if content and content[1].strip() else words
    cut = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    return Letter(level=level, sender=sender, agent=agent if level is Level.AGENT else None, text=cut)


def _level(words: str) -> Level:
    """Level 2 where it says none: agents pause, and the Director looks at it."""
    if _ABORT.fullmatch(words):
        return Level.ABORT
    if (stated := _LEVEL.search(words)) and int(stated[1]):
        level = int(stated[1])
        return Level(level) if level <= Level.ABORT else Level.SYSTEM  # there is no such level: a human looks
    return Level(max((int(found) for found in _IN_WORDS.findall(words)), default=Level.COORDINATION))


def _theirs(text: str, view: str) -> str:
    """What of the text is not Swarm's own."""
    if (behind := _after_ours(text)) is not None:
        return behind
    if not _SEALED.search(text):
        return text
    ours = set(view.splitlines())
    return "\n".join(line for line in _SEALED.sub("", text).splitlines() if line not in ours)


def _after_ours(text: str) -> str | None:
    """What follows on the whole of what Swarm wrote; None where the text does not begin with that."""
    seal = _SEALED.search(text)
    if seal is None or seal[1] != _digest(text[: seal.start()]):
        return None
    return text[seal.end() :]


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()


def _decoded(data: bytes) -> str:
    """The text, in whatever encoding; line ends as Python has them, and nothing that steers a terminal."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding, "replace")
            break
    else:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
    return harmless(text)


def _role(header: re.Pattern[str], words: str) -> Role | None:
    found = header.search(words)
    try:
        return Role(found[1].lower()) if found else None
    except ValueError:
        return None
