"""`swarm team message`, `inbox`: what agents write to each other."""

from typing import Annotated

import typer

from clawswarm.access.team import Team
from clawswarm.cli.output import print_json, say, show, told
from clawswarm.cli.team_acting import As, AsAgent, AsJson, Key, change, the_team, words
from clawswarm.errors import InputError
from clawswarm.team.board import Done
from clawswarm.team.draft import role_of
from clawswarm.team.messages import as_markdown
from clawswarm.team.moments import dated
from clawswarm.types.board import Delivery, Message
from clawswarm.types.team import HUMAN, MessageType, Priority

app = typer.Typer()

MESSAGE = """Examples:

swarm team message "Completed the auth module" --as builder --to ALL --type STATUS

git diff | swarm team message - --as builder --to director --type REQUEST --expected "approve, or say why not"

swarm team message "Use JWT" --as scout --to builder --type RESPONSE --reply-to m12"""

INBOX = """Examples:

swarm team inbox builder

swarm team inbox builder --ack m12 m13

swarm team inbox builder --ack-all"""

LINE = "─" * 45


@app.command("message", epilog=MESSAGE)
def message_command(
    content: Annotated[str, typer.Argument(help="What is said; - reads it from standard input.")],
    to: Annotated[str, typer.Option(metavar="ROLE", help="A role, or ALL.")],
    type_: Annotated[str, typer.Option("--type", metavar="TYPE", help=f"One of {', '.join(MessageType)}.")],
    priority: Annotated[
        str, typer.Option(metavar="PRIORITY", help=f"One of {', '.join(Priority)}.")
    ] = Priority.NORMAL.value,
    context: Annotated[str, typer.Option(help="Background, if it is needed.", show_default=False)] = "",
    expected: Annotated[str, typer.Option(help="What you need back, if anything.", show_default=False)] = "",
    reply_to: Annotated[str | None, typer.Option(metavar="MESSAGE", help="What it answers.")] = None,
    by: As = HUMAN,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Send a message. Who may write to whom follows from role and phase; the Scribe hears everything."""

    def send(team: Team) -> Done[Message]:
        return team.work.send(
            by,
            to=to,
            type=type_,
            content=words(content, "the message"),
            priority=priority,
            context=words(context, "--context"),
            expected=words(expected, "--expected"),
            answers=reply_to,
            key=key,
        )

    change(send, by=by, as_json=as_json)


@app.command("inbox", epilog=INBOX)
def inbox_command(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="Whose.")],
    messages: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MESSAGE]...", help="With --ack: which.", show_default=False),
    ] = None,
    ack: Annotated[bool, typer.Option("--ack", help="Acknowledge the messages that are named.")] = False,
    ack_all: Annotated[bool, typer.Option("--ack-all", help="Acknowledge what is shown.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, at most.")] = 20,
    by: AsAgent = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Show what an agent has not acknowledged yet: emergencies first, then the oldest first."""
    named = messages or []
    if ack:
        with told(as_json=as_json):
            if not named:
                raise InputError(
                    "--ack names no message", hint=f"such as: swarm team inbox {role} --ack m12 m13"
                )
        change(
            lambda team: team.work.acknowledge(by or role, role=role, messages_=named, key=key),
            by=by or role,
            as_json=as_json,
        )
        return
    with told(as_json=as_json):
        if named:
            raise InputError(
                f"what about {named[0][:40]!r}?",
                hint=f"to acknowledge it: swarm team inbox {role} --ack {named[0][:40]}",
            )
        with the_team() as (team, _):
            found = team.work.inbox(role, limit=limit)
            waiting = _waiting(team, role)
            if ack_all and found:
                ids = [message.id for message in found]
                team.work.acknowledge(by or role, role=role, messages_=ids, key=key)
        if as_json:
            print_json({"messages": [dated(message) for message in found], "waiting": waiting})
            return
        for message in found:
            show(f"── {message.id} {LINE}", as_markdown(message).rstrip("\n"), "")
        if not found:
            show(f"Nothing waits for the {role_of(role).value}.")
        elif waiting > len(found):
            say(f"swarm: {waiting - len(found)} more wait; see them with --limit")


def _waiting(team: Team, role: str) -> int:
    """How many messages the agent has not acknowledged."""
    with team.board.reading() as (_, documents):
        return documents.count(Delivery, open_only=True, prefix=f"{role_of(role).value}/")
