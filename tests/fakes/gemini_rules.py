"""Which generateContent requests Gemini refuses, and in what words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from tests.fakes.behaviours import Refuse
from tests.fakes.common import items, obj, objects, schema_keywords

Thinking: TypeAlias = Literal["budget", "level", "level-without-minimal"]

MODELS: dict[str, Thinking] = {
    "gemini-2.5-flash": "budget",
    "gemini-2.5-pro": "budget",
    "gemini-2.5-flash-lite": "budget",
    "gemini-3-flash-preview": "level",
    "gemini-3.1-flash-lite": "level",
    "gemini-3.1-pro": "level-without-minimal",
    "gemini-3.5-flash-lite": "level",
    "gemini-3.5-flash": "level",
    "gemini-3.6-flash": "level",
    "gemini-3.7-flash": "level-without-minimal",
    "gemini-3.8-flash": "level-without-minimal",
    "gemini-4-argon": "level-without-minimal",
    "gemini-4-carbon": "level",
}
ALIASES = {
    "gemini-flash-latest": "gemini-3.8-flash",
    "gemini-flash-lite-latest": "gemini-3.5-flash-lite",
}
LEVELS = {"MINIMAL", "LOW", "MEDIUM", "HIGH"}
REQUEST_FIELDS = {
    "systemInstruction",
    "contents",
    "generationConfig",
    "tools",
    "toolConfig",
    "serviceTier",
} | {"safetySettings", "cachedContent", "model", "store"}
CONFIG_FIELDS = (
    {"maxOutputTokens", "stopSequences", "seed", "responseMimeType", "responseJsonSchema", "responseSchema"}
    | {"thinkingConfig", "temperature", "topP", "topK", "candidateCount", "presencePenalty"}
    | {"frequencyPenalty", "responseLogprobs", "logprobs", "responseModalities", "mediaResolution"}
    | {"speechConfig", "imageConfig", "enableEnhancedCivicAnswers"}
)
THINKING_FIELDS = {"thinkingLevel", "thinkingBudget", "includeThoughts"}
PART_FIELDS = {
    "text",
    "thought",
    "thoughtSignature",
    "functionCall",
    "functionResponse",
    "inlineData",
    "fileData",
} | {"executableCode", "codeExecutionResult", "videoMetadata", "partMetadata", "mediaResolution"}
TOOL_FIELDS = {
    "googleSearch",
    "urlContext",
    "functionDeclarations",
    "codeExecution",
    "googleMaps",
    "fileSearch",
} | {"computerUse"}
FREE_FORM = {"responseJsonSchema", "responseSchema", "args", "response", "parameters", "parametersJsonSchema"}
OUTSIDE_THE_SUBSET = {"$ref", "$defs", "$schema", "$id", "definitions", "allOf", "const"}

SEARCH_FIELDS = {"timeRangeFilter", "searchTypes", "blockingConfidence", "excludeDomains"}

_SNAKE = re.compile(r"_([a-z])")


def camel(value: Any) -> Any:
    """The request with snake_case names as camelCase; schemas and arguments stay untouched."""
    if members := obj(value):
        named = {_SNAKE.sub(lambda m: m[1].upper(), name): child for name, child in members.items()}
        return {name: child if name in FREE_FORM else camel(child) for name, child in named.items()}
    if elements := items(value):
        return [camel(element) for element in elements]
    return value


def objection(thinking: Thinking, body: Mapping[str, Any]) -> Refuse | None:
    """The first thing wrong with a (camelCase) request body."""
    return next(_objections(thinking, body), None)


def _bad(message: str) -> Refuse:
    return Refuse(400, message)


def _unknown(node: Mapping[str, Any], known: set[str], place: str) -> Iterator[Refuse]:
    for name in node:
        if name not in known:
            where = f" at '{place}'" if place else ""
            yield _bad(f'Invalid JSON payload received. Unknown name "{name}"{where}: Cannot find field.')


def _objections(thinking: Thinking, body: Mapping[str, Any]) -> Iterator[Refuse]:
    config = obj(body.get("generationConfig"))
    yield from _unknown(body, REQUEST_FIELDS, "")
    yield from _unknown(config, CONFIG_FIELDS, "generation_config")
    yield from _content_objections(body)
    yield from _thinking_objections(thinking, obj(config.get("thinkingConfig")))
    yield from _schema_objections(config)
    yield from _tool_objections(thinking, body)


def _content_objections(body: Mapping[str, Any]) -> Iterator[Refuse]:
    contents = objects(body.get("contents"))
    if not contents:
        yield _bad("* GenerateContentRequest.contents: contents is not specified")
    asked = 0
    for place, content in enumerate(contents):
        where = f"contents[{place}]"
        parts = objects(content.get("parts"))
        yield from _unknown(content, {"role", "parts"}, where)
        if content.get("role", "user") not in {"user", "model"}:
            yield _bad("Please use a valid role: user, model.")
        if not parts:
            yield _bad(f"* GenerateContentRequest.{where}.parts: contents.parts must not be empty.")
        for number, part in enumerate(parts):
            yield from _unknown(part, PART_FIELDS, f"{where}.parts[{number}]")
        answered = sum("functionResponse" in part for part in parts)
        if (asked or answered) and asked != answered:
            yield _bad(
                "Please ensure that the number of function response parts is equal to the number of "
                "function call parts of the function call turn."
            )
        asked = sum("functionCall" in part for part in parts)
    if "systemInstruction" in body and not objects(obj(body["systemInstruction"]).get("parts")):
        yield _bad("Invalid value at 'system_instruction': parts must not be empty.")


def _thinking_objections(thinking: Thinking, config: Mapping[str, Any]) -> Iterator[Refuse]:
    place = "generation_config.thinking_config"
    yield from _unknown(config, THINKING_FIELDS, place)
    level, budget = config.get("thinkingLevel"), config.get("thinkingBudget")
    if level is not None and budget is not None:
        yield _bad("You can only set only one of thinking budget and thinking level.")
    if level is not None:
        name = str(level).upper()
        if name not in LEVELS:
            yield _bad(f"Invalid value at '{place}.thinking_level': \"{level}\"")
        if thinking == "budget":
            yield _bad("Thinking level is not supported for this model.")
        if thinking == "level-without-minimal" and name == "MINIMAL":
            yield _bad("Thinking level MINIMAL is not supported for this model.")
    if budget is not None and thinking != "budget":
        yield _bad("Thinking budget is not supported for this model.")


def _schema_objections(config: Mapping[str, Any]) -> Iterator[Refuse]:
    plain, subset = config.get("responseJsonSchema"), config.get("responseSchema")
    if plain is not None and subset is not None:
        yield _bad("Only one of response_schema and response_json_schema may be set.")
    if (plain is not None or subset is not None) and config.get("responseMimeType") != "application/json":
        yield _bad("A response schema is only supported with response_mime_type application/json.")
    for name in sorted(schema_keywords(subset) & OUTSIDE_THE_SUBSET):
        yield from _unknown({name: 1}, set(), "generation_config.response_schema")


def _tool_objections(thinking: Thinking, body: Mapping[str, Any]) -> Iterator[Refuse]:
    tools = objects(body.get("tools"))
    built_in = functions = False
    for place, tool in enumerate(tools):
        yield from _unknown(tool, TOOL_FIELDS, f"tools[{place}]")
        yield from _unknown(obj(tool.get("googleSearch")), SEARCH_FIELDS, f"tools[{place}].google_search")
        if not isinstance(tool.get("googleSearch", {}), dict):
            yield _bad(f"Invalid value at 'tools[{place}].google_search'")
        built_in = built_in or "googleSearch" in tool or "urlContext" in tool
        for number, function in enumerate(objects(tool.get("functionDeclarations"))):
            functions = True
            where = f"tools[{place}].function_declarations[{number}]"
            if not function.get("name"):
                yield _bad(f"* GenerateContentRequest.{where}.name: Invalid function name.")
            for name in sorted(schema_keywords(function.get("parameters")) & OUTSIDE_THE_SUBSET):
                yield from _unknown({name: 1}, set(), f"{where}.parameters")
    calling = obj(obj(body.get("toolConfig")).get("functionCallingConfig"))
    if calling.get("allowedFunctionNames") and calling.get("mode") not in {"ANY", "VALIDATED"}:
        yield _bad("Allowed function names are only supported with mode ANY or VALIDATED.")
    if calling.get("mode") in {"ANY", "VALIDATED"} and not functions:
        yield _bad("Function calling config is set without function_declarations.")
    if thinking == "budget" and built_in:
        if functions:
            yield _bad("Built-in tools and Function Calling cannot be combined in the same request.")
        if obj(body.get("generationConfig")).get("responseMimeType") == "application/json":
            yield _bad("Tool use with a response mime type: 'application/json' is unsupported")
