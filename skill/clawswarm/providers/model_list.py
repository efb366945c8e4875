"""The route by which a provider lists its models: it costs nothing, so a key can be tried there."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2

from clawswarm.config.model import ProviderName
from clawswarm.errors import TaskError
from clawswarm.providers.http import Headers, Http, HttpReply
from clawswarm.providers.refusals import refusal, short
from clawswarm.providers.shape import child, is_object, text_of, unwrapped

ANTHROPIC_VERSION = "2026-10-21"


async def list_models(http: Http, name: ProviderName, base_url: str, key: str | None) -> HttpReply:
    """Ask for the list.

    Raises:
        TaskError: the provider cannot be reached.
    """
    path = "/v1/models" if name == "anthropic" else "/api/tags" if name == "ollama" else "/models"
    headers = {"user-agent": "clawswarm"}
    if key is not None and name == "gemini":
        headers["x-goog-api-key"] = key
    elif key is not None:
        headers["authorization"] = f"Bearer {key}"
    if name == "anthropic":
        headers["anthropic-version"] = ANTHROPIC_VERSION
    return await http.get(httpx2.URL(f"{base_url}{path}"), httpx2.Headers(headers))


def refusal_of(name: ProviderName, reply: HttpReply) -> TaskError | None:
    """Why the list was refused; None where it was given."""
    if reply.status == 200:
        return None
    try:
        document: Any = unwrapped(reply.json())
    except TaskError as error:
        return refusal(name, reply.status, error.message)
    error = child(document, "error") if is_object(document) else {}
    return refusal(name, reply.status, text_of(error, "message") or short(repr(document), 120))


def time_at(headers: Headers) -> datetime | None:
    """What the server's clock said when it answered; None where it did not say."""
    try:
        moment = parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
