"""A task: one prompt with its options."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

JsonObject = Mapping[str, Any]
Thinking = Literal["off", "low", "medium", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function the model may ask for; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """What the model asked for. `id` links the answer to the call; providers without ids get one made up."""

    id: str
    name: str
    arguments: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation before (or after) the prompt.

    `native` is the provider's own form of an assistant turn (signatures, thinking blocks), which some
    APIs want back unchanged in a tool loop; `native_provider` names who may read it.
    """

    role: Literal["user", "assistant", "tool"]
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    tool_name: str | None = None
    native: Any = None
    native_provider: str | None = None


FIELDS = (
    "prompt",
    "system",
    "model",
    "max_tokens",
    "schema",
    "id",
    "temperature",
    "seed",
    "thinking",
    "timeout",
)
"""The fields of a task that travel: in a line of a JSON Lines file, in a request, in a stored job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One prompt with its options. None means: as the configuration or the provider has it.

    Attributes:
        prompt: the user's text; comes after `history`. May be empty only when `history` is not.
        history: earlier turns of the conversation, oldest first.
        schema: a JSON Schema the reply must satisfy; the parsed value becomes the result's `data`.
        max_tokens: the most tokens the reply may have, thinking included.
        thinking: how long the model may think before it answers.
        timeout: seconds from when the task is taken up to its deadline, waits and retries included.
        cache: False asks anew and stores nothing.
        web_search: the provider searches the web first (Gemini's own search); never cached.
    """

    prompt: str
    id: str | None = None
    system: str | None = None
    model: str | None = None
    max_tokens: int | None = None
    schema: JsonObject | None = None
    history: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: Literal["auto", "none", "required"] = "auto"
    thinking: Thinking | None = None
    temperature: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    timeout: float | None = None
    cache: bool | None = None
    web_search: bool = False

    def as_json(self) -> dict[str, Any]:
        """The fields that travel, those that are set."""
        return {name: value for name in FIELDS if (value := getattr(self, name)) is not None}

    @property
    def staying(self) -> list[str]:
        """The fields that are set and do not travel."""
        here = {
            "history": self.history,
            "tools": self.tools,
            "tool_choice": self.tool_choice != "auto",
            "stop": self.stop,
            "cache": self.cache is not None,
            "web_search": self.web_search,
        }
        return [name for name, there in here.items() if there]

    @property
    def wants_variety(self) -> bool:
        """Whether the caller asked for random sampling, so that one answer cannot stand for another."""
        return self.temperature is not None and self.temperature > 0 and self.seed is None

    @property
    def messages(self) -> tuple[Message, ...]:
        """The whole conversation: the history, then the prompt."""
        if not self.prompt:
            return self.history
        return (*self.history, Message(role="user", text=self.prompt))
