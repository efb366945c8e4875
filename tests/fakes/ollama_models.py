"""The models an Ollama fake has, and how its API describes them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

SINGLE_SLOT_FAMILIES = {
    "mllama",
    "qwen3vl",
    "qwen3vlmoe",
    "qwen35",
    "qwen35moe",
    "qwen3next",
    "lfm2",
    "lfm2moe",
} | {"nemotron_h", "nemotron_h_moe"}
MODIFIED = "2026-11-01T10:00:00.000000000Z"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What `/api/tags` and `/api/show` say of one model."""

    size: int = 20_201_253_588
    family: str = "qwen3"
    parameters: str = "32.8B"
    quantization: str = "Q4_K_M"
    capabilities: tuple[str, ...] = ("completion", "tools", "thinking")
    context_length: int = 40_960
    layers: int = 64
    heads: int = 64
    kv_heads: int = 8
    embedding_length: int = 5120
    key_length: int | None = 128
    cloud: bool = False

    @property
    def thinks(self) -> bool:
        return "thinking" in self.capabilities

    @property
    def levels_only(self) -> bool:
        """gpt-oss knows levels of thinking, and cannot be told not to."""
        return self.family == "gptoss"

    @property
    def forced_single(self) -> bool:
        return self.family in SINGLE_SLOT_FAMILIES

    def kv_bytes(self, tokens: int) -> int:
        """Memory of the key-value cache for so many tokens."""
        head = self.key_length or self.embedding_length // self.heads
        return 2 * self.layers * self.kv_heads * head * tokens * 2

    def remote(self, name: str) -> dict[str, Any]:
        """The fields only a cloud model's answers carry."""
        if not self.cloud:
            return {}
        local = name.removesuffix("-cloud").removesuffix(":cloud")
        return {"remote_model": local, "remote_host": "https://ollama.com:443"}

    def details(self) -> dict[str, Any]:
        return {
            "parent_model": "",
            "format": "gguf",
            "family": self.family,
            "families": [self.family],
            "parameter_size": self.parameters,
            "quantization_level": self.quantization,
        }

    def tag(self, name: str) -> dict[str, Any]:
        """The model's entry in `/api/tags`."""
        return {
            "name": name,
            "model": name,
            "modified_at": MODIFIED,
            "size": self.size,
            "digest": hashlib.sha256(name.encode()).hexdigest(),
            "details": self.details(),
            "capabilities": list(self.capabilities),
            **self.remote(name),
        }

    def show(self, name: str) -> dict[str, Any]:
        """The model's `/api/show`."""
        arch = self.family
        info: dict[str, Any] = {
            "general.architecture": arch,
            f"{arch}.context_length": self.context_length,
            f"{arch}.block_count": self.layers,
            f"{arch}.attention.head_count": self.heads,
            f"{arch}.attention.head_count_kv": self.kv_heads,
            f"{arch}.embedding_length": self.embedding_length,
        }
        if self.key_length is not None:
            info[f"{arch}.attention.key_length"] = self.key_length
        return {
            "license": "",
            "modelfile": f"FROM {name}",
            "parameters": "temperature 0.6",
            "template": "{{ .Prompt }}",
            "details": self.details(),
            "model_info": info,
            "modified_at": MODIFIED,
            "capabilities": list(self.capabilities),
            **self.remote(name),
        }


MODELS: dict[str, ModelInfo] = {
    "qwen3:32b": ModelInfo(),
    "llama3.2:3b": ModelInfo(
        size=2_019_393_189,
        family="llama",
        parameters="3.2B",
        capabilities=("completion", "tools"),
        context_length=131_072,
        layers=28,
        heads=24,
        embedding_length=3072,
        key_length=128,
    ),
    "gemma:2b": ModelInfo(
        size=1_678_456_656,
        family="gemma",
        parameters="3B",
        capabilities=("completion",),
        context_length=8192,
        layers=18,
        heads=8,
        kv_heads=1,
        embedding_length=2048,
        key_length=None,
    ),
    "gpt-oss:20b": ModelInfo(
        size=13_793_441_244, family="gptoss", parameters="20.9B", context_length=131_072
    ),
    "qwen3.5:9b": ModelInfo(size=6_600_000_000, family="qwen35", parameters="9.7B", context_length=262_144),
    "gpt-oss:120b-cloud": ModelInfo(size=384, family="gptoss", context_length=131_072, cloud=True),
}


def full_name(name: str) -> str:
    """A name with its tag."""
    return name if ":" in name else f"{name}:latest"
