"""Who may write to whom (operations guide, section 5).

Everyone reports to the Director, and the Director reaches everyone. Anyone may ask the Scout, which answers
anyone, and tell the Scribe, which hears every message and says little. The Architect advises: it decides
nothing. Those who build and check talk to each other while work is reviewed.
"""

from dataclasses import dataclass

from clawswarm.types.team import HUMAN, SYSTEM, MessageType, Phase, Role

ALL = "ALL"
ADDRESSES: tuple[str, ...] = (*(role.value for role in Role), ALL)
"""What a message may be addressed to."""

PEERS = (Role.BUILDER, Role.REFACTORER, Role.INSPECTOR)
PEER_PHASES = (Phase.REVIEW, Phase.ITERATION)
UNBOUND = (Role.DIRECTOR.value, HUMAN, SYSTEM)
"""Who may write anything to anyone."""

_ADVICE = (MessageType.STATUS, MessageType.RESPONSE)


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a message may be sent.

    Attributes:
        reason: the rule that allows or forbids it.
        may: whom the sender may write to with a message of this type in this phase.
    """

    allowed: bool
    reason: str
    may: tuple[str, ...]


def may_write(sender: str, to: str, type_: MessageType, phase: Phase) -> Answer:
    """Whether `sender` may write a message of this type to `to`: a role, or "ALL"."""
    allowed, reason = _rule(sender, to, type_, phase)
    may = tuple(address for address in ADDRESSES if _rule(sender, address, type_, phase)[0])
    return Answer(allowed, reason, may)


def recipients(sender: str, to: str) -> tuple[Role, ...]:
    """Who gets a message: those it is addressed to, and the Scribe; nobody gets their own."""
    return tuple(role for role in Role if role != sender and (to in (ALL, role) or role is Role.SCRIBE))


def _rule(sender: str, to: str, type_: MessageType, phase: Phase) -> tuple[bool, str]:
    """Whether a message is allowed, and the first rule that says so."""
    if to not in ADDRESSES:
        return False, "a message is addressed to one of the seven roles, or to ALL"
    if sender == to:
        return False, "nobody writes to themselves"
    if sender in UNBOUND:
        return True, "the Director, a human and the system may write to everyone"
    if sender not in ADDRESSES or sender == ALL:
        return False, "messages are sent by the seven roles, a human and the system"
    if type_ is MessageType.DECISION:
        return False, "a DECISION is the Director's; others propose, or write a REQUEST to the Director"
    if to == Role.DIRECTOR:
        return True, "everyone may write to the Director"
    if to == ALL:
        return type_ is MessageType.STATUS, "to ALL the agents write STATUS; the rest is the Director's"
    return _between(Role(sender), Role(to), type_, phase)


def _between(sender: Role, to: Role, type_: MessageType, phase: Phase) -> tuple[bool, str]:
    """The same between two agents of which none is the Director."""
    if sender is Role.SCRIBE:
        return False, "the Scribe listens: it writes STATUS to ALL, and anything to the Director"
    if to is Role.SCOUT:
        return True, "anyone may write to the Scout"
    if to is Role.SCRIBE:
        return True, "the Scribe hears everything"
    if sender is Role.SCOUT:
        return type_ is MessageType.RESPONSE, "the Scout answers: to other agents it writes RESPONSE"
    if sender is Role.ARCHITECT:
        return type_ in _ADVICE, "the Architect advises: to other agents it writes STATUS and RESPONSE"
    if to is Role.ARCHITECT:
        return False, "the Architect is asked through the Director"
    return (
        phase in PEER_PHASES,
        "Builder, Refactorer and Inspector write to each other in review and iteration",
    )
