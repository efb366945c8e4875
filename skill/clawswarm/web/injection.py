"""Signs that a page talks to a model instead of to its reader.

What is found is reported, never followed. The text itself keeps the passages that can be seen (an article
about such attacks quotes them); characters that cannot be seen are taken out.
"""

import re
import unicodedata
from collections.abc import Iterable

MOST_REPORTED = 5
SHOWN = 160
"""Characters of a passage that are shown."""

AT_A_TIME = 20_000
OVERLAP = 400
"""Characters that are looked through in one go: nothing else runs meanwhile."""

_TAGS = re.compile("[\U000e0000-\U000e007f]+")
"""Invisible twins of ASCII, in which whole sentences have been hidden."""
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,6}\U000e007f")
"""What they are for: the flags of Scotland and others."""

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff\U0001d173-\U0001d17a]"
    "|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)

_OLD = r"(?:previous|prior|above|earlier|preceding|foregoing|existing|original|system|your|all|any)"
_ORDERS = r"(?:instructions?|prompts?|rules?|directives?|guidelines?|commands?|messages?|context)"
_MODEL = r"(?:ai|llms?|(?:large )?language models?|chatbots?|assistants?|(?:ai )?agents?)"
_SECRETS = r"(?:api[ _-]?keys?|credentials|passwords?|secrets?|environment variables)"
_ABROAD = r"(?:anweisungen|instrucciones|instructions|instruç(?:ões|oes)|istruzioni|instructies|instrukcje)"
_PHRASES = (
    # what came before shall not count
    rf"\b(?:ignore|disregard|forget|override|bypass|do not follow|stop following)\b[^.\n]{{0,30}}\b{_OLD}\b"
    rf"[^.\n]{{0,30}}\b{_ORDERS}\b",
    r"\b(?:new|updated|real|actual|important|urgent)\s+(?:system\s+)?(?:instructions?|prompt|task)\s*:",
    # who the reader is taken for
    r"\b(?:you are|act as|pretend to be|roleplay as)\s+(?:now\s+)?(?:an?\s+)?(?:unrestricted|uncensored|"
    r"dan\b|jailbroken|developer mode|chatgpt|claude|gemini|gpt-?\d|(?:ai|llm)\s+(?:assistant|model|agent))",
    r"\b(?:attention|note|message|instructions?|important)\b[^.\n]{0,20}\b(?:to|for)\s+"
    rf"(?:all\s+|any\s+|the\s+)?{_MODEL}\b",
    rf"\b(?:if you are|as)\s+an?\s+{_MODEL}\b[^.\n]{{0,40}}"
    r"\b(?:must|should|please|reading|processing|summari[sz]ing)\b",
    # roles and marks of a conversation
    r"<\|?(?:im_start|im_end|system|endoftext|start_header_id|eot_id)\|?>|\[/?INST\]|<<SYS>>|</?system>",
    r"^\s*(?:#+\s*)?(?:system|assistant)\s*(?:prompt|message)?\s*:\s*\S",
    # what the model shall give away or do
    r"\b(?:reveal|print|show|repeat|output|leak|disclose|tell me)\b[^.\n]{0,40}"
    rf"\b(?:system prompt|hidden prompt|initial instructions|{_SECRETS})\b",
    r"\b(?:send|post|upload|exfiltrate|forward|transmit|append|encode)\b[^.\n]{0,60}"
    rf"\b(?:conversation|chat history|user'?s? data|{_SECRETS})\b",
    r"\b(?:call|use|invoke|run|execute)\s+(?:the|your|this|a)\s+(?:[\w-]+\s+)?(?:tool|function|shell|terminal)\b",
    r"\b(?:do not|don't|never)\s+(?:tell|mention|inform|reveal)\b[^.\n]{0,30}\b(?:to\s+)?(?:the\s+)?user\b",
    # the same in other languages
    r"\b(?:ignor(?:iere?|ieren sie|a|ez|e|i)|vergiss|oublie[zs]?|olvida|esque[cç]a|dimentica|negeer|"
    rf"zignoruj)\b[^.\n]{{0,40}}\b{_ABROAD}\b",
    r"(?:игнорируй|забудь)[^.\n]{0,40}(?:инструкци|указани)",
    r"(?:忽略|无视|無視|忘记)[^。\n]{0,20}(?:指令|指示|提示|说明)",
    r"(?:指示|命令|プロンプト)[^。\n]{0,12}(?:無視|忘れ)",
    r"(?:지시|명령|프롬프트)[^.\n]{0,12}(?:무시|잊)",
)
_SIGNS = re.compile("|".join(f"(?:{phrase})" for phrase in _PHRASES), re.IGNORECASE | re.MULTILINE)


def visible(text: str) -> str:
    """`text` without characters that nobody sees: widths of zero, changes of direction, controls."""
    return _INVISIBLE.sub("", text)


def smuggled(text: str) -> str:
    """What `text` says in invisible twins of ASCII; nothing, where there are only a few of them."""
    found = "".join(_TAGS.findall(_FLAG.sub("", text)))
    return "".join(chr(ord(character) - 0xE0000) for character in found) if len(found) >= 12 else ""


def passages(text: str) -> list[str]:
    """The passages of `text` that look like orders to a model, shortened, as far as they are shown."""
    lines = unicodedata.normalize("NFKC", visible(text)).splitlines()
    plain = "\n".join(words for line in lines if (words := " ".join(line.split())))
    found: dict[str, None] = {}
    for start in range(0, len(plain), AT_A_TIME):
        part = plain[max(0, start - OVERLAP) : start + AT_A_TIME]
        for sign in _SIGNS.finditer(part):
            found[_around(part, sign.start(), sign.end())] = None
            if len(found) == MOST_REPORTED:
                return list(found)
    return list(found)


def _around(text: str, start: int, end: int) -> str:
    """The passage with as much of its line as fits."""
    room = max(0, SHOWN - (end - start))
    left = max(text.rfind("\n", 0, start) + 1, start - room // 3)
    line_end = text.find("\n", end)
    right = min(len(text) if line_end < 0 else line_end, end + room - (start - left))
    return shortened(text[left:right])


def shortened(text: str) -> str:
    """One line of a bounded length."""
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN else f"{flat[: SHOWN - 1].rstrip()}…"


def report(seen: str, hidden: Iterable[str], smuggled: str = "") -> tuple[str, ...]:
    """What to report of a page: orders that it hides first, then those that can be seen.

    Args:
        smuggled: what the page says in invisible characters.
    """
    found: list[str] = []
    for text in hidden:
        if len(found) >= MOST_REPORTED:
            break
        found += [f"hidden: {passage}" for passage in passages(text)]
    if smuggled:
        found.append(f"in invisible characters: {shortened(smuggled)}")
    found += passages(seen)
    return tuple(dict.fromkeys(found))[:MOST_REPORTED]
