"""Where each provider answers, from the configuration, its usual variable, or its public address."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from clawswarm.config.model import ProviderName, Service


@dataclass(frozen=True, slots=True)
class Place:
    """The usual names of one provider.

    Attributes:
        key_variable: environment variable of its key; None for a provider without one.
        url_variable: environment variable of its base URL.
        public: its public address, or the local default.
        path: what follows the host when a base URL names a host only.
    """

    key_variable: str | None
    url_variable: str | None
    public: str
    path: str = ""


PLACES: Mapping[ProviderName, Place] = {
    "gemini": Place(
        "GEMINI_API_KEY", "GEMINI_BASE_URL", "https://generativelanguage.googleapis.com", "/v1beta"
    ),
    "groq": Place("GROQ_API_KEY", "GROQ_BASE_URL", "https://api.groq.com", "/openai/v1"),
    "openai": Place("OPENAI_API_KEY", "OPENAI_BASE_URL", "https://api.openai.com", "/v1"),
    "anthropic": Place("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "https://api.anthropic.com"),
    "openai-compatible": Place("OPENAI_COMPATIBLE_API_KEY", None, "", "/v1"),
    "ollama": Place("OLLAMA_API_KEY", "OLLAMA_HOST", "http://127.0.0.1:11434"),
    "demo": Place(None, None, ""),
}

KEYED: tuple[ProviderName, ...] = ("gemini", "groq", "openai", "anthropic")
"""Providers that cannot be used without a key, in the order in which a key is looked for."""


def base_urls(name: ProviderName, service: Service, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The base URLs of a provider, one an endpoint, ready to have the API's path appended."""
    place = PLACES[name]
    if service.base_url is not None:
        urls = [service.base_url] if isinstance(service.base_url, str) else service.base_url
    else:
        from_environ = environ.get(place.url_variable, "").strip() if place.url_variable else ""
        urls = [from_environ or place.public]
    return tuple(dict.fromkeys(_complete(name, url, place) for url in urls))


def _complete(name: ProviderName, url: str, place: Place) -> str:
    if name == "ollama":
        return _ollama(url)
    parts = urlsplit(url if "://" in url else f"http://{url}")
    path = parts.path.rstrip("/")
    if name == "anthropic":
        path = path.removesuffix("/v1")  # the SDK appends /v1/messages itself
    return urlunsplit((parts.scheme, parts.netloc, path or place.path, "", ""))


def _ollama(url: str) -> str:
    """OLLAMA_HOST in any of its forms: host, host:port, :port, a URL, or 0.0.0.0 as a server binds it."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    host = parts.hostname or "127.0.0.1"
    if host in ("0.0.0.0", "::"):  # noqa: S104 - an address to listen on, read as the address to call
        host = "127.0.0.1"
    port = parts.port or (443 if parts.scheme == "https" else 11434)
    shown = f"[{host}]" if ":" in host else host
    suffix = "" if parts.scheme == "https" and port == 443 else f":{port}"
    return urlunsplit((parts.scheme, f"{shown}{suffix}", parts.path.rstrip("/"), "", ""))


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def is_local(url: str) -> bool:
    """Whether `url` leads to this machine or its own network, where a model server costs nothing a token."""
    host = host_of(url)
    if host == "localhost" or host.endswith((".localhost", ".local", ".lan")):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_private
