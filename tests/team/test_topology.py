"""Who may write to whom: every combination has an answer with a reason, and the guide's rules hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.team.rules.topology import ADDRESSES, ALL, may_write, recipients
from clawswarm.types.team import HUMAN, SYSTEM, MessageType, Phase, Role

SENDERS = st.sampled_from([*(role.value for role in Role), HUMAN, SYSTEM])
TO = st.sampled_from(ADDRESSES)
TYPES = st.sampled_from(list(MessageType))
PHASES = st.sampled_from(list(Phase))
STATUS, REQUEST, RESPONSE, DECISION, ALERT = MessageType


@given(SENDERS, TO, TYPES, PHASES)
def test_every_message_has_an_answer_that_agrees_with_whom_one_may_write_to(
    sender: str, to: str, type_: MessageType, phase: Phase
) -> None:
    answer = may_write(sender, to, type_, phase)
    assert answer.reason
    assert answer.allowed == (to in answer.may)
    assert sender not in answer.may


@given(st.text(), st.text(), TYPES, PHASES)
def test_names_that_nobody_has_are_refused(sender: str, to: str, type_: MessageType, phase: Phase) -> None:
    if to not in ADDRESSES:
        assert not may_write(HUMAN, to, type_, phase).allowed
    if sender not in (*Role, HUMAN, SYSTEM):
        answer = may_write(sender, Role.DIRECTOR, type_, phase)
        assert not answer.allowed
        assert answer.may == ()


def test_all_is_no_sender() -> None:
    assert not may_write(ALL, Role.DIRECTOR, STATUS, Phase.REVIEW).allowed


@given(SENDERS, TYPES, PHASES)
def test_everyone_reaches_the_director(sender: str, type_: MessageType, phase: Phase) -> None:
    answer = may_write(sender, Role.DIRECTOR, type_, phase)
    decides = type_ is DECISION and sender not in (HUMAN, SYSTEM)
    assert answer.allowed == (sender != Role.DIRECTOR and not decides)


@given(st.sampled_from([Role.DIRECTOR.value, HUMAN, SYSTEM]), TO, TYPES, PHASES)
def test_the_director_a_human_and_the_system_reach_everyone(
    sender: str, to: str, type_: MessageType, phase: Phase
) -> None:
    assert may_write(sender, to, type_, phase).allowed == (sender != to)


@given(st.sampled_from(list(Role)[1:]), TO, PHASES)
def test_a_decision_is_the_directors(sender: Role, to: str, phase: Phase) -> None:
    answer = may_write(sender, to, DECISION, phase)
    assert not answer.allowed
    assert answer.may == ()


@given(st.sampled_from(list(Role)[1:]), TYPES, PHASES)
def test_to_all_the_agents_write_status(sender: Role, type_: MessageType, phase: Phase) -> None:
    assert may_write(sender, ALL, type_, phase).allowed == (type_ is STATUS)


@given(SENDERS, TO)
def test_the_scribe_hears_every_message_of_others_and_nobody_their_own(sender: str, to: str) -> None:
    got = recipients(sender, to)
    assert (Role.SCRIBE in got) == (sender != Role.SCRIBE)
    assert sender not in got
    assert len(set(got)) == len(got)
    wanted = set(Role) if to == ALL else {Role(to)}
    assert set(got) == (wanted | {Role.SCRIBE}) - {sender}


@given(TO, TYPES, PHASES)
def test_the_scribe_only_listens(to: str, type_: MessageType, phase: Phase) -> None:
    speaks = (to == Role.DIRECTOR and type_ is not DECISION) or (to == ALL and type_ is STATUS)
    assert may_write(Role.SCRIBE, to, type_, phase).allowed == speaks


@given(st.sampled_from(list(Role)), TYPES, PHASES)
def test_the_scout_is_asked_by_anyone_and_answers_anyone(
    other: Role, type_: MessageType, phase: Phase
) -> None:
    if other not in (Role.DIRECTOR, Role.SCOUT):
        asked = may_write(other, Role.SCOUT, type_, phase).allowed
        assert asked == (other is not Role.SCRIBE and type_ is not DECISION)
    if other not in (Role.DIRECTOR, Role.SCOUT, Role.SCRIBE):
        assert may_write(Role.SCOUT, other, type_, phase).allowed == (type_ is RESPONSE)


PEERS = st.sampled_from([Role.BUILDER, Role.REFACTORER, Role.INSPECTOR])


@given(PEERS, PEERS, TYPES, PHASES)
def test_peers_talk_while_work_is_reviewed(one: Role, other: Role, type_: MessageType, phase: Phase) -> None:
    talks = one is not other and type_ is not DECISION and phase in (Phase.REVIEW, Phase.ITERATION)
    assert may_write(one, other, type_, phase).allowed == talks


@given(PEERS, TYPES, PHASES)
def test_the_architect_advises_and_is_asked_through_the_director(
    peer: Role, type_: MessageType, phase: Phase
) -> None:
    assert may_write(Role.ARCHITECT, peer, type_, phase).allowed == (type_ in (STATUS, RESPONSE))
    assert not may_write(peer, Role.ARCHITECT, type_, phase).allowed


@pytest.mark.parametrize(
    ("sender", "to", "type_"), [("builder", "ALL", STATUS), ("inspector", "director", ALERT)]
)
def test_the_guides_own_examples_pass(sender: str, to: str, type_: MessageType) -> None:
    assert all(may_write(sender, to, type_, phase).allowed for phase in Phase)


def test_a_refusal_says_the_rule_and_whom_one_may_write_to() -> None:
    answer = may_write(Role.BUILDER, Role.INSPECTOR, REQUEST, Phase.EXECUTION)
    assert answer.reason == "Builder, Refactorer and Inspector write to each other in review and iteration"
    assert answer.may == ("director", "scout", "scribe")
