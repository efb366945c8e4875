"""What the operations guide (sections 2 and 7) sets in the host, with Swarm's values where it has them."""

from dataclasses import dataclass
from math import ceil
from typing import Any

from clawswarm.config.model import Service, Settings
from clawswarm.providers.models import RECOMMENDED
from clawswarm.team.rules.roles import timeout
from clawswarm.types.team import Role

ARCHIVE_MINUTES = 120
DENIED = ("gateway", "cron")
"""Operations guide, section 7."""

Key = tuple[str, ...]

PRIMARY: Key = ("agents", "defaults", "model", "primary")
CONCURRENT: Key = ("agents", "defaults", "subagents", "maxConcurrent")
ARCHIVE: Key = ("agents", "defaults", "subagents", "archiveAfterMinutes")
TIMEOUT: Key = ("agents", "defaults", "subagents", "runTimeoutSeconds")
DENY: Key = ("tools", "subagents", "tools", "deny")

KEYS = (PRIMARY, CONCURRENT, ARCHIVE, TIMEOUT, DENY)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key of the host with the value it should have, and where that is from."""

    key: Key
    value: Any
    why: str

    @property
    def name(self) -> str:
        return ".".join(self.key)


def wanted(settings: Settings) -> tuple[Wanted, ...]:
    """The guide's settings, with Swarm's own values where it has them."""
    rules = settings.team.rules
    longest = max(Role, key=lambda role: timeout(role, rules))
    return (
        Wanted(PRIMARY, f"ollama/{local_model(settings)}", "the local model that the workers share"),
        Wanted(CONCURRENT, rules.max_concurrent, "team.max_concurrent: as many as the model has slots"),
        Wanted(ARCHIVE, ARCHIVE_MINUTES, "a night's agents can still be read in the morning"),
        Wanted(TIMEOUT, ceil(timeout(longest, rules)), f"the longest turn: the {longest.value}'s"),
        Wanted(DENY, list(DENIED), "no agent restarts its host, or plans work for later"),
    )


def local_service(settings: Settings) -> Service | None:
    """The Ollama that the workers share; None where another provider is configured."""
    chain: list[Service] = [settings.provider, *settings.provider.fallback]
    found = next((service for service in chain if service.name == "ollama"), None)
    return settings.provider if found is None and settings.provider.name is None else found


def local_model(settings: Settings) -> str:
    service = local_service(settings)
    return (service.model if service else None) or RECOMMENDED["ollama"]
