"""What a host sends as a tool's arguments, as the tool's own type: lenient where the meaning is clear.

Hosts that call tools by search pass on what the model wrote, unchecked: a list as a JSON string, a number as
text, a role in capitals. Whatever cannot be read is told in words: what was wrong, what is allowed.
"""

import difflib
import json
from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, to_json

from clawswarm.errors import InputError

A = TypeVar("A", bound="Arguments")

UNREADABLE = ""
"""The name under which arguments come that are no object."""

MOST_TOLD = 3
"""Mistakes that are told at once."""


class Arguments(BaseModel):
    """The arguments of one tool."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, coerce_numbers_to_str=True, allow_inf_nan=False, defer_build=True
    )

    @model_validator(mode="before")
    @classmethod
    def _understand(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        found = cast("dict[str, Any]", given)
        return {
            name: value
            if (field := cls.model_fields.get(name)) is None
            else understood(value, _kind(field.annotation))
            for name, value in found.items()
            if value is not None  # as if it had been left out
        }


def understood(value: Any, kind: Any) -> Any:
    """`value` as something that a field of this kind can take, where it is clear what is meant."""
    origin = get_origin(kind) or kind
    if origin is Literal and isinstance(value, str):
        wanted = value.strip().casefold()
        return next((each for each in get_args(kind) if str(each).casefold() == wanted), value)
    if origin in (int, float) and isinstance(value, str):
        return value.strip().lstrip("$")
    if origin not in (list, tuple, dict):
        return value
    if isinstance(value, str):
        text = value.strip()
        if text[:1] in ("[", "{"):
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                return value
        elif origin is not dict and text:
            value = [value]
    return value


def read(kind: type[A], given: Mapping[str, Any], *, example: Mapping[str, Any]) -> A:
    """The arguments of a tool.

    Raises:
        InputError: they cannot be used; the message says which and why, the hint what is allowed.
    """
    try:
        to_json(given)
    except (ValueError, RecursionError):
        raise InputError(
            "the arguments cannot be read: half of a character, or lists in lists without an end",
            hint=such_as(example),
        ) from None
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=True)
        told = "; ".join(_words(kind, problem) for problem in problems[:MOST_TOLD])
        more = f" (and {len(problems) - MOST_TOLD} more)" if len(problems) > MOST_TOLD else ""
        raise InputError(told + more, hint=such_as(example)) from None


def such_as(example: Mapping[str, Any]) -> str:
    return f"nothing was done; call it like this: {json.dumps(example, ensure_ascii=False)}"


def _words(kind: type[Arguments], problem: ErrorDetails) -> str:
    """One mistake: where, what is needed there, and what was there."""
    place, *inside = (str(part) for part in problem["loc"]) if problem["loc"] else ("arguments",)
    place = place[:60]
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(place, kind.model_fields, n=1)
        known = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(kind.model_fields)}"
        return f"there is no argument {place!r}: {known}"
    field = kind.model_fields.get(place)
    needed = "" if field is None else f": {_needed(field)}"
    if problem["type"] == "missing":
        return f"{place!r} is missing{needed}"
    where = f"{place!r}" + "".join(f", at {part[:60]}" for part in inside if part not in _FORMS)
    if problem["type"] == "value_error":
        return f"{where}: {problem['ctx']['error'] if 'ctx' in problem else problem['msg']}"
    return f"{where} cannot be {_shown(problem['input'])}{needed}"


_FORMS = ("list", "dict", "str", "int", "float", "bool")
"""Parts of a place that name the member of a union, and nothing that the caller wrote."""

_NAMES: Mapping[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "an object",
    list: "a list of texts",
    tuple: "a list of texts",
}


def _needed(field: FieldInfo) -> str:
    """What a field takes, in words."""
    kind = _kind(field.annotation)
    origin = get_origin(kind) or kind
    if origin is Literal:
        return f"it is one of {', '.join(str(each) for each in get_args(kind))}"
    words = _NAMES.get(origin, "something else")
    limits = [_limit(mark) for mark in field.metadata]
    within = ", ".join(limit for limit in limits if limit)
    return f"it is {words}" + (f", {within}" if within else "")


_LIMITS = {
    "ge": "at least {}",
    "gt": "more than {}",
    "le": "at most {}",
    "lt": "less than {}",
    "min_length": "{} or more long",
    "max_length": "{} long at most",
}


def _limit(mark: Any) -> str:
    return next(
        (words.format(getattr(mark, name)) for name, words in _LIMITS.items() if hasattr(mark, name)), ""
    )


def _kind(annotation: Any) -> Any:
    """The type of a field, without the None that says that it may be left out."""
    if get_origin(annotation) in (Union, UnionType):
        return next(each for each in get_args(annotation) if each is not type(None))
    return annotation


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]}…"
