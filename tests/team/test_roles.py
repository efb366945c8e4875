"""The guide's table of the roles."""

import pytest

from clawswarm.config.team import TeamRules
from clawswarm.team.rules.roles import PROFILES, display_name, timeout
from clawswarm.types.team import HUMAN, Role


def test_the_table_has_all_seven_in_the_guides_order() -> None:
    assert list(PROFILES) == list(Role)
    assert [profile.name for profile in PROFILES.values()] == [
        "Director", "Architect", "Scout", "Builder", "Refactorer", "Inspector", "Scribe",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("role", "seconds", "priority"),
    [
        (Role.DIRECTOR, 120, "highest"),
        (Role.ARCHITECT, 180, "high"),
        (Role.SCOUT, 300, "normal"),
        (Role.BUILDER, 900, "normal"),
        (Role.REFACTORER, 600, "normal"),
        (Role.INSPECTOR, 600, "normal"),
        (Role.SCRIBE, 60, "low"),
    ],
)
def test_timeouts_and_priorities_are_the_guides(role: Role, seconds: int, priority: str) -> None:
    assert timeout(role, TeamRules()) == seconds
    assert PROFILES[role].priority == priority
    assert PROFILES[role].tools


def test_a_configured_timeout_is_of_its_role_alone() -> None:
    rules = TeamRules(agent_timeouts={"builder": 30})
    assert timeout(Role.BUILDER, rules) == 30
    assert timeout(Role.SCOUT, rules) == 300


def test_whoever_acts_has_a_name() -> None:
    assert display_name(Role.SCRIBE) == display_name("scribe") == "Scribe"
    assert display_name(HUMAN) == "Human"
