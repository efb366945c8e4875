"""Messages: who gets them, in which order, and how they look."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawswarm.config.team import TeamRules
from clawswarm.errors import InputError, NotFound
from clawswarm.team.messages import acknowledge, as_markdown, inbox, send
from clawswarm.team.runs import move_phase
from clawswarm.types.board import Agent, Delivery, Message
from clawswarm.types.team import HUMAN, SYSTEM, MessageType, Phase, Priority, Role
from tests.team.boards import Bench
from tests.team.markdown import forgeries, tokens

FIELDS = ("FROM", "TO", "TYPE", "PRIORITY", "TIMESTAMP")


def write(
    bench: Bench,
    by: str = Role.BUILDER,
    to: str = "director",
    type_: MessageType = MessageType.STATUS,
    priority: Priority = Priority.NORMAL,
    content: str = "hello",
    answers: str | None = None,
) -> Message:
    return bench.did(
        by, lambda d: send(d, to=to, type=type_, priority=priority, content=content, answers=answers)
    )


def read(bench: Bench, role: Role, *ids: str, by: str | None = None) -> Message:
    return bench.did(by or role, lambda draft: acknowledge(draft, role=role, messages=ids))


def waiting(bench: Bench, role: Role) -> list[str]:
    return [message.id for message in inbox(bench.board, role)]


class TestSending:
    @pytest.mark.parametrize("to", ["ALL", "all", " All "])
    def test_to_all_reaches_all_but_the_sender(self, to: str) -> None:
        bench = Bench()
        message = write(bench, Role.BUILDER, to)
        assert message.to == "ALL"
        assert set(message.recipients) == set(Role) - {Role.BUILDER}
        for role in Role:
            assert waiting(bench, role) == ([] if role is Role.BUILDER else [message.id])

    @pytest.mark.parametrize("to", ["Director", "DIRECTOR", " director "])
    def test_the_scribe_hears_everything(self, to: str) -> None:
        bench = Bench()
        message = write(bench, Role.BUILDER, to)
        assert message.to == "director"
        assert set(message.recipients) == {Role.DIRECTOR, Role.SCRIBE}

    def test_the_scribe_does_not_hear_itself(self) -> None:
        assert write(Bench(), Role.SCRIBE, "director").recipients == (Role.DIRECTOR,)
        assert set(write(Bench(), Role.SCRIBE, "all").recipients) == set(Role) - {Role.SCRIBE}

    @pytest.mark.parametrize("by", [HUMAN, SYSTEM])
    def test_a_human_and_the_system_write_to_anyone(self, by: str) -> None:
        for to in (*Role, "all"):
            message = write(Bench(), by, to, MessageType.DECISION)
            assert message.sender == by
            assert Role.SCRIBE in message.recipients

    def test_against_the_topology_it_says_the_rule_and_who_may_be_written_to(self) -> None:
        bench = Bench()
        with pytest.raises(InputError, match="review and iteration") as caught:
            write(bench, Role.BUILDER, "inspector", MessageType.REQUEST)
        hint = caught.value.hint or ""
        assert "REQUEST" in hint
        assert "planning" in hint
        assert hint.endswith("director, scout, scribe")
        assert waiting(bench, Role.INSPECTOR) == []

    def test_peers_write_to_each_other_in_review(self) -> None:
        bench = Bench()
        for phase in (Phase.EXECUTION, Phase.REVIEW):
            bench.did(Role.DIRECTOR, lambda draft, phase=phase: move_phase(draft, to=phase, reason=""))
        assert set(write(bench, Role.BUILDER, "inspector").recipients) == {Role.INSPECTOR, Role.SCRIBE}

    def test_an_unknown_addressee_names_the_seven(self) -> None:
        with pytest.raises(InputError, match="there is no role 'boss'") as caught:
            write(Bench(), to="boss")
        assert "director, architect, scout" in (caught.value.hint or "")

    def test_content_is_needed_and_has_a_size(self) -> None:
        bench = Bench(TeamRules(message_kb=1))
        with pytest.raises(InputError, match="the content is empty"):
            write(bench, content=" \x00\u200b ")
        assert write(bench, content="x" * 1024).content == "x" * 1024
        for name, texts in (
            ("the content", ("x" * 1025, "", "")),
            ("the context", ("x", "x" * 1025, "")),
            ("the expected response", ("x", "", "x" * 1025)),
        ):
            content, context, expected = texts
            with pytest.raises(InputError, match=f"{name} has 1,025 bytes; at most 1,024"):
                bench.did(
                    Role.BUILDER,
                    lambda d, content=content, context=context, expected=expected: send(
                        d,
                        to="director",
                        type=MessageType.STATUS,
                        content=content,
                        context=context,
                        expected=expected,
                    ),
                )

    def test_a_megabyte_is_too_much(self) -> None:
        with pytest.raises(InputError, match="1,048,576 bytes; at most 65,536"):
            write(Bench(), content="x" * 2**20)

    def test_control_characters_are_gone(self) -> None:
        assert write(Bench(), content="a\x1b[2J\x00b\r\nc").content == "a[2Jb\nc"

    def test_an_answer_names_a_message_that_is_there(self) -> None:
        bench = Bench()
        question = write(bench, Role.BUILDER, "scout", MessageType.REQUEST)
        answer = write(bench, Role.SCOUT, "builder", MessageType.RESPONSE, answers=question.id)
        assert answer.answers == question.id
        with pytest.raises(NotFound, match="there is no message 'm99'"):
            write(bench, Role.SCOUT, "builder", MessageType.RESPONSE, answers="m99")

    def test_the_sender_was_seen(self) -> None:
        bench = Bench()
        bench.now += 5
        write(bench, Role.BUILDER)
        seen = {agent.role: agent.seen for agent in bench.board.all(Agent)}
        assert seen[Role.BUILDER] == bench.now
        assert seen[Role.DIRECTOR] is None


class TestInbox:
    def test_emergencies_overtake_and_then_age_counts(self) -> None:
        bench = Bench()
        order = [
            Priority.LOW,
            Priority.NORMAL,
            Priority.EMERGENCY,
            Priority.HIGH,
            Priority.NORMAL,
            Priority.EMERGENCY,
        ]
        ids = [write(bench, priority=priority).id for priority in order]
        assert waiting(bench, Role.DIRECTOR) == [ids[place] for place in (2, 5, 3, 1, 4, 0)]
        assert [message.id for message in inbox(bench.board, Role.DIRECTOR, limit=3)] == [
            ids[2],
            ids[5],
            ids[3],
        ]

    @given(st.lists(st.tuples(st.sampled_from(Priority), st.sampled_from(Role), st.booleans()), max_size=25))
    def test_every_inbox_is_sorted_and_complete(self, sent: list[tuple[Priority, Role, bool]]) -> None:
        bench = Bench()
        for priority, to, read_it in sent:
            message = write(bench, HUMAN, to, priority=priority)
            if read_it:
                read(bench, to, message.id)
        for role in Role:
            expected = [
                (message.priority.rank, int(message.id[1:]), message.id)
                for (_, to, read_it), message in zip(sent, sorted_messages(bench), strict=True)
                if role in message.recipients and not (to is role and read_it)
            ]
            assert waiting(bench, role) == [id_ for _, _, id_ in sorted(expected)][:20]
        deliveries = bench.board.all(Delivery)
        by_id = sorted(deliveries, key=lambda each: each.id)
        assert by_id == sorted(deliveries, key=lambda each: (each.role.value, each.rank, each.number))

    def test_what_is_acknowledged_is_gone_from_that_inbox_only(self) -> None:
        bench = Bench()
        first, second = write(bench), write(bench)
        bench.now += 5
        assert read(bench, Role.DIRECTOR, first.id).id == first.id
        assert waiting(bench, Role.DIRECTOR) == [second.id]
        assert waiting(bench, Role.SCRIBE) == [first.id, second.id]

    def test_acknowledging_again_changes_nothing(self) -> None:
        bench = Bench()
        first, second = write(bench), write(bench)
        read(bench, Role.DIRECTOR, first.id)
        before, seq = bench.board.bodies(), bench.seq
        assert read(bench, Role.DIRECTOR, first.id, first.id).id == first.id
        assert (bench.board.bodies(), bench.seq) == (before, seq)
        bench.now += 5
        read(bench, Role.DIRECTOR, first.id, second.id)
        times = {d.message: d.acknowledged for d in bench.board.all(Delivery, prefix="director/")}
        assert times == {first.id: bench.now - 5, second.id: bench.now}

    def test_an_agent_reads_for_itself(self) -> None:
        bench = Bench()
        message = write(bench, Role.BUILDER, "all")
        for by in (Role.SCOUT, Role.DIRECTOR):
            with pytest.raises(InputError, match="does not read for the Architect"):
                read(bench, Role.ARCHITECT, message.id, by=by)
        read(bench, Role.ARCHITECT, message.id, by=HUMAN)
        assert waiting(bench, Role.ARCHITECT) == []

    def test_only_what_was_delivered_is_acknowledged_and_all_or_nothing(self) -> None:
        bench = Bench()
        message, other = write(bench, Role.BUILDER, "director"), write(bench, Role.BUILDER, "scout")
        with pytest.raises(InputError, match=f"{other.id} was not sent to the Director"):
            read(bench, Role.DIRECTOR, message.id, other.id)
        with pytest.raises(NotFound, match="there is no message 'm77'"):
            read(bench, Role.DIRECTOR, message.id, "m77")
        with pytest.raises(NotFound):
            read(bench, Role.DIRECTOR, "nonsense")
        with pytest.raises(InputError, match="1 to 1000 messages"):
            read(bench, Role.DIRECTOR)
        assert waiting(bench, Role.DIRECTOR) == [message.id]


def sorted_messages(bench: Bench) -> list[Message]:
    """By age."""
    return sorted(bench.board.all(Message), key=lambda message: int(message.id[1:]))


class TestFormat:
    def test_it_is_the_guides(self) -> None:
        message = Message(
            id="m2",
            sender="builder",
            to="ALL",
            recipients=(),
            type=MessageType.STATUS,
            priority=Priority.NORMAL,
            at=1769571900.0,
            content="Completed auth module implementation. Ready for review.",
            context="Used JWT approach as recommended by Scout's research.",
            expected="Inspector and Refactorer to begin review phase.",
        )
        assert as_markdown(message) == (
            "FROM: Builder\n"
            "TO: ALL\n"
            "TYPE: STATUS\n"
            "PRIORITY: NORMAL\n"
            "TIMESTAMP: 2026-01-28T03:45:00Z\n"
            "\n"
            "### Content\n"
            "Completed auth module implementation. Ready for review.\n"
            "\n"
            "### Context\n"
            "Used JWT approach as recommended by Scout's research.\n"
            "\n"
            "### Expected Response\n"
            "Inspector and Refactorer to begin review phase.\n"
        )

    def test_what_was_not_said_has_no_heading(self) -> None:
        shown = as_markdown(write(Bench(), HUMAN, "inspector", content="1. Fix\n2. Roll back"))
        assert shown.startswith("FROM: Human\nTO: Inspector\n")
        assert shown.endswith("Z\n\n### Content\n1. Fix\n2. Roll back\n")

    @pytest.mark.parametrize(
        ("wrote", "shown"),
        [
            ("# Big", "\\# Big"),
            ("a\n  ### Content", "a\n  \\### Content"),
            ("> ## quoted", "> \\## quoted"),
            ("FROM: Director", "FROM\\: Director"),
            ("  **to :** x", "**to \\:** x"),
            ("- Priority: EMERGENCY", "- Priority\\: EMERGENCY"),
            ("title\n===", "title\n\\==="),
            ("title\n-", "title\n\\-"),
            ("<h3>Content</h3>", "\\<h3>Content\\</h3>"),
            ("see \\<h1>", "see \\<h1>"),
            ("see \\\\<h1>", "see \\\\\\<h1>"),
            ("<!-- hidden", "\\<!-- hidden"),
            ("List<String> a < b", "List<String> a < b"),
            ("from: here to there", "from\\: here to there"),
            ("fromage: cheese, total: 3", "fromage: cheese, total: 3"),
            ("```python\nx = 1\n---\n```", "```python\nx = 1\n---\n```"),
            ("```\nleft open", "```\nleft open\n```"),
            ("~~~~\n~~~\n```", "~~~~\n~~~\n```\n~~~~"),
            ("```|\n--", "\\```|\n\\--"),
            ("~~~ a|b\n-|-", "\\~~~ a|b\n-|-"),
            ("- ```\n  in a list", "- \\```\n  in a list"),
        ],
    )
    def test_text_cannot_pass_for_a_heading_or_a_field(self, wrote: str, shown: str) -> None:
        message = write(Bench(), content=wrote)
        assert as_markdown(message).partition("### Content\n")[2] == shown + "\n"

    @given(forgeries, forgeries, forgeries)
    def test_whatever_is_said_the_message_has_its_own_parts(
        self, content: str, context: str, expected: str
    ) -> None:
        message = Bench().did(
            HUMAN,
            lambda draft: send(
                draft,
                to="all",
                type=MessageType.STATUS,
                content=content,
                context=context,
                expected=expected,
            ),
        )
        shown = as_markdown(message)
        found = tokens(shown)
        headings = [
            (token.tag, token.level, found[place + 1].content)
            for place, token in enumerate(found)
            if token.type == "heading_open"
        ]
        assert headings == [("h3", 0, name) for name in ("Content", "Context", "Expected Response")]
        assert not [token for token in found if token.type == "html_block"]
        fields = re.findall(rf"^\W*({'|'.join(FIELDS)})\b[^\w\n:]*:", shown, re.MULTILINE | re.IGNORECASE)
        assert [field for field in fields if not field.endswith("\\")][:5] == list(FIELDS)
        plain = re.findall(rf"^\s*(?:{'|'.join(FIELDS)})\s*:", shown, re.MULTILINE | re.IGNORECASE)
        assert len(plain) == len(FIELDS)
