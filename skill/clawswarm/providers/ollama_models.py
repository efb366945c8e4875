"""What an Ollama host has to offer, asked when nothing is configured."""

from typing import Any

import anyio
import httpx2

from clawswarm.errors import TaskError
from clawswarm.providers.http import Http
from clawswarm.providers.models import RECOMMENDED
from clawswarm.providers.shape import JsonDict, is_list

PROBE_TIMEOUT = 1.0
"""Seconds in which a local Ollama has to answer when no provider is configured."""


async def listed_models(http: Http, base_url: str) -> list[str] | None:
    """Names of the chat models of the host; None when it does not answer in time."""
    try:
        with anyio.fail_after(PROBE_TIMEOUT):
            document = (await http.get(httpx2.URL(f"{base_url}/api/tags"), httpx2.Headers())).json()
            return [str(entry["name"]) for entry in document["models"] if _chats_here(entry)]
    except (TaskError, TimeoutError, KeyError, TypeError, AttributeError):
        return None


def usable_model(listed: list[str]) -> tuple[str | None, str | None]:
    """The model to use, None for the recommended one, and a warning when it is another."""
    recommended = RECOMMENDED["ollama"]
    if recommended in listed or not listed:
        return None, None
    text = f"Ollama has no {recommended!r}: using {listed[0]!r}. Set provider.model to choose another"
    return listed[0], text


def _chats_here(entry: JsonDict) -> bool:
    """Whether a listed model answers prompts, and does so on its own machine: cloud models are not free."""
    capabilities: Any = entry.get("capabilities")
    chats = "completion" in capabilities if is_list(capabilities) else "embed" not in str(entry["name"])
    return chats and not entry.get("remote_host") and not entry.get("remote_model")
