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

# Articles about rules, tools and machines use the same words. What tells an order from them is whom it is
# said to: "ignore all rules" is written of drivers, "ignore all previous rules" to a model.
_FORGET = r"\b(?:ignore|disregard|forget|override|bypass|do not follow|stop following)\b"
_OLD = r"(?:previous|prior|above|earlier|preceding|foregoing|existing|original|initial|system)"
_ORDERS = r"(?:instructions?|prompts?|rules?|directives?|guidelines?|commands?|messages?|context)"
_TRAINED = r"(?:instructions?|prompts?|programming|training|guidelines|directives)"
_MODEL = (
    r"(?:ai(?: (?:assistants?|agents?|models?|systems?|crawlers?))?|llms?|(?:large )?language models?"
    r"|chatbots?|assistants?|gpt(?:-?\d)?|chatgpt|claude|gemini)"
)
_SECRETS = r"(?:api[ _-]?keys?|credentials|passwords?|secrets?|environment variables|access tokens?)"
_TALK = rf"(?:(?:this|the|your|entire|whole) conversation|chat history|user'?s? data|{_SECRETS})"
_USE = r"\b(?:call|use|invoke|run|execute)\s+"
_ABROAD = r"(?:anweisungen|instrucciones|instructions|instruç(?:ões|oes)|istruzioni|instructies|instrukcje)"
_PHRASES = (
    # what came before shall not count
    rf"{_FORGET}[^.\n]{{0,30}}\b{_OLD}\b[^.\n]{{0,20}}\b{_ORDERS}\b",
    rf"{_FORGET}\s+(?:(?:all|any|everything)\s+)?(?:of\s+)?(?:your|all|any)\s+(?:\w+\s+)?{_TRAINED}\b",
    rf"{_FORGET}[^.\n]{{0,20}}\b{_ORDERS}\s+"
    r"(?:(?:above|before)(?:\s+and\b|\s*[.,;:!]|\s*$)|you (?:were|have been) given\b)",
    r"\b(?:new|updated|real|actual)\s+(?:system\s+)?(?:instructions?|prompt)\s*:",
    # who the reader is taken for
    r"\b(?:you are now|act as|pretend to be|roleplay as|(?<!if )you are)\s+(?:an?\s+)?"
    r"(?:unrestricted|uncensored|dan\b|jailbroken|(?:ai|llm)\s+(?:assistant|model|agent))",
    r"\byou are now\s+(?:chatgpt|claude|gemini|gpt-?\d|in (?:developer|debug|admin) mode)",
    r"\b(?:attention|note|message|instructions?|important)\b[^.\n]{0,20}\b(?:to|for)\s+"
    rf"(?:all\s+|any\s+|the\s+|you,\s+)?{_MODEL}(?:\s*[:,!—-]|\s+(?:reading|processing|who reads?)\b)",
    rf"\battention,?\s+(?:all\s+)?{_MODEL}\s*[:,!]",
    r"\b(?:if you are|as)\s+an?\s+(?:ai\b|llm|(?:large )?language model|chatbot)[^.\n]{0,40}"
    r"\b(?:you must|must now|please|(?:reading|processing|summari[sz]ing) this)\b",
    # roles and marks of a conversation
    r"<\|?(?:im_start|im_end|system|endoftext|start_header_id|eot_id)\|?>|\[/?INST\]|<<SYS>>|</?system>",
    # what the model shall give away or do
    r"\b(?:reveal|print|show|repeat|output|leak|disclose|tell me)\s+(?:me\s+)?(?:your|the|any|all)\b"
    r"[^.\n]{0,30}\b(?:system prompt|hidden prompt|initial instructions)\b",
    rf"\b(?:reveal|print|repeat|output|leak)\s+(?:me\s+)?(?:your|the user'?s)\s+(?:\w+\s+)?{_SECRETS}\b",
    rf"\b(?:send|post|upload|exfiltrate|forward|transmit|append|encode)\b[^.\n]{{0,60}}\b{_TALK}\b"
    r"[^\n]{0,30}?(?:https?:|www\.|@|\b(?:url|link|image|endpoint)\b)",
    rf"{_USE}(?:the|your)\s+\w{{1,40}}_\w{{1,60}}\s+tool\b",
    rf"{_USE}your\s+(?:web|browser|browsing|search|e?mail|file|code|shell|python|bash|memory)\s+tools?\b",
    r"\b(?:do not|don't|never)\s+(?:tell|mention|inform|reveal)\b[^.\n]{0,30}\b(?:to\s+)?the\s+user\b",
    # the same in other languages
    r"\b(?:ignor(?:iere?|ieren sie|a|ez|e|i)|vergiss|oublie[zs]?|olvida|esque[cç]a|dimentica|negeer|"
    rf"zignoruj)\b[^.\n]{{0,40}}\b{_ABROAD}\b",
    r"(?:игнорируй|забудь)[^.\n]{0,40}(?:инструкци|указани)",
    r"(?:忽略|无视|無視|忘记)[^。\n]{0,20}(?:指令|指示|提示|说明)",
    r"(?:指示|命令|プロンプト)[^。\n]{0,12}(?:無視|忘れ)",
    r"(?:지시|명령|프롬프트)[^.\n]{0,12}(?:무시|잊)",
)
_SIGNS = re.compile("|".join(f"(?:{phrase})" for phrase in _PHRASES), re.IGNORECASE)
_ROLES = re.compile(
    r"^(?:#+ ?)?(?:system|assistant) ?(?:prompt|message)? ?: ?"
    r"(?:you\b|ignore|disregard|forget|from now|new |the user|do not|don't|always|never|override)",
    re.IGNORECASE | re.MULTILINE,
)
"""A line of a conversation; all other signs may run over the ends of lines."""


def visible(text: str) -> str:
    """`text` without characters that nobody sees: widths of zero, changes of direction, controls."""
    return _INVISIBLE.sub("", text)


def smuggled(text: str) -> str:
    """What `text` says in invisible twins of ASCII; nothing, where there are only a few of them."""
    found = "".join(_TAGS.findall(_FLAG.sub("", text)))
    return "".join(chr(ord(character) - 0xE0000) for character in found) if len(found) >= 12 else ""


def passages(text: str) -> list[str]:
    """The passages of `text` that look like orders to a model, shortened, as far as they are shown."""
    lines = [" ".join(line.split()) for line in unicodedata.normalize("NFKC", visible(text)).splitlines()]
    found: dict[str, None] = {}
    for signs, plain in ((_ROLES, "\n".join(filter(None, lines))), (_SIGNS, " ".join(filter(None, lines)))):
        for start in range(0, len(plain), AT_A_TIME):
            part = plain[max(0, start - OVERLAP) : start + AT_A_TIME]
            for sign in signs.finditer(part):
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
