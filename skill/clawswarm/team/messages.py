"""Messages and inboxes (operations guide, section 5). Who may write to whom: `rules.topology`."""

from collections.abc import Sequence
from dataclasses import replace

from clawswarm.errors import InputError, NotFound
from clawswarm.team.agents import alive
from clawswarm.team.blocks import block
from clawswarm.team.documents import Documents
from clawswarm.team.draft import Draft, role_of
from clawswarm.team.moments import iso
from clawswarm.team.rules.roles import display_name
from clawswarm.team.rules.topology import ALL, may_write, recipients
from clawswarm.team.texts import clean, said
from clawswarm.types.board import Delivery, Message
from clawswarm.types.team import HUMAN, SYSTEM, MessageType, Priority, Role

MOST_ACKNOWLEDGED = 1_000
"""Messages that are acknowledged at once."""


def send(
    draft: Draft,
    *,
    to: str,
    type: MessageType,
    priority: Priority = Priority.NORMAL,
    content: str,
    context: str = "",
    expected: str = "",
    answers: str | None = None,
) -> Message:
    """Put a message into the inboxes of those it is addressed to, and of the Scribe.

    Args:
        to: a role, or ALL; in any case.
        answers: id of the message that it answers.

    Raises:
        InputError: the topology forbids it (the hint names whom the sender may write to), or it is too long.
        NotFound: there is no message that it could answer.
    """
    address = ALL if to.strip().upper() == ALL else role_of(to).value
    answer = may_write(draft.actor, address, type, draft.run.phase)
    if not answer.allowed:
        whom = ", ".join(answer.may) or "nobody"
        raise InputError(
            answer.reason,
            hint=f"with a {type} in the phase {draft.run.phase} {draft.actor} may write to: {whom}",
        )
    if answers is not None:
        _message(draft, answers)
    most = int(draft.rules.message_kb * 1024)
    message = Message(
        id=f"m{draft.next_seq}",
        sender=draft.actor,
        to=address,
        recipients=recipients(draft.actor, address),
        type=type,
        priority=priority,
        at=draft.now,
        content=clean("the content", content, most, required=True),
        context=clean("the context", context, most),
        expected=clean("the expected response", expected, most),
        answers=answers,
    )
    draft.record(
        "message_sent",
        message.id,
        f"{display_name(message.sender)} → {_addressee(message)}, {_kind(message)}: {said(message.content)}",
        message,
        *(_delivery(message, role) for role in message.recipients),
        *alive(draft),
        facts={"to": address, "type": type.value, "priority": priority.value},
    )
    return message


def acknowledge(draft: Draft, *, role: Role, messages: Sequence[str]) -> Message:
    """Take messages out of an agent's inbox. What it has acknowledged before stays so. Returns the last.

    Raises:
        NotFound: there is no such message.
        InputError: it was not sent to that agent, or somebody else acknowledges it.
    """
    if draft.actor not in (role.value, HUMAN, SYSTEM):
        raise InputError(
            f"{display_name(draft.actor)} does not read for the {display_name(role)}",
            hint="an agent acknowledges its own messages; a human may for any of them",
        )
    if not 1 <= len(messages) <= MOST_ACKNOWLEDGED:
        raise InputError(f"1 to {MOST_ACKNOWLEDGED} messages are acknowledged at once, not {len(messages)}")
    found = [_message(draft, id_) for id_ in dict.fromkeys(messages)]
    for message in found:
        if role not in message.recipients:
            raise InputError(
                f"{message.id} was not sent to the {display_name(role)}",
                hint=f"it has it who is among: {', '.join(message.recipients)}",
            )
    waiting = [
        delivery
        for message in found
        if (delivery := draft.need(Delivery, _delivery(message, role).id)).acknowledged is None
    ]
    if waiting:
        draft.record(
            "message_acknowledged",
            waiting[-1].message,
            f"{display_name(role)} acknowledges {said(', '.join(each.message for each in waiting))}",
            *(replace(each, acknowledged=draft.now) for each in waiting),
            *alive(draft),
            facts={"role": role.value, "messages": [each.message for each in waiting]},
        )
    return found[-1]


def inbox(documents: Documents, role: Role, *, limit: int = 20) -> list[Message]:
    """What an agent has not acknowledged: by priority, EMERGENCY first, then the oldest first."""
    found: list[Message] = []
    for priority in sorted(Priority, key=lambda each: each.rank):
        prefix = f"{role.value}/{priority.rank}/"
        left = limit - len(found)
        for delivery in (
            documents.all(Delivery, open_only=True, prefix=prefix, first=left) if left > 0 else ()
        ):
            message = documents.get(Message, delivery.message)
            if message is not None:
                found.append(message)
    return found


def as_markdown(message: Message) -> str:
    """The message in the guide's format. What agents wrote cannot pass for a heading or for a field of it."""
    parts = [
        ("Content", message.content),
        ("Context", message.context),
        ("Expected Response", message.expected),
    ]
    head = (
        f"FROM: {display_name(message.sender)}\n"
        f"TO: {_addressee(message)}\n"
        f"TYPE: {message.type}\n"
        f"PRIORITY: {message.priority}\n"
        f"TIMESTAMP: {iso(message.at)}\n"
    )
    return head + "".join(f"\n### {name}\n{block(text)}\n" for name, text in parts if text)


def _delivery(message: Message, role: Role) -> Delivery:
    """The message in one inbox, as it is put there: its number is that of the event that sent it."""
    return Delivery(role=role, rank=message.priority.rank, number=int(message.id[1:]), message=message.id)


def _message(draft: Draft, id_: str) -> Message:
    found = draft.get(Message, id_)
    if found is None:
        raise NotFound(f"there is no message {said(id_, 60)!r}", hint="what waits: swarm team inbox ROLE")
    return found


def _addressee(message: Message) -> str:
    return message.to if message.to == ALL else display_name(message.to)


def _kind(message: Message) -> str:
    urgent = message.priority in (Priority.HIGH, Priority.EMERGENCY)
    return f"{message.type} ({message.priority})" if urgent else message.type.value
