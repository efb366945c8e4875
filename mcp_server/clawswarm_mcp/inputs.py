"""The arguments of the ten tools. Each word here is read by a model in every conversation: none is spare.

Lengths of texts are the board's to limit: it says how long each may be.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from clawswarm_mcp.arguments import Arguments

LONGEST_WAIT = 40
"""Seconds that a tool lets its caller wait (design, section 7)."""

MOST_PROMPTS = 20_000
MOST_SUBJECTS = 100
MOST_RESULTS = 1_000

Wait = Annotated[float, Field(ge=0, le=LONGEST_WAIT)]
MaxSpend = Annotated[float | None, Field(ge=0, description="US$ cap, e.g. 0.5")]
Texts = tuple[str, ...]
Role = Annotated[str, Field(description="e.g. builder")]


class ParallelArguments(Arguments):
    prompts: Annotated[
        list[str],
        Field(min_length=1, max_length=MOST_PROMPTS, description='whole prompts: ["Summarize: …", …]'),
    ]
    system: Annotated[str | None, Field(description="for all")] = None
    output_schema: Annotated[dict[str, Any] | None, Field(description="JSON Schema of each answer")] = None
    provider: Annotated[str | None, Field(description="e.g. gemini, ollama")] = None
    model: str | None = None
    max_spend: MaxSpend = None
    wait: Annotated[Wait, Field(description="seconds; 0: job_id now")] = LONGEST_WAIT


class ResearchArguments(Arguments):
    subjects: Annotated[
        list[str], Field(min_length=1, max_length=MOST_SUBJECTS, description='["OpenAI", "Mistral"]')
    ]
    topic: Annotated[str, Field(description="what about them, e.g. pricing")] = ""
    depth: Literal["quick", "standard", "deep"] = "standard"
    max_spend: MaxSpend = None
    wait: Wait = LONGEST_WAIT


class JobArguments(Arguments):
    action: Literal["wait", "list", "cancel"] = "wait"
    job_id: str | None = None
    wait: Wait = LONGEST_WAIT
    offset: Annotated[int, Field(ge=0, description="next_offset")] = 0
    limit: Annotated[int, Field(ge=1, le=MOST_RESULTS)] = MOST_RESULTS


class StartArguments(Arguments):
    goal: str
    max_spend: MaxSpend = None
    max_hours: Annotated[float | None, Field(gt=0)] = None


class StatusArguments(Arguments):
    role: Annotated[str, Field(description="whose directive, e.g. scout")] = "human"


class MessageArguments(Arguments):
    role: Role
    action: Literal["send", "inbox", "acknowledge"] = "send"
    to: Annotated[str | None, Field(description="role or ALL")] = None
    type: Literal["STATUS", "REQUEST", "RESPONSE", "DECISION", "ALERT"] = "STATUS"
    priority: Literal["LOW", "NORMAL", "HIGH", "EMERGENCY"] = "NORMAL"
    content: str = ""
    context: str = ""
    expected: Annotated[str, Field(description="reply you need")] = ""
    reply_to: Annotated[str | None, Field(description="e.g. m12")] = None
    messages: Annotated[Texts, Field(description="ids to acknowledge")] = ()


class CheckpointArguments(Arguments):
    trigger: Annotated[str, Field(description="milestone")]
    summary: str
    role: Role = "scribe"
    reports: Annotated[dict[str, str] | None, Field(description='by role: {"builder": "auth is done"}')] = (
        None
    )
    blockers: Texts = ()
    decision: Literal["continue", "revise", "escalate"] = "continue"
    next_trigger: str = ""
    commit: str | None = None
    phase: Annotated[
        Literal["planning", "execution", "review", "iteration", "done"] | None,
        Field(description="director: move to it"),
    ] = None


class EmergencyArguments(Arguments):
    role: Role
    level: Annotated[int, Field(ge=1, le=4, description="1 agent stuck, 2 conflict, 3 needs human, 4 abort")]
    text: Annotated[str, Field(description="what happened")]
    agent: Annotated[str | None, Field(description="whom it concerns")] = None


class VoteArguments(Arguments):
    role: Role
    proposal: Annotated[str | None, Field(description="e.g. p12")] = None
    topic: Annotated[str | None, Field(description="with options: opens one")] = None
    options: Texts = ()
    voters: Texts = ()
    irreversible: bool = False
    vote: Annotated[str | None, Field(description="an option, or abstain")] = None
    reason: str = ""
    evidence: Annotated[Texts, Field(description='["file:a.py", "command:pytest=0"]')] = ()


class ControlArguments(Arguments):
    action: Literal["pause", "resume", "abort", "answer", "resolve", "decide", "rollback"]
    reason: Annotated[str, Field(description="why; the human's answer")] = ""
    role: str = "human"
    emergency: Annotated[str | None, Field(description="e.g. e9")] = None
    proposal: str | None = None
    option: str | None = None
    checkpoint: str | None = None
