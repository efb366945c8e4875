"""What reviewers find: who may, what it says, and the round it belongs to."""

import pytest

from clawswarm.errors import InputError, NotFound
from clawswarm.team.reviews import find
from clawswarm.team.runs import move_phase
from clawswarm.types.board import Agent, Finding
from clawswarm.types.team import HUMAN, Phase, Role, Severity
from tests.team.boards import Bench


def found(
    bench: Bench,
    by: str = "inspector",
    role: Role = Role.INSPECTOR,
    severity: Severity = Severity.MAJOR,
    **more: Role | str,
) -> Finding:
    return bench.did(
        by,
        lambda d: find(d, role=role, severity=severity, **({"text": "MD5 for passwords"} | more)),  # pyright: ignore[reportArgumentType]
    )


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.REFACTORER, Role.ARCHITECT, Role.DIRECTOR])
def test_reviewers_find(role: Role) -> None:
    bench = Bench()
    finding = found(bench, role.value, role)
    assert (finding.role, finding.severity, finding.text) == (role, Severity.MAJOR, "MD5 for passwords")
    agent = bench.board.get(Agent, role.value)
    assert agent is not None
    assert agent.seen == bench.now


@pytest.mark.parametrize("role", [Role.BUILDER, Role.SCOUT, Role.SCRIBE])
def test_others_do_not(role: Role) -> None:
    with pytest.raises(InputError, match="does not review") as refusal:
        found(Bench(), role.value, role)
    assert refusal.value.hint == "reviewers: Inspector, Refactorer, Architect, Director"


def test_nobody_finds_in_anothers_name_but_who_leads() -> None:
    bench = Bench()
    with pytest.raises(InputError, match="Builder may not note what the Inspector finds"):
        found(bench, "builder")
    assert found(bench, HUMAN).role is Role.INSPECTOR
    agent = bench.board.get(Agent, "inspector")
    assert agent is not None
    assert agent.seen is None


def test_a_finding_belongs_to_the_round_of_review() -> None:
    bench = Bench()
    assert found(bench).round == 0
    for phase in (Phase.EXECUTION, Phase.REVIEW):
        bench.did(HUMAN, lambda d, to=phase: move_phase(d, to=to, reason="on"))
    assert found(bench).round == 1


def test_only_the_architect_calls_the_design_flawed() -> None:
    bench = Bench()
    with pytest.raises(InputError, match="only the Architect"):
        found(bench, severity=Severity.DESIGN_FLAW)
    finding = found(bench, "architect", Role.ARCHITECT, Severity.DESIGN_FLAW)
    assert finding.severity is Severity.DESIGN_FLAW


def test_it_is_about_a_task_that_exists_and_about_others() -> None:
    bench = Bench()
    with pytest.raises(NotFound):
        found(bench, task="nope")
    with pytest.raises(InputError, match="themselves"):
        found(bench, contradicts=Role.INSPECTOR)
    assert found(bench, contradicts=Role.BUILDER).contradicts is Role.BUILDER


@pytest.mark.parametrize("text", ["", "\x00", "x" * 20_001])
def test_a_finding_says_something_and_ends(text: str) -> None:
    bench = Bench()
    with pytest.raises(InputError):
        found(bench, text=text)
    assert not bench.board.all(Finding)
