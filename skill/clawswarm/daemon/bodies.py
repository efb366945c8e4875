"""What requests may say. Unknown fields are refused; the descriptions end up in the OpenAPI document."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, JsonValue, Tag

from clawswarm.config.model import ProviderName
from clawswarm.types.requests import Depth
from clawswarm.types.task import Thinking

NOT_BLANK: dict[str, JsonValue] = {"pattern": r"[^\s\x1c-\x1f\x85]"}
"""For the document: what Python strips is no text. `modes.requests` checks it, with better words."""

Text = Annotated[str, Field(min_length=1)]
Asked = Annotated[str, Field(min_length=1, json_schema_extra=NOT_BLANK)]


def _whole(given: Any) -> Any:
    """4.0 is a whole number in JSON."""
    return int(given) if isinstance(given, float) and given.is_integer() else given


Whole = Annotated[int, BeforeValidator(_whole)]
Tokens = Annotated[int, Field(ge=1, le=10_000_000), BeforeValidator(_whole)]
AtOnce = Annotated[int, Field(ge=1, le=100_000), BeforeValidator(_whole)]
Temperature = Annotated[float, Field(ge=0, le=2)]
Seconds = Annotated[float, Field(ge=0.001, le=604_800)]
Subject = Annotated[str, Field(min_length=1, max_length=500, json_schema_extra=NOT_BLANK)]


class Body(BaseModel):
    """Strict: "4" is no number here, as the document says."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    def document(self) -> dict[str, Any]:
        """What was given, by the names of the wire."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Prompt(Body):
    """One prompt with its options."""

    prompt: Asked
    id: str | Whole | None = None
    """Comes back with the result."""
    system: str | None = None
    model: Text | None = None
    max_tokens: Tokens | None = None
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    """A JSON Schema that the reply must satisfy."""
    temperature: Temperature | None = None
    seed: Whole | None = None
    thinking: Thinking | None = None
    timeout: Seconds | None = None
    """Seconds the task may take, waits included."""


def _form(given: Any) -> str:
    return TEXT if isinstance(given, str) else OBJECT


TEXT, OBJECT = FORMS = ("as text", "as object")
"""The two forms of a prompt. Only the one that was meant is checked, and told about."""

EitherForm = Annotated[Annotated[Asked, Tag(TEXT)] | Annotated[Prompt, Tag(OBJECT)], Discriminator(_form)]


class Run(Body):
    """Options of a whole request; what is left out is as configured."""

    provider: ProviderName | None = None
    model: Text | None = None
    concurrency: AtOnce | None = None
    """Tasks at once; never more than the daemon has workers."""
    timeout: Seconds | None = None
    """Seconds a task may take, waits included."""
    cache: bool = True
    """False asks every prompt anew."""
    max_spend: Annotated[float, Field(ge=0, le=9_000_000)] | None = None
    """Most US$ that the request may cost."""


class Parallel(Run):
    """Prompts to ask in parallel."""

    prompts: Annotated[list[EitherForm], Field(min_length=1)]
    system: str | None = None
    """System prompt of every task that has none."""
    max_tokens: Tokens | None = None
    json_schema: dict[str, Any] | None = Field(default=None, alias="schema")
    temperature: Temperature | None = None
    seed: Whole | None = None
    thinking: Thinking | None = None


class ParallelStream(Parallel):
    """Prompts to ask in parallel, answered as a stream."""

    keep_results: bool = True
    """Whether the last event repeats all texts."""


class Research(Run):
    """Subjects to research side by side."""

    subjects: Annotated[list[Subject], Field(min_length=1, max_length=100)]
    topic: Annotated[str, Field(max_length=500)] = ""
    """The angle, such as "AI safety"."""
    depth: Depth = "standard"


class ParallelJob(Parallel):
    """A batch that goes on by itself."""

    kind: Literal["parallel"]


class ResearchJob(Research):
    """A research that goes on by itself."""

    kind: Literal["research"]


JobBody = Annotated[ParallelJob | ResearchJob, Field(discriminator="kind")]
