"""The seven roles: what the operations guide's table (section 7) says of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from clawswarm.config.team import TeamRules
from clawswarm.types.team import Role

Rank = Literal["highest", "high", "normal", "low"]


@dataclass(frozen=True, slots=True)
class Profile:
    """A row of the table.

    Attributes:
        name: as the guide writes it.
        timeout: seconds that one turn may take.
        tools: what the role needs, in the guide's words.
        priority: who goes first when not all can work at once.
    """

    name: str
    timeout: float
    tools: tuple[str, ...]
    priority: Rank


PROFILES: Mapping[Role, Profile] = MappingProxyType(
    {
        Role.DIRECTOR: Profile("Director", 120, ("all coordination tools",), "highest"),
        Role.ARCHITECT: Profile("Architect", 180, ("file read", "analysis"), "high"),
        Role.SCOUT: Profile("Scout", 300, ("web search", "file read"), "normal"),
        Role.BUILDER: Profile("Builder", 900, ("all file tools", "all code tools"), "normal"),
        Role.REFACTORER: Profile("Refactorer", 600, ("file read", "file write"), "normal"),
        Role.INSPECTOR: Profile("Inspector", 600, ("file read", "test runner"), "normal"),
        Role.SCRIBE: Profile("Scribe", 60, ("file write",), "low"),
    }
)


def display_name(actor: str) -> str:
    """How a role, or who else acts, is written where people read it."""
    return PROFILES[Role(actor)].name if actor in PROFILES else actor.capitalize()


def timeout(role: Role, rules: TeamRules) -> float:
    """Seconds that one turn of an agent may take: as configured, else the guide's."""
    return rules.agent_timeouts.get(role.value, PROFILES[role].timeout)
