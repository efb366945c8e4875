"""What can be set. Frozen, strict, every default written once; 0 is a value, None means "unset".

The keys stand under `node_scaling:` in the configuration file. The README's keys come first in each
section; descriptions end up in `swarm config schema`.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, HttpUrl, TypeAdapter, field_validator, model_validator
from pydantic_core import PydanticCustomError

from clawswarm.config.section import Rate, Seconds, Section, Text, Usd, VariableName
from clawswarm.config.team import Team
from clawswarm.types.task import Thinking

ProviderName = Literal["gemini", "groq", "openai", "openai-compatible", "anthropic", "ollama", "demo"]

_HTTP_URL: TypeAdapter[HttpUrl] = TypeAdapter(HttpUrl)


OLLAMA_ONLY = ("keep_alive", "num_ctx", "num_parallel")


class Limits(Section):
    """How much runs at once, how long it may take, how often it is tried."""

    max_nodes: Annotated[int, Field(ge=1, le=100_000)] = 16
    """Tasks that run at once in one process."""
    max_concurrent_api: Annotated[int, Field(ge=1, le=100_000)] = 16
    """Calls that reach one endpoint at once."""
    timeout: Seconds = 300
    """Seconds a task may take, retries and waits that a provider asks for included; waiting for a free slot
    does not count."""
    attempt_timeout: Seconds | None = 120
    """Seconds one call may take before it counts as lost and is tried again. Not applied to Ollama, where a
    long answer is slow and not lost, unless it is set. null: only the task's own timeout counts."""
    max_retries: Annotated[int, Field(ge=0, le=20)] = 3
    """Further tries after a failure that may pass (5xx, connection refused, timeout). Waits that a provider
    asked for with 429 are no tries: they end with the task's timeout."""
    requests_per_minute: Rate | None = None
    """Calls a minute to one endpoint. null: only the provider's own answers limit it."""
    tokens_per_minute: Rate | None = None
    """Tokens a minute, input and output together, to one endpoint."""
    breaker_failures: Annotated[int, Field(ge=1)] = 10
    """Failures in a row after which an endpoint is left alone for a while."""
    breaker_cooldown: Seconds = 2
    """Seconds an endpoint is left alone the first time; doubled, up to 60, each time the probe fails."""


class Prices(Section):
    """US$ per million tokens, for a model that the price table does not know."""

    input: Usd
    """Input tokens."""
    output: Usd
    """Output tokens, thinking included."""
    cached: Usd | None = None
    """Input tokens read from the provider's cache; null: as input."""


