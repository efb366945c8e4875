"""What a slot of an Ollama costs, and what suits a machine's memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.modes.ollama_memory import MOST_SLOTS, Shape, advise, slot_bytes
from tests.fakes.ollama_models import MODELS

GIB = 1024**3
QWEN = Shape(weights=20_201_253_588, kv_heads=64 * 8, head_size=128, trained=40_960)
SLOT = slot_bytes(QWEN, 4096)


def test_a_slot_costs_what_the_formula_says() -> None:
    assert slot_bytes(QWEN, 1) == 256 * 1024  # provider-facts 1.6: 256 KiB a token
    assert 4 * slot_bytes(QWEN, 8192) == 8 * GIB
    assert slot_bytes(QWEN, 262_144) == slot_bytes(QWEN, 40_960)  # no window is larger than the training
    assert slot_bytes(QWEN, 4096, "q8_0") == SLOT // 2
    assert slot_bytes(QWEN, 4096, "q4_0") == SLOT // 4
    assert slot_bytes(QWEN, 4096, "who knows") == SLOT


@pytest.mark.parametrize("name", ["qwen3:32b", "llama3.2:3b", "gemma:2b"])
def test_the_formula_agrees_with_what_a_server_reports(name: str) -> None:
    info = MODELS[name]
    head = info.key_length or info.embedding_length // info.heads
    shape = Shape(weights=info.size, kv_heads=info.layers * info.kv_heads, head_size=head)
    assert slot_bytes(shape, 4096) == info.kv_bytes(4096)


@pytest.mark.parametrize(
    ("memory", "slots", "fits"),
    [(16, 1, False), (23.4, 2, True), (24, 2, True), (32, 4, True), (64, 4, True), (128, 4, True)],
)
def test_the_guides_model_gets_the_guides_slots(memory: float, slots: int, fits: bool) -> None:
    """The operations guide, section 1: qwen3:32b on 24 GB takes two; two to four are realistic."""
    advice = advise(int(memory * GIB), QWEN.weights, SLOT)
    assert (advice.num_parallel, advice.fits) == (slots, fits)
    assert advice.variables["OLLAMA_KEEP_ALIVE"] == "60m"
    assert advice.variables["OLLAMA_MAX_QUEUE"] == "100"
    assert advice.variables["OLLAMA_MAX_LOADED_MODELS"] == {64: "2", 128: "3"}.get(int(memory), "1")


def test_a_family_with_one_slot_gets_one() -> None:
    assert advise(512 * GIB, QWEN.weights, SLOT, one_slot=True).num_parallel == 1


@pytest.mark.parametrize("known", [(None, 1, 1), (1, None, 1), (1, 1, None)])
def test_what_is_not_known_is_not_recommended(known: tuple[int | None, int | None, int | None]) -> None:
    advice = advise(*known)
    assert (advice.num_parallel, advice.max_loaded_models, advice.fits) == (None, None, None)
    assert set(advice.variables) == {"OLLAMA_KEEP_ALIVE", "OLLAMA_MAX_QUEUE"}


@given(memory=st.integers(1, 512 * GIB), weights=st.integers(1, 300 * GIB), slot=st.integers(1, 40 * GIB))
def test_what_is_recommended_fits_or_is_the_least(memory: int, weights: int, slot: int) -> None:
    advice = advise(memory, weights, slot)
    assert advice.num_parallel is not None
    assert advice.max_loaded_models is not None
    assert 1 <= advice.num_parallel <= MOST_SLOTS
    one = weights + advice.num_parallel * slot
    assert one <= memory or advice.num_parallel == 1
    assert advice.max_loaded_models * one <= memory or advice.max_loaded_models == 1
    more = advise(memory * 2, weights, slot).num_parallel
    assert more is not None
    assert more >= advice.num_parallel
