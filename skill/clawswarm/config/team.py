"""What can be set of a team. Every number of the operations guide stands here, once, as a default.

A run keeps the rules it was opened with: changing the configuration changes the next run.
"""

from typing import Annotated, Literal

from pydantic import Field, HttpUrl, TypeAdapter, field_validator

from clawswarm.config.section import Seconds, Section, Text, Usd, VariableName

Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Score = Annotated[int, Field(ge=1, le=10)]
PhaseName = Literal["planning", "execution", "review", "iteration", "done"]
RoleName = Literal["director", "architect", "scout", "builder", "refactorer", "inspector", "scribe"]

_HTTP_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)


class Votes(Section):
    """When a vote has converged (operations guide, section 6)."""

    max_rounds: Count = 3
    """Rounds of a proposal; after the last one the Director decides."""
    supermajority: Share = 5 / 7
    """Share of the votes cast that ends a vote."""
    weighted_majority: Share = 0.7
    """Share of the votes weighted by trust that ends a vote when it is exceeded."""
    min_change: Share = 0.2
    """Share of the voters; when fewer than that moved since the last round, a further one is not worth it."""
    round_minutes: Annotated[float, Field(gt=0)] = 10
    """Minutes a round stays open for those who have not voted; then they abstain."""


class Trust(Section):
    """Trust in an agent, from 1 to 10 (operations guide, sections 3 and 9)."""

    start: Score = 7
    """What every agent begins with, and the weight of those who carry no trust (Director, Scribe)."""
    alarm: Score = 3
    """At this value or below an emergency is raised."""


class Guards(Section):
    """When the board raises an emergency by itself (operations guide, section 4)."""

    calls_without_progress: Count = 3
    """Calls of one agent in a row after which nothing had changed."""
    same_error: Count = 3
    """Times in a row that one agent met the same error."""
    silent_minutes: Annotated[float, Field(gt=0)] = 10
    """Minutes that a working agent may be silent."""
    disagreement: Share = 0.4
    """Share of the trust-weighted votes against the leading option that is a conflict."""
    memory_percent: Annotated[float, Field(gt=0, le=100)] = 90
    """Memory of the machine in use, in percent."""
    queue: Count = 50
    """Requests that wait for the model."""
    latency_minutes: Annotated[float, Field(gt=0)] = 5
    """Minutes one answer of the model may take."""
    critical_findings: Count = 5
    """Critical findings of one review; more are an emergency."""
    task_attempts: Count = 5
    """Attempts at one task; more are an emergency."""
    phase_factor: Annotated[float, Field(gt=1)] = 2
    """How many times its expected duration a phase may take."""
    repeats: Count = 3
    """Times in a row that one agent made the same call with the same arguments."""
    attempts: Count = 2
    """Failed attempts to resolve an emergency, after which it goes to a human."""


class Budget(Section):
    """What a run may take, in money and in time."""

    max_run_spend: Usd | None = None
    """US$ of one run, by what its agents report. null: no cap."""
    max_hours: Annotated[float, Field(gt=0)] | None = None
    """Hours a run may take. null: no limit."""
    expected_minutes: dict[PhaseName, Annotated[float, Field(gt=0)]] = Field(default={})
    """Minutes that a phase is expected to take, by its name; one that is not named is not watched."""


class Alerts(Section):
    """Who is told of an emergency from level 3 on, beside the file in the alerts directory."""

    webhook: Text | None = None
    """Address that gets a POST. Slack, Discord, ntfy and Telegram are known by it; others get JSON."""
    webhook_secret_env: VariableName = "SWARM_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
    """Name of the environment variable with the secret that signs the body (HMAC-SHA256)."""
    telegram_chat: Text | None = None
    """Telegram: the chat that is written to; the webhook is then https://api.telegram.org/bot<token>."""
    desktop: bool = True
    """Whether a notification is shown where the system offers one."""
    max_wait: Seconds = 300
    """Seconds between two tries at a webhook that does not accept, at most."""

    @field_validator("webhook")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is not None:
            _HTTP_URL.validate_python(value)
        return value


class TeamRules(Section):
    """What a run is opened with, and keeps."""

    agent_timeouts: dict[RoleName, Seconds] = Field(default={})
    """Seconds that one turn of an agent may take, by role; the guide's table where a role is not named."""
    max_concurrent: Count = 2
    """Agents that work at once (operations guide, section 9); as many as the local model has slots."""
    message_kb: Annotated[float, Field(gt=0, le=1024)] = 64
    """Kilobytes of one message, at most."""
    votes: Votes = Votes()
    """When a vote has converged."""
    trust: Trust = Trust()
    """Trust in an agent."""
    guards: Guards = Guards()
    """When the board raises an emergency by itself."""
    budget: Budget = Budget()
    """What a run may take, in money and in time."""


class Team(TeamRules):
    """The team's board: its rules, where it lies, and who is told."""

    database: Text | None = None
    """Address of a PostgreSQL database for a board that many machines share, such as
    "postgresql://user@host/swarm". null: the SQLite database in the memory directory."""
    alerts: Alerts = Alerts()
    """Who is told of an emergency from level 3 on."""

    @property
    def rules(self) -> TeamRules:
        """What a run keeps: no address and no secret is among it."""
        return TeamRules.model_validate({name: getattr(self, name) for name in TeamRules.model_fields})