class Service(Section):
    """A provider with its model and address; the primary one or a fallback."""

    name: ProviderName | None = None
    """Which provider. null: the first whose key is found, else an Ollama that answers on this machine."""
    model: Text | None = None
    """The model's name at the provider. null: the provider's recommended one."""
    api_key_env: VariableName | None = None
    """Name of the environment variable that holds the key. null: the provider's usual one."""
    base_url: str | list[str] | None = None
    """Where the provider answers; a list is several endpoints, fed by free slots. null: the provider's usual
    variable (such as OPENAI_BASE_URL or OLLAMA_HOST), else its public address."""
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    """The most tokens of one reply, thinking included. null: 8192; for Ollama, as the model has it."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """Sampling temperature, where the model takes one. Above 0 without a seed, answers are not cached."""
    thinking: Thinking | None = None
    """How long the model may think first. null: as the provider has it (Ollama: on for models that can)."""
    stream: bool | None = None
    """Whether replies are streamed. null: only where it matters (Ollama, and very long Claude replies)."""
    prices: Prices | None = None
    """Prices for a model that the price table does not know; needed for a cap on such a model."""
    keep_alive: Text | int | None = None
    """Ollama: how long the model stays loaded, such as "60m" or seconds; negative: for ever."""
    num_ctx: Annotated[int, Field(ge=256)] | None = None
    """Ollama: context window in tokens, the same for every call (another value reloads the model)."""
    num_parallel: Annotated[int, Field(ge=1)] | None = None
    """Ollama: slots of each host. null: OLLAMA_NUM_PARALLEL, else 1. Never more is sent at once."""

    @field_validator("base_url")
    @classmethod
    def _urls(cls, value: str | list[str] | None) -> str | list[str] | None:
        if isinstance(value, list) and not value:
            raise ValueError("an empty list names no endpoint: remove the key or name one")
        for url in [value] if isinstance(value, str) else value or []:
            _HTTP_URL.validate_python(url if "://" in url else f"http://{url}")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.name not in (None, "ollama"):
            for key in OLLAMA_ONLY:
                if getattr(self, key) is not None:
                    text = f"{key!r} has an effect on Ollama only, and the provider is {self.name!r}"
                    raise PydanticCustomError("cross_field", "{text}", {"text": text, "key": key})
        if self.name == "openai-compatible" and (self.base_url is None or self.model is None):
            text = "'openai-compatible' needs both 'base_url' and 'model'"
            raise PydanticCustomError("cross_field", "{text}", {"text": text, "key": "name"})
        return self


class Provider(Service):
    """The provider that tasks go to, and where they go while it is down."""

    fallback: list[Service] = Field(default=[])
    """Providers to try in turn while the one before is down, out of quota or out of credit."""

    @field_validator("fallback")
    @classmethod
    def _named(cls, value: list[Service]) -> list[Service]:
        for index, service in enumerate(value):
            if service.name is None:
                raise PydanticCustomError("unnamed", "every fallback needs a 'name'", {"key": index})
        return value


class Cost(Section):
    """What may be spent. Reserved before a call is sent, across every process of this machine."""

    max_daily_spend: Usd | None = None
    """US$ a local calendar day. 0: spend nothing. null: no cap."""
    max_run_spend: Usd | None = None
    """US$ for one batch. null: no cap."""
    allow_unpriced: bool = False
    """Whether a model without a known price may be called although a cap is set."""


class Cache(Section):
    """Answers kept, so that the same question is paid once."""

    enabled: bool = True
    """Whether answers are kept and reused."""
    ttl_hours: Annotated[float, Field(gt=0)] = 168
    """Hours an answer stays good."""
    max_mb: Annotated[float, Field(gt=0)] = 256
    """Megabytes of answers kept; the least recently stored go first."""


SearchName = Literal["gemini", "ollama", "brave", "searxng", "duckduckgo"]


class Research(Section):
    """Web research: who is asked for pages, and how much of them is read."""

    search: SearchName | None = None
    """Who is asked for pages. null: Gemini's own search where Gemini is the provider; else the first of
    Ollama (OLLAMA_API_KEY), Brave (BRAVE_API_KEY), SearXNG (searxng_url) that is set up; else DuckDuckGo."""
    searxng_url: Text | None = None
    """Address of your own SearXNG, with JSON switched on in its settings."""
    max_pages: Annotated[int, Field(ge=1, le=20)] | None = None
    """Pages read for one subject. null: 2, 4 or 8 by depth."""
    page_timeout: Seconds = 15
    """Seconds one page may take, redirects included."""
    page_mb: Annotated[float, Field(gt=0, le=100)] = 5
    """Megabytes of one page, unpacked, that are read; the rest is left."""
    allow_loopback: bool = False
    """For tests only: lets research reach this machine. Private addresses stay refused."""

    @field_validator("searxng_url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is not None:
            _HTTP_URL.validate_python(value if "://" in value else f"http://{value}")
        return value


class Daemon(Section):
    """The local daemon: where it listens, and how much it takes on."""

    port: Annotated[int, Field(ge=0, le=65_535)] = 9999
    """Port on 127.0.0.1. 0: any that is free."""
    max_streams: Annotated[int, Field(ge=1)] = 512
    """Batches and researches that are streamed at once; the next one gets 429."""
    max_jobs: Annotated[int, Field(ge=1)] = 100
    """Unfinished jobs; the next one gets 429."""
    running_jobs: Annotated[int, Field(ge=1)] = 4
    """Jobs that run at once; the others are queued."""
    max_prompts: Annotated[int, Field(ge=1)] = 20_000
    """Prompts of one request."""
    max_body_mb: Annotated[float, Field(gt=0, le=1024)] = 32
    """Megabytes of one request's body."""
    heartbeat: Seconds = 15
    """Seconds of silence after which a stream gets a heartbeat line."""
    grace: Annotated[float, Field(ge=0, le=600)] = 10
    """Seconds that running work gets to finish when the daemon is told to stop."""
    log_mb: Annotated[float, Field(gt=0)] = 10
    """Megabytes of the log file before it is rotated; five are kept."""
    keep_jobs_days: Annotated[float, Field(gt=0)] = 14
    """Days that finished jobs are kept."""


class Settings(Section):
    """The whole configuration, below `node_scaling:`."""

    enabled: bool = True
    """Whether Swarm may be used at all."""
    limits: Limits = Limits()
    provider: Provider = Provider()
    cost: Cost = Cost()
    cache: Cache = Cache()
    research: Research = Research()
    daemon: Daemon = Daemon()
    team: Team = Team()
