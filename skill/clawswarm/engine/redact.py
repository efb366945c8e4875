"""Takes secrets out of text: the keys in use, and whatever looks like a credential.

Model output and error messages pass through here before anybody sees or stores them. The patterns are the
published prefixes of common credentials; each needs enough random characters behind it not to catch prose.
"""

import re
from collections.abc import Iterable
from typing import Any, cast

MASK = "[redacted]"

SHORTEST_KEY = 8
"""Characters below which a key in use is not searched for: it would be found in ordinary words."""

_PATTERNS = (
    r"sk-[A-Za-z0-9_\-]{20,}",  # OpenAI, Anthropic, OpenRouter
    r"AIza[A-Za-z0-9_\-]{30,}",  # Google, the old kind
    r"AQ\.[A-Za-z0-9_\-]{30,}",  # Google, the new kind
    r"gsk_[A-Za-z0-9]{20,}",  # Groq
    r"gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}",
    r"glpat-[A-Za-z0-9_\-]{20,}",
    r"xox[abprs]-[A-Za-z0-9\-]{10,}",  # Slack
    r"(?:AKIA|ASIA)[A-Z0-9]{16}",  # AWS
    r"hf_[A-Za-z0-9]{30,}",
    r"eyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}",  # a JSON web token
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----",
)
_SIGNS = ("sk-", "AIza", "AQ.", "gsk_", "gh", "glpat-", "xox", "AKIA", "ASIA", "hf_", "eyJ", "-----BEGIN")
_STARTS_A_WORD = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))"
"""Not inside "risk-adjusted-…"; but after the \\n of a line break inside JSON, which ends in a letter."""
_CREDENTIAL = re.compile(
    _STARTS_A_WORD + "(?:" + "|".join(f"(?:{pattern})" for pattern in _PATTERNS) + ")", re.DOTALL
)


class Redactor:
    """Knows the keys in use."""

    def __init__(self, secrets: Iterable[str]) -> None:
        longest_first = sorted(secrets, key=len, reverse=True)  # one key may begin like another
        self._secrets = tuple(secret for secret in longest_first if len(secret) >= SHORTEST_KEY)

    def __call__(self, text: str) -> str:
        """`text` without secrets; the same object when it holds none."""
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, MASK)
        if any(sign in text for sign in _SIGNS):
            text = _CREDENTIAL.sub(MASK, text)
        return text

    def inside(self, data: Any) -> Any:
        """`data`, as JSON has it, without secrets in its texts; in names they stay."""
        match data:
            case str():
                return self(data)
            case list():
                return [self.inside(each) for each in cast("list[Any]", data)]
            case dict():
                return {name: self.inside(each) for name, each in cast("dict[str, Any]", data).items()}
            case _:
                return data
