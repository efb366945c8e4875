"""What a slot of an Ollama costs, and the settings that suit a machine's memory. Pure arithmetic.

A slot is one more answer at the same time. The model's weights are in memory once; each slot adds the keys
and values of its own context (provider-facts 1.6): 2 x heads of all layers x head size x tokens x 2 bytes.
"""

from dataclasses import dataclass

KEEP_ALIVE = "60m"
"""A night's run pauses longer than Ollama's five minutes; loading the model anew takes one of them."""

MAX_QUEUE = 100
"""Enough for a crew; beyond it an early 503 says more than a wait without end."""

MOST_SLOTS = 4
"""The most that the operations guide takes as realistic for one model."""

MOST_MODELS = 3
"""Ollama's own number for a machine without several graphics cards."""

LEAST_CONTEXT = 4096
"""Tokens of the smallest window that Ollama picks by itself; used where the real one cannot be known."""

_SYSTEM_SHARE = 0.1
"""What stays with the system and everything else that runs."""

_CACHE_TYPES = {"f16": 1.0, "q8_0": 0.5, "q4_0": 0.25}

ONE_SLOT_FAMILIES = frozenset(
    {
        "mllama",
        "qwen3vl",
        "qwen3vlmoe",
        "qwen35",
        "qwen35moe",
        "qwen3next",
        "lfm2",
        "lfm2moe",
        "nemotron_h",
        "nemotron_h_moe",
    }
)
"""Architectures that Ollama gives one slot, whatever OLLAMA_NUM_PARALLEL says (provider-facts 1.5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What the cost of a model's slots follows from.

    Attributes:
        weights: bytes of the model's file.
        kv_heads: heads for keys and values, of all layers together.
        head_size: numbers that one head keeps for one token.
        trained: tokens the model was trained for; no window is larger.
    """

    weights: int
    kv_heads: int
    head_size: int
    trained: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Values for Ollama's environment variables.

    Attributes:
        num_parallel: None where the memory or the model is not known.
        fits: whether the model with one slot leaves room for the system.
    """

    num_parallel: int | None
    max_loaded_models: int | None
    fits: bool | None
    keep_alive: str = KEEP_ALIVE
    max_queue: int = MAX_QUEUE

    @property
    def variables(self) -> dict[str, str]:
        """The variables to set, with their values."""
        numbers = {
            "OLLAMA_NUM_PARALLEL": self.num_parallel,
            "OLLAMA_KEEP_ALIVE": self.keep_alive,
            "OLLAMA_MAX_QUEUE": self.max_queue,
            "OLLAMA_MAX_LOADED_MODELS": self.max_loaded_models,
        }
        return {name: str(value) for name, value in numbers.items() if value is not None}


def slot_bytes(shape: Shape, context: int, cache_type: str | None = None) -> int:
    """Bytes that one slot with a window of `context` tokens costs.

    Args:
        cache_type: OLLAMA_KV_CACHE_TYPE; an unknown one counts in full.
    """
    tokens = context if shape.trained is None else min(context, shape.trained)
    share = _CACHE_TYPES.get(cache_type or "f16", 1.0)
    return int(2 * shape.kv_heads * shape.head_size * tokens * 2 * share)


def advise(memory: int | None, weights: int | None, slot: int | None, *, one_slot: bool = False) -> Advice:
    """The settings for a machine with so much memory, for a model of this size.

    As the operations guide reckons: what the weights leave is for slots, so many as fit without touching the
    system's share, at least one and at most four.
    """
    if memory is None or weights is None or slot is None:
        return Advice(num_parallel=1 if one_slot else None, max_loaded_models=None, fits=None)
    usable = int(memory * (1 - _SYSTEM_SHARE))
    room = usable - weights
    slots = 1 if one_slot else max(1, min(MOST_SLOTS, room // max(slot, 1)))
    models = max(1, min(MOST_MODELS, usable // (weights + slots * slot)))
    return Advice(num_parallel=slots, max_loaded_models=models, fits=room >= slot)
