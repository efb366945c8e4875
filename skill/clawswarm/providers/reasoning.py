"""Reasoning that a server left in the text of a reply: local models and Groq's "raw" format do that."""

_OPEN, _CLOSE = "<think>", "</think>"


def split_reasoning(text: str) -> tuple[str, str | None]:
    """The text without a leading `<think>…</think>`, and what was in it; None where there was none.

    A block that never ends is left alone: it may be anything.
    """
    start = text.lstrip()
    if not start.startswith(_OPEN):
        return text, None
    thoughts, close, answer = start.removeprefix(_OPEN).partition(_CLOSE)
    return (answer.lstrip(), thoughts.strip()) if close else (text, None)
