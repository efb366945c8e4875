"""What is wrong with the settings, in words: where it stands, what was expected, what was found.

A value is shown only where it cannot be a secret: never below a key whose name speaks of one, never when
it looks like a key, never a whole list or group.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from clawswarm.config import fields
from clawswarm.config.fields import Path
from clawswarm.config.masking import without_credentials
from clawswarm.config.model import Settings
from clawswarm.config.origins import Layer, Mark
from clawswarm.errors import ConfigError

CROSS_LAYER = {"missing", "cross_field"}
"""Errors that can only be told when all layers are put together."""

_MOST_SHOWN = 10
_LONGEST = 60
_SECRET_WORDS = ("key", "token", "secret", "password", "webhook", "database")
_SECRET_KEYS = {
    "apikey",
    "key",
    "token",
    "secret",
    "password",
    "apitoken",
    "accesstoken",
    "apisecret",
    "authtoken",
}
_SECRET_VALUE = re.compile(r"(sk|pk|rk|gsk|csk|hf|pplx|xai)[-_]\w|AIza|AQ\.|Bearer |eyJ", re.ASCII)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct."""

    mark: Mark
    text: str

    def __str__(self) -> str:
        return f"{self.mark.where}: {self.text}"


def error_for(problems: Iterable[Problem]) -> ConfigError:
    """The one error that lists `problems`, the file's first, each on its line, at most ten."""
    ordered = sorted(problems, key=lambda problem: (problem.mark.line == 0, problem.mark.line))
    found = list(dict.fromkeys(str(problem) for problem in ordered))
    lines = found[:_MOST_SHOWN]
    if len(found) > 1:
        lines = [f"the configuration has {len(found)} problems:", *(f"  {line}" for line in lines)]
    if len(found) > _MOST_SHOWN:
        lines.append(f"  … and {len(found) - _MOST_SHOWN} more")
    return ConfigError("\n".join(lines), hint='correct this; "swarm config schema" describes every key')


def check(tree: dict[str, Any]) -> tuple[Settings | None, list[ErrorDetails]]:
    """`tree` as settings, judged strictly, or what is wrong with it."""
    try:
        return Settings.model_validate(tree, strict=True), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def place(error: ErrorDetails) -> Path:
    """The path that an error is about, without the steps pydantic adds for alternatives of a type."""
    path: Path = ()
    for part in (*error["loc"], *_breaking_key(error)):
        node = fields.at(path)
        known = node is not None and fields.child(node, part) is not None
        if known or error["type"] == "extra_forbidden":
            path = (*path, part)
    return path


def _breaking_key(error: ErrorDetails) -> tuple[str | int, ...]:
    key = error.get("ctx", {}).get("key")
    return () if key is None else (key,)


def of_layer(layer: Layer, key_folder: FilePath) -> list[Problem]:
    """Everything wrong with one layer by itself."""
    errors = [error for error in check(layer.tree)[1] if error["type"] not in CROSS_LAYER]
    places = [place(error) for error in errors]
    return [
        Problem(layer.mark(path), _text(path, error, layer, key_folder))
        for path, error in zip(places, errors, strict=True)
        # A list that fits no alternative is reported for itself and for its item; the item says more.
        if not any(len(other) > len(path) and other[: len(path)] == path for other in places)
    ]


def across_layers(path: Path, error: ErrorDetails) -> str:
    """What is wrong once all layers are put together."""
    if error["type"] == "missing":
        return f"{_name(path)} is missing: {expected(path)}"
    return f"{_name(path)}: {error['msg']}"


def _text(path: Path, error: ErrorDetails, layer: Layer, key_folder: FilePath) -> str:
    match error["type"]:
        case "extra_forbidden":
            return unknown_key(path, key_folder)
        case "not_a_variable":
            return (
                f"{_name(path)}: {error['msg']}, found something else (not shown: it may be the key "
                f"itself); {_where_keys_go(key_folder)}"
            )
        case "unnamed":
            return f"{_name(path)}: {error['msg']}"
        case "value_error":
            return f"{_name(path)}: {error['msg'].removeprefix('Value error, ')}"
        case kind if kind.startswith("url_"):
            found = shown(path, error["input"])
            return f"{_name(path)}: expected a web address: {error['msg']}, found {found}"
        case _:
            as_json = ", as JSON" if layer.text and _is_compound(path) else ""
            return f"{_name(path)}: {expected(path)}{as_json}, found {shown(path, error['input'])}"


def _name(path: Path) -> str:
    return fields.dotted(path) or "the settings"


def expected(path: Path) -> str:
    node = fields.at(path)
    return "expected a known key" if node is None else f"expected {fields.in_words(node)}"


def _is_compound(path: Path) -> bool:
    node = fields.at(path)
    return node is not None and fields.kinds(node) <= {"array", "object", "null"}


def unknown_key(path: Path, key_folder: FilePath) -> str:
    """What to say about a key that does not exist."""
    name = f"unknown key {cut(repr(fields.dotted(path)))}"
    key = str(path[-1])
    if means_a_secret(key):
        return f"{name}: keys do not belong in the configuration; {_where_keys_go(key_folder)}"
    if (other := fields.elsewhere(key)) is not None:
        return f"{name}: did you mean {other!r}?"
    node = fields.at(path[:-1])
    siblings = () if node is None else fields.keys(node)
    if (near := fields.nearest(key, siblings)) is not None:
        return f"{name}: did you mean {near!r}?"
    return f"{name}: known here are {', '.join(siblings)}" if siblings else name


def means_a_secret(key: str) -> bool:
    """Whether somebody who writes this (unknown) key wants to write a secret there."""
    plain = re.sub(r"[^a-z]", "", key.lower())
    return plain in _SECRET_KEYS or plain.endswith("apikey")


def _where_keys_go(key_folder: FilePath) -> str:
    return (
        f"put the key into the file {key_folder}/<provider>-key.txt (mode 0600), or into an environment "
        "variable and that variable's name into 'api_key_env'"
    )


def shown(path: Path, value: object) -> str:
    """`value` as an error may show it."""
    if any(word in str(part).lower() for part in path for word in _SECRET_WORDS):
        return f"{_sort(value)} (not shown)"
    match value:
        case None | bool():
            return plain_text(value)
        case str() if _SECRET_VALUE.match(value.strip()):
            return "text that looks like a secret (not shown)"
        case str() if path[:1] == ("team",) and "://" in value:  # a webhook's, in the wrong place
            return "an address (not shown)"
        case str():
            return cut(repr(without_credentials(value)))
        case int() | float() | Decimal():
            return cut(plain_text(value))
        case _:
            return _sort(value)


def _sort(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float() | Decimal():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "a group of keys"
        case _:
            return "something else"


def plain_text(value: object) -> str:
    """A single value as one would write it in the file."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal() if value.is_finite() and abs(value.adjusted()) < 30:
            return f"{value:f}"
        case _:
            return str(value)


def cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
