"""The Director hears of every emergency at once."""

import pytest

from clawswarm.config.team import TeamRules
from clawswarm.team.emergencies import raise_emergency
from clawswarm.team.messages import inbox
from clawswarm.team.summons import tell_the_director
from clawswarm.types.board import Message
from clawswarm.types.team import HUMAN, SYSTEM, Priority, Role
from tests.team.boards import Bench


def watched(**rules: float) -> Bench:
    return Bench(TeamRules.model_validate(rules), react=(tell_the_director,))


@pytest.mark.parametrize("by", ["builder", HUMAN])
def test_an_emergency_is_in_the_directors_inbox_and_the_scribes(by: str) -> None:
    bench = watched()
    found = bench.did(by, lambda d: raise_emergency(d, level=2, text="It\nburns"))
    (message,) = inbox(bench.board, Role.DIRECTOR)
    assert (message.sender, message.priority, message.type) == (SYSTEM, Priority.EMERGENCY, "ALERT")
    assert message.content == f"{found.id}, level 2, alarm raised by hand: It burns"
    assert "Architect, Scout, Builder, Refactorer, Inspector, Scribe" in message.context
    assert "resolve e2 internally" in message.expected
    assert inbox(bench.board, Role.SCRIBE) == [message]
    assert not inbox(bench.board, Role.BUILDER)


def test_it_hears_of_one_that_rises_and_not_of_its_own() -> None:
    bench = watched()
    bench.did("director", lambda d: raise_emergency(d, level=2, text="It burns"))
    assert not inbox(bench.board, Role.DIRECTOR)
    bench.did("scout", lambda d: raise_emergency(d, level=3, text="It burns"))
    (message,) = inbox(bench.board, Role.DIRECTOR)
    assert message.content.startswith("e2, level 3")
    assert "a human" in message.expected


@pytest.mark.parametrize("kilobytes", [0.0001, 0.002, 0.05])
def test_a_small_limit_of_messages_loses_no_emergency(kilobytes: float) -> None:
    bench = watched(message_kb=kilobytes)
    found = bench.did("scout", lambda d: raise_emergency(d, level=2, text="Es brennt überall, äußerst heiß"))
    assert found.open
    assert all(len(m.content.encode()) <= 1024 * kilobytes for m in bench.board.all(Message))
