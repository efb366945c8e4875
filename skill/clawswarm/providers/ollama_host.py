"""What an Ollama host says about itself: its version, its models, what is loaded, how a model is built."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx2
from pydantic_core import to_json

from clawswarm.errors import TaskError
from clawswarm.providers.http import Http, HttpReply
from clawswarm.providers.refusals import refusal
from clawswarm.providers.shape import JsonDict, child, children, is_list, is_object, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A model that the host has. `size` is in bytes; None where it was not said."""

    name: str
    size: int | None
    family: str
    remote: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model in memory.

    Attributes:
        context: the window of one slot in tokens.
        until: when it leaves memory, unless it is called again.
    """

    name: str
    size: int | None
    on_gpu: int | None
    context: int | None
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How a model is built, as far as the memory of its slots follows from it; None was not said."""

    kv_heads: int | None
    head_size: int | None
    trained: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    version: str
    models: tuple[Held, ...]
    loaded: tuple[Loaded, ...]

    def held(self, name: str) -> Held | None:
        return next((model for model in self.models if model.name == full_name(name)), None)

    def in_memory(self, name: str) -> Loaded | None:
        return next((model for model in self.loaded if model.name == full_name(name)), None)


def full_name(name: str) -> str:
    """A model's name with its tag, as the host lists it."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


async def look_at(http: Http, base_url: str, key: str | None) -> Host:
    """Ask the host at `base_url`.

    Raises:
        TaskError: it does not answer, or something else than an Ollama does.
    """
    headers = _headers(key)
    version = _document(await http.get(httpx2.URL(f"{base_url}/api/version"), headers))
    tags = _document(await http.get(httpx2.URL(f"{base_url}/api/tags"), headers))
    running = _document(await http.get(httpx2.URL(f"{base_url}/api/ps"), headers))
    return Host(
        version=text_of(version, "version"),
        models=tuple(_held(entry) for entry in children(tags, "models")),
        loaded=tuple(_loaded(entry) for entry in children(running, "models")),
    )


async def build_of(http: Http, base_url: str, key: str | None, model: str) -> Build:
    """How `model` is built.

    Raises:
        TaskError: the host does not say.
    """
    reply = await http.post(
        httpx2.URL(f"{base_url}/api/show"), _headers(key), to_json({"model": full_name(model)})
    )
    info = child(_document(reply), "model_info")
    arch = text_of(info, "general.architecture")
    layers = _number(info, f"{arch}.block_count")
    each: Any = info.get(f"{arch}.attention.head_count_kv")
    if is_list(each):  # some families have another number in each layer
        in_all = sum(count for count in each if isinstance(count, int))
    else:
        in_all = None if layers is None or not isinstance(each, int) else layers * each
    size = _number(info, f"{arch}.attention.key_length")
    heads, width = _number(info, f"{arch}.attention.head_count"), _number(info, f"{arch}.embedding_length")
    if size is None and heads and width:
        size = width // heads
    return Build(kv_heads=in_all, head_size=size, trained=_number(info, f"{arch}.context_length"))


def _headers(key: str | None) -> httpx2.Headers:
    headers = {"content-type": "application/json", "user-agent": "clawswarm"}
    return httpx2.Headers(headers if key is None else headers | {"authorization": f"Bearer {key}"})


def _document(reply: HttpReply) -> JsonDict:
    if reply.status != 200:
        raise refusal("ollama", reply.status, reply.body.decode(errors="replace"))
    document = reply.json()
    if not is_object(document):
        raise TaskError(
            "invalid_reply",
            "what answers is no Ollama",
            hint="check the address: OLLAMA_HOST, or provider.base_url",
        )
    return document


def _held(entry: JsonDict) -> Held:
    return Held(
        name=text_of(entry, "name"),
        size=_number(entry, "size"),
        family=text_of(child(entry, "details"), "family"),
        remote=bool(entry.get("remote_host") or entry.get("remote_model")),
    )


def _loaded(entry: JsonDict) -> Loaded:
    return Loaded(
        name=text_of(entry, "name"),
        size=_number(entry, "size"),
        on_gpu=_number(entry, "size_vram"),
        context=_number(entry, "context_length"),
        until=_moment(text_of(entry, "expires_at")),
    )


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _number(parent: JsonDict, name: str) -> int | None:
    value: Any = parent.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
