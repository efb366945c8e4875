"""Whether Ollama cut a prompt to its context window.

It does so silently: `prompt_eval_count` is then smaller than the prompt can be, or fills the window to the
brim. The estimate is a lower bound, so that a short count is proof and not a guess.
"""

from clawswarm.types.task import Task

UNCUT_BELOW = 2_000
"""Prompt tokens that fit every window Ollama picks by itself (4,096 is the smallest; provider-facts 1.5)."""

_SURE = 0.9
"""The share of the lower bound below which a count is taken as proof of a cut."""


def least_tokens(text: str) -> float:
    """Fewer tokens than any common tokenizer makes of `text`.

    A word of a language with spaces is at least one token; tokens longer than sixteen characters are rare
    (runs of one character); two characters of a script without spaces are at least one.
    """
    words = len(text.split())
    wide = sum(1 for character in text if "\u2e80" <= character <= "\uffdc") if not text.isascii() else 0
    return max(words, len(text) / 16) + wide / 2


def was_cut(task: Task, counted: int, window: int | None) -> bool:
    """Whether a prompt of which `counted` tokens were read cannot have been read whole.

    Args:
        window: the context window in tokens, where it is known. A prompt that fills it leaves no room for
            an answer, so that it was cut or is as good as cut.
    """
    if counted == 0:
        return False  # the server did not count
    if window is not None and counted >= window - 1:
        return True
    texts = [task.system or "", *(message.text for message in task.messages)]
    return counted < _SURE * sum(least_tokens(text) for text in texts) - 16
