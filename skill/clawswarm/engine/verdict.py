"""Whether a reply is an answer. What is cut, empty, blocked or malformed is an error with its own name."""

from collections.abc import Mapping
from typing import Any, Protocol

from pydantic_core import from_json

from clawswarm.errors import InputError, TaskError
from clawswarm.types.result import Reply
from clawswarm.types.task import JsonObject, Task


class Validator(Protocol):
    """The part of a jsonschema validator that is used."""

    def iter_errors(self, instance: Any) -> Any: ...


def judge(reply: Reply, task: Task, provider: str, max_tokens: int | None) -> None:
    """Return if `reply` answers the task.

    Raises:
        TaskError: `content_blocked`, `truncated`, `context_overflow` or `empty_reply`.
    """
    detail = reply.detail or "no reason given"
    match reply.finish_reason:
        case "blocked":
            raise TaskError(
                "content_blocked",
                f"{provider} blocked the content ({detail})",
                hint="reword the prompt, or send it to another provider",
            )
        case "length":
            limit = "the model's own limit" if max_tokens is None else f"{max_tokens} tokens"
            raise TaskError(
                "truncated",
                f"{provider} cut the reply at {limit} ({detail}); thinking counts, too",
                hint="raise max_tokens, ask for a shorter answer, or set thinking to off",
            )
        case "context_overflow":
            raise TaskError(
                "context_overflow",
                f"the prompt does not fit {reply.model!r}: {detail}",
                hint="shorten it, raise provider.num_ctx (Ollama), or use a model with a larger context",
            )
        case "other":
            raise TaskError(
                "invalid_reply",
                f"{provider} ended the reply for an unusual reason ({detail})",
                hint="ask again, or look the reason up in the provider's documentation",
            )
        case "stop" | "tool_calls":
            if not reply.text.strip() and not reply.tool_calls:
                raise TaskError(
                    "empty_reply", f"{provider} sent an empty reply", hint="ask again, or reword the prompt"
                )


def validator(schema: JsonObject) -> Validator:
    """A validator for `schema`.

    Raises:
        InputError: `schema` is no JSON Schema.
    """
    from jsonschema import SchemaError
    from jsonschema.validators import validator_for  # pyright: ignore[reportUnknownVariableType]
    from referencing import Registry

    kind: Any = validator_for(schema)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise InputError(
            f"the schema is no JSON Schema: {error.message}", hint="see json-schema.org"
        ) from error
    nowhere: Any = Registry()  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return kind(schema, registry=nowhere)  # the default one fetches references from the network


def parse_output(text: str, schema: Validator) -> Any:
    """The reply as data that satisfies the schema. A Markdown fence around it is taken off.

    Raises:
        TaskError: `invalid_output`.
    """
    try:
        data = from_json(_without_fence(text))
    except ValueError as error:
        raise TaskError(
            "invalid_output",
            f"the reply is not JSON: {error}",
            hint="ask again; smaller models miss the format",
        ) from None
    try:
        problem = next(iter(schema.iter_errors(data)), None)
    except Exception as error:
        raise TaskError(
            "bad_request",
            f"the schema cannot be applied ({type(error).__name__}: {str(error)[:200]})",
            hint="references must lead somewhere inside the schema, and not in a circle",
        ) from error
    if problem is not None:
        where = "/".join(str(part) for part in problem.absolute_path) or "the top"
        raise TaskError(
            "invalid_output",
            f"the reply does not fit the schema at {where}: {problem.message[:200]}",
            hint="ask again, or simplify the schema",
        )
    return data


def _without_fence(text: str) -> str:
    stripped = text.strip()
    if stripped.startswith("```") and stripped.endswith("```") and "\n" in stripped:
        return stripped.split("\n", 1)[1].removesuffix("```")
    return stripped


class Schemas:
    """Validators of one engine by schema, so that each is built once. Holds the last few only."""

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._built: dict[int, tuple[Mapping[str, Any], Validator]] = {}

    def get(self, schema: JsonObject) -> Validator:
        entry = self._built.get(id(schema))
        if entry is None or entry[0] is not schema:
            if len(self._built) >= self._limit:
                self._built.clear()
            entry = self._built[id(schema)] = (schema, validator(schema))
        return entry[1]
